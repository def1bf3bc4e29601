// Help, completions and the manual: made from what CLI11 knows of the flags, read by the programs
// they are made for.

#include <gmock/gmock.h>

#include <fstream>
#include <regex>

#include "base/files.h"
#include "cli/completions.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/program.h"
#include "cli/program_settings.h"
#include "cli/program_walk.h"
#include "cli/setting_flags.h"
#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::run;
using moviechat::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::shell_word;
namespace fs = std::filesystem;

const CancelFlag kNoCancel;

/// The program with the defaults that are built in.
const CLI::App& the_program() {
  static const auto program = make_program(kNoCancel);
  return *program;
}
const CLI::App& ask() { return *commands_of(the_program()).front(); }
std::string man() { return man_page(the_program(), list_fields(ProgramSettings{})); }

/// The names of all flags, some more than once.
std::vector<std::string> all_flags() {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(the_program())) {
    for (const CLI::Option* flag : flags_of(*command)) names.push_back(flag_name(*flag));
  }
  return names;
}

bool installed(const std::string& program) { return run("command -v " + program).exit_code == 0; }

TEST(Help, ListsEveryFlagOfACommandWithItsDefault) {
  for (const CLI::App* command : commands_of(the_program())) {
    const std::string text = help_text(the_program(), *command, true);
    for (const CLI::Option* flag : flags_of(*command)) {
      EXPECT_THAT(text, HasSubstr("\n  " + flag_name(*flag) + " ")) << command->get_name();
    }
  }
  EXPECT_THAT(help_text(the_program(), ask(), false), HasSubstr("inspect VIDEO|BUNDLE"));
  EXPECT_THAT(help_text(the_program(), ask(), false), HasSubstr("[300]"));
}

TEST(Help, ShowsTheDefaultsOfTheBundleThatWouldBeUsed) {
  const TemporaryFolder folder;
  fs::copy(moviechat::testing::tiny_bundle(), folder / "bundle");
  std::string text = read_file(folder / "bundle/model.yaml", "description");
  text.replace(text.find("max_new_tokens: 300"), 19, "max_new_tokens: 111");
  write_file(folder / "bundle/model.yaml", text);
  const std::string model = shell_word((folder / "bundle").string());
  for (const std::string& help : {testing::moviechat("--help", "MOVIECHAT_MODEL=" + model).out,
                                  testing::moviechat("ask --help --model " + model).out,
                                  testing::moviechat("man", "MOVIECHAT_MODEL=" + model).out}) {
    EXPECT_THAT(help, HasSubstr("111")) << help;
    EXPECT_THAT(help, Not(HasSubstr("300"))) << help;
  }
  EXPECT_THAT(testing::moviechat("--help", "MOVIECHAT_MODEL=/none").out, HasSubstr("[300]"));
}

TEST(Help, FitsAHundredColumns) {
  for (const CLI::App* command : commands_of(the_program())) {
    std::istringstream lines(help_text(the_program(), *command, false));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  }
}

/// 60 frames of features of the shipped bundle's sizes, in 30 s.
void write_features(const fs::path& file) {
  const BundleSizes sizes = read_bundle_spec(testing::shipped_bundle()).sizes;
  const std::string shape = std::to_string(sizes.patches) + ", " + std::to_string(sizes.vit_width);
  const auto bytes = static_cast<size_t>(60 * sizes.patches * sizes.vit_width * 2);
  std::string header = R"({"__metadata__": {"fps": "2"}, "x": {"dtype": "F16", "shape": [60, )" +
                       shape + R"(], "data_offsets": [0, )" + std::to_string(bytes) + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string length;
  for (size_t i = 0; i < 8; ++i) length += static_cast<char>(header.size() >> (8 * i) & 255);
  write_file(file, length + header + std::string(bytes, '\x2e'));  // 0x2e2e: 0.097 in fp16
}

TEST(Help, ItsExamplesWork) {
  const TemporaryFolder folder;
  const fs::path bundle = testing::shipped_bundle();
  fs::create_directories(folder / "models");
  fs::create_symlink(bundle, folder / "models" / "mini");
  fs::create_symlink(moviechat::testing::source_dir() / "configs", folder / "configs");
  // The examples ask at 0:30: the ten-second film of the references, four times as slow.
  ASSERT_EQ(run("ffmpeg -v error -i " + testing::film() +
                " -vf setpts=4*PTS -r 7.5 -c:v libx264 -preset ultrafast " +
                shell_word((folder / "film.mp4").string()))
                .exit_code,
            0);
  write_features(folder / "film.safetensors");
  write_file(
      folder / "questions.jsonl",
      "{\"question\": \"What moves?\"}\n{\"question\": \"What moves?\", \"at\": \"0:20\"}\n");
  for (const char* folder_name : {"videos", "qa"}) {
    fs::create_directories(folder / folder_name);
  }
  for (const char* name : {"1", "2"}) {
    fs::create_symlink(folder / "film.mp4", folder / "videos" / (name + std::string(".mp4")));
    write_file(folder / "qa" / (name + std::string(".json")),
               "{\"info\": {\"video_path\": \"" + std::string(name) +
                   ".mp4\"}, \"global\": [{\"question\": \"What moves?\", \"answer\": \"A "
                   "star.\"}], \"breakpoint\": "
                   "[{\"time\": 60, \"question\": \"What moves?\"}]}");
  }
  const std::string set_up = "cd " + shell_word(folder.path().string()) +
                             " && rm -rf frames && export MOVIECHAT_HOME=. && PATH=" +
                             shell_word((moviechat::testing::binary_dir() / "bin").string()) +
                             ":$PATH && ";
  int count = 0;
  for (const CLI::App* command : commands_of(the_program())) {
    for (const std::string& example : examples_of(*command)) {
      const auto result = run(set_up + example);
      EXPECT_EQ(result.exit_code, 0) << example << "\n" << result.err;
      EXPECT_EQ(result.out.empty(), example.find('>') != std::string::npos) << example;
      ++count;
    }
  }
  EXPECT_GE(count, 12);
}

TEST(Help, IsPrintedWithoutQuestions) {
  const auto program = make_program(kNoCancel);
  show_defaults(*program, list_fields(settings_in_force(
                              {{"model", moviechat::testing::tiny_bundle().string(), ""}}, {})));
  const auto commands = commands_of(*program);
  EXPECT_EQ(testing::moviechat("--help").out, help_text(*program, *commands[0], false));
  EXPECT_EQ(testing::moviechat("inspect --help").out, help_text(*program, *commands[1], true));
  const auto version = testing::moviechat("--version");
  EXPECT_TRUE(std::regex_match(
      version.out, std::regex(R"(moviechat \d+\.\d+\.\d+ \(libtorch \S+, FFmpeg .+\)\n)")))
      << version.out;
}

TEST(Help, OfNoArgumentsIsAnErrorThatSaysHowTheProgramIsUsed) {
  const auto result = testing::moviechat("");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_EQ(result.err, usage_text(the_program()));
  for (const CLI::App* command : commands_of(the_program())) {
    if (command == &ask()) continue;
    EXPECT_THAT(result.err, HasSubstr(" moviechat " + command->get_name()));
  }
}

TEST(Completions, AreValidForTheirShells) {
  const TemporaryFolder folder;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    write_file(folder / shell, completions(the_program(), shell));
    if (!installed(shell)) continue;
    const auto result = run(shell + " -n " + shell_word((folder / shell).string()));
    EXPECT_EQ(result.exit_code, 0) << shell;
    EXPECT_THAT(result.err, IsEmpty()) << shell;
  }
  EXPECT_THROW(completions(the_program(), "tcsh"), InputError);
}

TEST(Completions, NameEveryFlagInEveryShell) {
  for (const std::string& flag : all_flags()) {
    EXPECT_THAT(completions(the_program(), "bash"), HasSubstr(flag));
    EXPECT_THAT(completions(the_program(), "zsh"), HasSubstr(flag + "["));
    EXPECT_THAT(completions(the_program(), "fish"), HasSubstr(" -l " + flag.substr(2) + " "));
  }
}

/// What bash offers when Tab is pressed after "moviechat " and `line`, a line each, in a folder
/// with the files "a film.mp4" and "b:c.mp4" and the folder "frames". Its quirk: = and : are words.
std::string offered(const std::string& line, const std::string& breaks = "=:") {
  const TemporaryFolder folder;
  write_file(folder / "completions", completions(the_program(), "bash"));
  fs::create_directories(folder / "here" / "frames");
  write_file(folder / "here" / "a film.mp4", "");
  write_file(folder / "here" / "b:c.mp4", "");
  std::string words = "moviechat";
  int count = 0;
  const std::regex word("[" + breaks + "]+|(\"[^\"]*|\\\\.|[^ " + breaks + "\"\\\\])+");
  for (auto at = std::sregex_iterator(line.begin(), line.end(), word); at != std::sregex_iterator();
       ++at, ++count) {
    words += " " + shell_word(at->str());
  }
  if (line.empty() || line.back() == ' ') {
    words += " ''";
    ++count;
  }
  return run("cd " + shell_word((folder / "here").string()) + " && bash -c " +
             shell_word(". ../completions; COMP_WORDBREAKS=' " + breaks +
                        "'; COMP_LINE=" + shell_word("moviechat " + line) +
                        "; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(" + words + "); COMP_CWORD=" +
                        std::to_string(count) + "; _moviechat; printf '%s\\n' \"${COMPREPLY[@]}\""))
      .out;
}

TEST(Completions, OfBashKnowCommandsFlagsAndValues) {
  EXPECT_EQ(offered(""), "ask\ninspect\neval\nmerge\nscore\nbench\ncompletions\nman\n");
  EXPECT_EQ(offered("--vid"), "--video\n");
  EXPECT_EQ(offered("inspect --fr"), "--frames\n");
  EXPECT_EQ(offered("ask --fr"), "\n");
  EXPECT_EQ(offered("--format j"), "json\njsonl\n");
  EXPECT_EQ(offered("--set memory.k"), "memory.keep=\n");
  EXPECT_EQ(offered("completions z"), "zsh\n");
  EXPECT_EQ(offered("man z"), "\n");
  EXPECT_THAT(offered("--video /et"), HasSubstr("/etc"));
}

TEST(Completions, OfBashKeepNamesWithBlanksWhole) {
  EXPECT_EQ(offered("--video a"), "a film.mp4\n");
  EXPECT_EQ(offered("--video a\\ f"), "a film.mp4\n");
  EXPECT_EQ(offered("--video \"a f"), "a film.mp4\n");
  EXPECT_EQ(offered("inspect a"), "a film.mp4\n");
  EXPECT_EQ(offered("inspect a.mp4 --frames "), "frames\n");
}

TEST(Completions, OfBashGoOnAfterEqualSignsAndColons) {
  EXPECT_EQ(offered("--video=a"), "a film.mp4\n");
  EXPECT_EQ(offered("--video=\"a f"), "a film.mp4\n");
  EXPECT_EQ(offered("--video=a", ":"), "--video=a film.mp4\n");
  EXPECT_EQ(offered("--video b:"), "c.mp4\n");
  EXPECT_EQ(offered("--video=b:c"), "c.mp4\n");
  EXPECT_EQ(offered("--video b\\:c"), "b:c.mp4\n");
  EXPECT_EQ(offered("--format="), "text\njson\njsonl\nsrt\n");
  EXPECT_EQ(offered("--set memory.sim"), "memory.similarity=cosine\nmemory.similarity=dot\n");
  EXPECT_EQ(offered("--set memory.similarity=d"), "dot\n");
  EXPECT_EQ(offered("--set=memory.similarity=d"), "dot\n");
  EXPECT_EQ(offered("--plan uniform:8 --set memory.keep=3 --format s"), "srt\n");
  EXPECT_EQ(offered("--plan uniform:"), "\n");
}

TEST(Completions, OfAFormatAreThoseOfTheCommand) {
  EXPECT_EQ(offered("ask --format m"), "\n");
  EXPECT_EQ(offered("eval --format m"), "moviechat\n");
  EXPECT_EQ(offered("inspect --format j"), "json\n");
  for (const CLI::App* command : commands_of(the_program())) {
    const CLI::Option* format = command->get_option_no_throw("--format");
    EXPECT_TRUE(format == nullptr || !words_of(*format).empty()) << command->get_name();
  }
}

TEST(Man, NamesEveryFlagAndSetting) {
  std::string text = man();
  for (size_t at; (at = text.find("\\-")) != std::string::npos;) text.erase(at, 1);
  for (const std::string& flag : all_flags()) EXPECT_THAT(text, HasSubstr("\\fB" + flag));
  for (const FieldText& field : list_fields(Settings{})) EXPECT_THAT(text, HasSubstr(field.key));
}

TEST(Man, ItsSynopsisNamesEveryCommand) {
  const std::string text = man();
  const std::string synopsis = text.substr(0, text.find(".SH DESCRIPTION"));
  EXPECT_THAT(synopsis, HasSubstr("question"));
  for (const CLI::App* command : commands_of(the_program())) {
    if (command == &ask()) continue;
    EXPECT_THAT(synopsis, HasSubstr("moviechat " + command->get_name() + "\\fR"));
    const CLI::Option* operand = operand_of(*command);
    EXPECT_THAT(synopsis, HasSubstr(operand == nullptr ? "" : argument_of(*operand)));
  }
}

TEST(Man, TellsTheExitCodesAsHelpAndTheDocumentsDo) {
  const std::string man_text = man();
  const std::string help = help_text(the_program(), ask(), false);
  const std::string usage =
      read_file(moviechat::testing::source_dir() / "docs" / "usage.md", "document");
  for (const std::string code : {"0", "1", "2", "3", "130, 143"}) {
    EXPECT_THAT(man_text.substr(man_text.find(".SH EXIT STATUS")),
                HasSubstr(".TP\n" + code + "\n"));
  }
  EXPECT_THAT(help, HasSubstr("3 some films or"));
  EXPECT_THAT(usage, HasSubstr("3 some films or"));
}

TEST(Man, IsRenderedWithoutWarnings) {
  if (!installed("groff")) GTEST_SKIP() << "groff is not installed";
  const TemporaryFolder folder;
  write_file(folder / "moviechat.1", man());
  const auto result =
      run("groff -man -ww -Tutf8 -Kutf8 -P-cbou " + shell_word((folder / "moviechat.1").string()));
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_THAT(result.out, HasSubstr("--question"));
  EXPECT_THAT(result.out, HasSubstr("EXIT STATUS"));
}

}  // namespace
}  // namespace moviechat::cli
