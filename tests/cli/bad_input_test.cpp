// Films, arguments and outputs that cannot be used: exit code 2 (1 where the output is at fault),
// one line on stderr that names it, nothing on stdout.

#include <gmock/gmock.h>

#include <functional>

#include "base/files.h"
#include "cli/refusal.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::run;
using moviechat::testing::TemporaryFolder;
using moviechat::testing::tiny_bundle;
using testing::as_somebody;
using testing::expect_one_line;
using testing::film;
using ::testing::HasSubstr;
using testing::moviechat;
using ::testing::Not;
using testing::shell_word;
namespace fs = std::filesystem;

// --- Films

struct BadFilm {
  std::string name;
  std::function<void(const fs::path&)> make;
  std::vector<std::string> said;
};

void shell(const std::string& command) {
  const auto result = run(command);
  ASSERT_EQ(result.exit_code, 0) << command << "\n" << result.err;
}

void make_film(const fs::path& file, const std::string& input, const std::string& options) {
  shell("ffmpeg -v error -y " + input + " " + options + " " + shell_word(file.string()));
}

class FilmThatCannotBeUsed : public ::testing::TestWithParam<BadFilm> {};

TEST_P(FilmThatCannotBeUsed, IsRefusedInOneLine) {
  const TemporaryFolder folder;
  const fs::path file = folder / "film.mp4";
  GetParam().make(file);
  std::vector<std::string> said = GetParam().said;
  said.push_back(file.string());
  expect_one_line(moviechat("--question a --video " + shell_word(file.string())), 2, said);
  expect_one_line(moviechat("inspect " + shell_word(file.string())), 2, said);
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, FilmThatCannotBeUsed,
    ::testing::Values(
        BadFilm{"Missing", [](const fs::path&) {}, {}},
        BadFilm{"Empty", [](const fs::path& file) { write_file(file, ""); }, {}},
        BadFilm{"Text", [](const fs::path& file) { write_file(file, "Dear diary,\n"); }, {}},
        BadFilm{"AudioOnly",
                [](const fs::path& file) { make_film(file, "-f lavfi -i sine=d=1", "-c:a aac"); },
                {"no video stream", "audio"}},
        BadFilm{"NothingToDecode",
                [](const fs::path& file) {
                  make_film(file, "-f lavfi -i testsrc2=d=1:s=64x64", "-c:v libx264");
                  std::string bytes = read_file(file, "film");
                  const size_t data = bytes.find("mdat") + 4;
                  const size_t end = bytes.find("moov") - 4;
                  std::fill(bytes.begin() + static_cast<long>(data),
                            bytes.begin() + static_cast<long>(end), '\xff');
                  write_file(file, bytes);
                },
                {}},
        BadFilm{"HlsPlaylist",
                [](const fs::path& file) {
                  write_file(file,
                             "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/passwd\n"
                             "#EXT-X-ENDLIST\n");
                },
                {}},
        BadFilm{"ConcatPlaylist",
                [](const fs::path& file) {
                  write_file(file, "ffconcat version 1.0\nfile /etc/passwd\n");
                },
                {}}),
    [](const auto& tested) { return tested.param.name; });

TEST(BadInput, AFolderIsNoFilm) {
  const TemporaryFolder folder;
  expect_one_line(moviechat("--question a --video " + shell_word(folder.path().string())), 2,
                  {folder.path().string(), "folder"});
}

TEST(BadInput, AFilmWithoutPermissionIsNamed) {
  const TemporaryFolder folder;
  const fs::path file = folder / "film.avi";
  fs::copy_file(moviechat::testing::golden("clip.avi"), file);
  const auto somebody = as_somebody();
  if (!somebody) GTEST_SKIP() << "the program cannot be run as another user here";
  fs::permissions(folder.path(), fs::perms(0755));
  fs::permissions(file, fs::perms::none);
  expect_one_line(
      run(*somebody + testing::program() + " --model " + shell_word(tiny_bundle().string()) +
          " --question a --video " + shell_word(file.string())),
      2, {file.string(), "ermission"});
}

TEST(BadInput, ATooLongPathIsNamed) {
  const std::string path(5000, 'x');
  expect_one_line(moviechat("--question a --video " + film() + " --model " + path), 2,
                  {path, "too long"});
  expect_one_line(moviechat("inspect " + path), 2, {path, "too long"});
}

TEST(BadInput, ADamagedFilmIsAnErrorOnlyWhenStrict) {
  const TemporaryFolder folder;
  const fs::path file = folder / "film.avi";
  const std::string whole = read_file(moviechat::testing::golden("clip.avi"), "film");
  write_file(file, whole.substr(0, whole.size() * 6 / 10));
  const std::string arguments =
      "--log-level warn --question a --video " + shell_word(file.string());
  const auto used = moviechat(arguments);
  EXPECT_EQ(used.exit_code, 0) << used.err;
  EXPECT_THAT(used.err, HasSubstr("moviechat: warning: "));
  expect_one_line(moviechat("--strict " + arguments), 2, {file.string()});
}

// --- Moments and questions

struct BadArguments {
  std::string name;
  std::string arguments;
  std::vector<std::string> said;
};
class ArgumentsThatCannotBeUsed : public ::testing::TestWithParam<BadArguments> {};

TEST_P(ArgumentsThatCannotBeUsed, AreRefusedInOneLine) {
  const TemporaryFolder folder;
  write_file(folder / "bad.yaml", "memory: {keep: 2\nplan: [");
  write_file(folder / "unknown.yaml", "memory: {kepe: 2}\n");
  write_file(folder / "bad.jsonl", "{\"question\": \"a\"}\nwhat?\n");
  std::string arguments = GetParam().arguments;
  for (size_t at; (at = arguments.find("FILM")) != std::string::npos;) {
    arguments.replace(at, 4, film());
  }
  const auto result = run("cd " + shell_word(folder.path().string()) +
                          " && MOVIECHAT_MODEL=" + shell_word(tiny_bundle().string()) + " " +
                          testing::program() + " " + arguments);
  expect_one_line(result, 2, GetParam().said);
}

std::string long_question() {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "why ";
  return "'" + text + "'";
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, ArgumentsThatCannotBeUsed,
    ::testing::Values(
        BadArguments{"NegativeMoment", "--video FILM --question a --at -1", {"--at", "'-1'"}},
        BadArguments{"MomentBeyondTheEnd",
                     "--video FILM --question a --at 10.5",
                     {"10.5", "beyond the end", "10 s"}},
        BadArguments{"MomentNotANumber", "--video FILM --question a --at NaN", {"--at", "'NaN'"}},
        BadArguments{
            "SeventyFiveSeconds", "--video FILM --question a --at 1:75", {"'1:75'", "below 60"}},
        BadArguments{
            "FrameBeyondTheEnd", "--video FILM --question a --at-frame 300", {"300", "300 frames"}},
        BadArguments{"EmptyQuestion", "--video FILM --question ''", {"empty"}},
        BadArguments{"BlankQuestion", "--video FILM --question '  '", {"empty"}},
        BadArguments{"QuestionOverTheContext",
                     "--video FILM --question " + long_question(),
                     {"context", "2000"}},
        BadArguments{"MalformedUtf8",
                     "--video FILM --question \"$(printf 'a\\377')\"",
                     {"not valid UTF-8", "byte 2"}},
        BadArguments{"NoQuestion", "--video FILM", {"no question", "--question"}},
        BadArguments{"NoFilm", "--question a", {"no film", "--video"}},
        BadArguments{"BadQuestionFile",
                     "--video FILM --questions bad.jsonl",
                     {"'bad.jsonl' line 2", "not valid JSON"}},
        BadArguments{"MissingQuestionFile",
                     "--video FILM --questions none.jsonl",
                     {"none.jsonl", "No such file"}},
        BadArguments{"UnknownFlag",
                     "--video FILM --question a --temprature 1",
                     {"unknown flag '--temprature'", "'--temperature'"}},
        BadArguments{"UnknownCommand", "aks --video FILM", {"unknown command 'aks'", "'ask'"}},
        BadArguments{"ContradictoryMoments",
                     "--video FILM --question a --at 1 --at-frame 2",
                     {"--at and --at-frame contradict"}},
        BadArguments{"ContradictoryFormats",
                     "--video FILM --question a --json --format srt",
                     {"--json and --format srt contradict"}},
        BadArguments{"ContradictoryLogLevels",
                     "--video FILM --question a --quiet --log-level debug",
                     {"--quiet and --log-level debug contradict"}},
        BadArguments{
            "TwoFilms", "--video FILM --video FILM --question a", {"--video is given twice"}},
        BadArguments{"UnknownFormat",
                     "--video FILM --question a --format xml",
                     {"text, json, jsonl, srt", "'xml'"}},
        BadArguments{"BadYaml",
                     "--video FILM --question a --config bad.yaml",
                     {"bad.yaml", "not valid YAML"}},
        BadArguments{"UnknownKey",
                     "--video FILM --question a --config unknown.yaml",
                     {"unknown.yaml", "memory.kepe", "did you mean 'memory.keep'?"}},
        BadArguments{"UnknownSetting",
                     "--video FILM --question a --set memory.kepe=2",
                     {"memory.kepe", "did you mean 'memory.keep'?"}},
        BadArguments{"EmptyProfile",
                     "--video FILM --question a --profile ''",
                     {"--profile needs a value", "an empty one"}},
        BadArguments{
            "EmptyFrames", "inspect FILM --frames ''", {"--frames needs a value", "an empty one"}},
        BadArguments{"UnknownProfile",
                     "--video FILM --question a --profile papre",
                     {"'papre'", "paper, released, text, uniform"}},
        BadArguments{"UnknownDevice", "--video FILM --question a --device gpu", {"'gpu'", "cuda"}},
        BadArguments{"UnknownDtype", "--video FILM --question a --dtype fp8", {"'fp8'", "bf16"}},
        BadArguments{"Address",
                     "--video https://127.0.0.1:1/film.mp4 --question a",
                     {"video.allow_url (--allow-url)"}},
        BadArguments{
            "NoBundle", "--model none --video FILM --question a", {"'none'", "model.yaml"}},
        BadArguments{"UnknownShell", "completions tcsh", {"'tcsh'", "bash, zsh or fish"}}),
    [](const auto& tested) { return tested.param.name; });

TEST(BadInput, AFlagIsNamedBesideTheSettingThatItIsShortFor) {
  const std::string words(20000, 'a');
  expect_one_line(moviechat("--video " + film() + " --question " + words), 2,
                  {"lower generation.max_new_tokens (--max-new-tokens)"});
  const auto named = moviechat("--max-new-tokens 0 --question a --video " + film());
  expect_one_line(named, 2, {"--max-new-tokens: generation.max_new_tokens must be"});
  EXPECT_THAT(named.err, Not(HasSubstr("(--max-new-tokens)")));
}

TEST(BadInput, CudaWithoutADeviceDoesNotFallBack) {
  // Hidden devices are no devices, so this holds on a machine with one too.
  expect_one_line(
      moviechat("--device cuda --question a --video " + film(), "CUDA_VISIBLE_DEVICES="), 2,
      {"cuda"});
}

// --- Output

TEST(BadInput, AFullDiskIsAFailureOfOneLine) {
  for (const std::string format : {"text", "json", "jsonl", "srt"}) {
    const auto result = moviechat("--plan uniform:8 --format " + format + " --question a --video " +
                                  film() + " >/dev/full");
    expect_one_line(result, 1, {"standard output", "No space left"});
  }
  expect_one_line(moviechat("--help >/dev/full"), 1, {"No space left"});
  expect_one_line(moviechat("inspect --plan uniform:2 " + film() + " >/dev/full"), 1,
                  {"No space left"});
}

TEST(BadInput, AClosedStdoutIsAFailureOfOneLine) {
  expect_one_line(moviechat("--question a --video " + film() + " >&-"), 1,
                  {"standard output is closed"});
}

TEST(BadInput, ABrokenPipeIsAFailureOfOneLine) {
  const auto result = run("{ sleep 1; MOVIECHAT_MODEL=" + shell_word(tiny_bundle().string()) + " " +
                          testing::program() + " --plan uniform:8 --question a --video " + film() +
                          "; echo \"code $?\" >&2; } | true");
  EXPECT_THAT(result.err, HasSubstr("moviechat: error: cannot write results"));
  EXPECT_THAT(result.err, HasSubstr("Broken pipe"));
  EXPECT_THAT(result.err, HasSubstr("\ncode 1\n"));
}

TEST(BadInput, FramesThatHaveNoPlaceLeaveNothing) {
  const TemporaryFolder folder;
  const std::string frames = shell_word((folder / "none" / "frames").string());
  const auto result = moviechat("inspect " + film() + " --plan uniform:2 --frames " + frames);
  expect_one_line(result, 2, {"cannot make the folder"});
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

// Files that must not grow fail as those on a full disk do.
TEST(BadInput, AFullDiskLeavesNoFrames) {
  const TemporaryFolder folder;
  const auto result =
      run("trap '' XFSZ; ulimit -f 1; " + testing::program() + " inspect " + film() +
          " --plan uniform:2 --frames " + shell_word((folder / "frames").string()));
  expect_one_line(result, 1, {"cannot write", "000000.png", "nothing was written"});
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace moviechat::cli
