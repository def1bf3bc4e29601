#include <gmock/gmock.h>

#include <map>
#include <sstream>
#include "base/json.h"

#include "base/files.h"
#include "program.h"
#include "support_for_tests/safetensors.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::TemporaryFolder;
using moviechat::testing::tiny_bundle;
using nlohmann::json;
using testing::film;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::moviechat;
using testing::shell_word;
namespace fs = std::filesystem;

json inspected(const std::string& arguments) {
  const auto result = moviechat("inspect --json --log-level warn " + arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  return json::parse(result.out);
}

TEST(Inspect, TheReleasedPlanReadsTheRecordedFrames) {
  const json recorded = moviechat::testing::golden_json("golden.json")
                            .at("cases")
                            .at("end_to_end")
                            .at("released_plan");
  const json report = inspected(film() + " --profile released");
  std::vector<std::vector<int64_t>> clips(128);
  for (const json& frame : report.at("frames")) {
    clips.at(frame.at("clip").get<size_t>()).push_back(frame.at("index").get<int64_t>());
  }
  EXPECT_EQ(json(clips), recorded.at("indices"));
  EXPECT_EQ(report.at("plan").at("kind"), "released");
  EXPECT_EQ(report.at("plan").at("clips"), 128);
  EXPECT_EQ(report.at("video").at("frames"), 300);
  EXPECT_EQ(report.at("video").at("duration"), 10);
}

TEST(Inspect, TextListsEveryFrameOfThePlan) {
  const auto result = moviechat("inspect " + film() + " --plan uniform:4");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("uniform"));
  EXPECT_THAT(result.out, HasSubstr("     225           225  0:00:07.500\n"));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 5 + 2 + 4);
}

TEST(Inspect, WritesTheFramesThatThePlanReads) {
  const TemporaryFolder folder;
  const fs::path frames = folder / "frames";
  // 14 samples of a 12-frame film: the last frame stands for those after the end.
  const json report = inspected(shell_word(moviechat::testing::golden("resize.avi").string()) +
                                " --plan released --set plan.clips=3 --frames " +
                                shell_word(frames.string() + "/"));
  const json list = json::parse(read_file(frames / "frames.json", "list"));
  ASSERT_EQ(list.size(), report.at("frames").size());
  for (size_t i = 0; i < list.size(); ++i) {
    for (const char* key : {"file", "index", "pts", "seconds"}) {
      EXPECT_EQ(list[i].at(key), report.at("frames")[i].at(key)) << key;
    }
    EXPECT_TRUE(fs::is_regular_file(frames / list[i].at("file").get<std::string>()));
  }
  // The bytes are those that a run of ffmpeg with the same scaling gives.
  const auto ours =
      moviechat::testing::run("ffmpeg -v error -i " + shell_word((frames / "000000.png").string()) +
                              " -f rawvideo -pix_fmt rgb24 - | sha256sum");
  const auto theirs = moviechat::testing::run(
      "ffmpeg -v error -i " + shell_word(moviechat::testing::golden("resize.avi").string()) +
      " -vf scale=56:56:flags=bilinear,format=rgb24 -frames:v 1 -f rawvideo - | sha256sum");
  EXPECT_EQ(ours.out, theirs.out);
}

/// A film that `ffmpeg OPTIONS` draws.
fs::path drawn(const fs::path& file, const std::string& options) {
  const auto result =
      moviechat::testing::run("ffmpeg -v error " + options + " " + shell_word(file.string()));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return file;
}

TEST(Inspect, CountsFramesWhereTheirRateChanges) {
  const TemporaryFolder folder;
  // Ten frames in the first second, two in each of the three after it.
  const fs::path path = drawn(folder / "film.mkv",
                              "-f lavfi -i testsrc=size=64x48:rate=10:duration=4 "
                              "-vf \"select='lt(n,10)+not(mod(n,5))'\" -fps_mode vfr -c:v libx264");
  const json report = inspected(shell_word(path.string()) + " --plan fps:2");
  const auto listed = moviechat::testing::run(
      "ffprobe -v error -select_streams v -show_entries frame=pts -of csv=p=0 " +
      shell_word(path.string()));
  std::istringstream lines(listed.out);
  std::map<int64_t, int64_t> index_of;
  for (int64_t pts = 0; lines >> pts; lines.ignore(80, '\n')) {
    index_of.emplace(pts, static_cast<int64_t>(index_of.size()));
  }
  ASSERT_EQ(index_of.size(), 16u);
  ASSERT_EQ(report.at("frames").size(), 8u);
  for (const json& frame : report.at("frames")) {
    EXPECT_EQ(frame.at("index"), index_of.at(frame.at("pts").get<int64_t>())) << frame;
  }
}

TEST(Inspect, LeavesOutWhatATruncatedFilmDoesNotHave) {
  const TemporaryFolder folder;
  const fs::path path = drawn(folder / "film.mkv",
                              "-f lavfi -i testsrc=size=64x48:rate=10:duration=60 -g 10 "
                              "-c:v libx264 -reserve_index_space 20000");
  fs::resize_file(path, fs::file_size(path) / 2);
  const auto result = moviechat("inspect --json --plan fps:1 " + shell_word(path.string()));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("is damaged: it ends at "));
  const json report = json::parse(result.out);
  EXPECT_NEAR(report.at("video").at("promised").get<double>(), 60, 0.1);
  const auto duration = report.at("video").at("duration").get<double>();
  const json& frames = report.at("frames");
  EXPECT_GT(frames.size(), 20u);
  EXPECT_LT(frames.size(), 40u);
  EXPECT_EQ(frames.size(), std::ceil(duration));
  // The last one may stand for the tolerated second or two after it.
  EXPECT_NE(frames.back().at("pts"), frames[frames.size() - 5].at("pts"));
}

TEST(Inspect, LeavesAFolderThatIsInUseAlone) {
  const TemporaryFolder folder;
  write_file(folder / "mine", "x");
  const auto result = moviechat("inspect " + film() + " --plan uniform:2 --frames " +
                                shell_word(folder.path().string()));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("not an empty folder"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(Inspect, WritesFramesIntoAnEmptyFolderThatALinkNames) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "frames");
  fs::create_directory_symlink("frames", folder / "link");
  fs::create_directory_symlink("none", folder / "dangling");
  const std::string inspect = "inspect " + film() + " --plan uniform:2 --frames ";
  const auto result = moviechat(inspect + shell_word((folder / "link").string()));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(fs::is_regular_file(folder / "frames" / "000000.png"));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));

  fs::create_directory(folder / "here");
  const auto here = moviechat::testing::run("cd " + shell_word((folder / "here").string()) +
                                            " && " + testing::program() + " " + inspect + ".");
  EXPECT_EQ(here.exit_code, 0) << here.err;
  EXPECT_TRUE(fs::is_regular_file(folder / "here" / "frames.json"));

  const auto refused = moviechat(inspect + shell_word((folder / "dangling").string()));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("is a link to nothing"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 4);
}

TEST(Inspect, ABundleShowsItsPartsHashesAndSelfTest) {
  const json report = inspected(shell_word(tiny_bundle().string()));
  EXPECT_EQ(report.at("bundle").at("name"), "tiny");
  EXPECT_EQ(report.at("bundle").at("sha256"), sha256_of_file(tiny_bundle() / "model.yaml"));
  EXPECT_EQ(report.at("parts").size(), 4U);
  for (const json& part : report.at("parts")) {
    const fs::path file = tiny_bundle() / part.at("file").get<std::string>();
    EXPECT_EQ(part.at("sha256"), sha256_of_file(file));
    EXPECT_EQ(part.at("bytes"), fs::file_size(file));
    EXPECT_EQ(part.at("hash"), "verified");
  }
  EXPECT_EQ(report.at("self_test").at("passed"), true);
  EXPECT_EQ(report.at("self_test").at("differences").size(), 3U);
  EXPECT_EQ(report.at("sizes").at("vit_width"), 48);
  EXPECT_EQ(report.at("sources").size(), 8U);

  const json& memory = report.at("memory");
  int64_t weights = 0;
  for (const json& bytes : memory.at("weights")) weights += bytes.get<int64_t>();
  int64_t activations = 0;
  for (const json& bytes : memory.at("activations")) {
    activations = std::max(activations, bytes.get<int64_t>());
  }
  int64_t parameters = 0;
  for (const json& part : report.at("parts")) parameters += part.value("parameters", int64_t{0});
  EXPECT_GE(weights, 4 * parameters);
  EXPECT_EQ(memory.at("kv_cache"), 2 * 2 * 4 * 16 * 2000 * 4);  // layers, heads, their size, tokens
  EXPECT_EQ(memory.at("total"), weights + memory.at("kv_cache").get<int64_t>() + activations);

  const auto text = moviechat("inspect " + shell_word(tiny_bundle().string()));
  EXPECT_THAT(text.out, HasSubstr("bundle    tiny (moviechat, fp32)"));
  EXPECT_THAT(text.out, HasSubstr("self-test passed on cpu in fp32"));
  EXPECT_THAT(text.out, HasSubstr("memory on cpu in fp32"));
  EXPECT_THAT(text.out, HasSubstr("KV cache of 2000 tokens"));
  EXPECT_THAT(text.out, HasSubstr("made from eva_vit_g.pth 57f2151b302d"));
  EXPECT_THAT(text.out, HasSubstr("made from vicuna/config.json "));
}

TEST(Inspect, PrintsTextOrJsonOnly) {
  const auto result = moviechat("inspect " + film() + " --format srt");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("inspect prints text or json"));
}

}  // namespace
}  // namespace moviechat::cli
