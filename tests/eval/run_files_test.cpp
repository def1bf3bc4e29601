// The files of a run: logs that survive crashes, locks, videos by name, shards, manifests, costs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/files.h"
#include "datasets/video_folder.h"
#include "eval/cost.h"
#include "eval/folder_lock.h"
#include "eval/manifest.h"
#include "eval/merge.h"
#include "eval/moviechat_format.h"
#include "eval/run_folder.h"
#include "eval/shard.h"
#include "moviechat/error.h"
#include "support_for_tests/paths.h"

namespace moviechat::eval {
namespace {

using moviechat::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(FolderLock, AFolderIsHeldByOne) {
  const TemporaryFolder folder;
  {
    const Descriptor lock = lock_folder(folder / "run");
    EXPECT_THAT(refusal([&] { lock_folder(folder / "run"); }),
                HasSubstr("is in use by another run"));
  }
  EXPECT_EQ(refusal([&] { lock_folder(folder / "run"); }), "no error");
}

Film film_called(std::vector<std::string> names) { return {names[0], names[0], names, {}, {}, {}}; }

TEST(VideoFolder, FindsNamesInAnyCaseWithAnyExtensionAnywhereBelow) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "deep");
  for (const char* name : {"1.MP4", "2.mkv", "2.json", "deep/Clip.10.avi", "video7.mp4",
                           "deep/v_ab-C.webm", "5.3gp", "3.mp4", "deep/3.mp4", "4.mp4", "4.mkv"}) {
    std::ofstream(folder / name) << "x";
  }
  const VideoFolder videos(folder.path());
  const auto found = [&](std::vector<std::string> names) {
    return videos.find(film_called(std::move(names))).string();
  };
  EXPECT_EQ(found({"1.mp4"}), "1.MP4");
  EXPECT_EQ(found({"2.mp4"}), "2.mkv");
  EXPECT_EQ(found({"clip.10.mp4"}), "deep/Clip.10.avi");
  EXPECT_EQ(found({"CLIP.10"}), "deep/Clip.10.avi");
  EXPECT_EQ(found({"video7", "7"}), "video7.mp4");
  EXPECT_EQ(found({"ab-C", "v_ab-C"}), "deep/v_ab-C.webm");
  EXPECT_EQ(found({"deep/3.mp4"}), "deep/3.mp4");
  EXPECT_EQ(found({"3.mp4"}), "3.mp4");
  EXPECT_EQ(found({"4.mkv"}), "4.mkv");
  EXPECT_EQ(found({"5.avi"}), "5.3gp");
  EXPECT_THAT(refusal([&] { found({"4.avi"}); }), HasSubstr("may be '4.mkv' or '4.mp4'"));
  EXPECT_THAT(refusal([&] { found({"6.mp4"}); }), HasSubstr("no film called '6.mp4'"));
  EXPECT_THAT(refusal([&] { found({"../9.mp4"}); }), HasSubstr("no film called"));
}

TEST(VideoFolder, OfSeveralFilesTheOneInTheNamedFolderIsTaken) {
  const TemporaryFolder folder;
  for (const char* name : {"1_plot/film.mp4", "2_topic/film.mp4", "top.mp4", "2_topic/top.mp4",
                           "V/Same.mp4", "V/same.mp4"}) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << "x";
  }
  const VideoFolder videos(folder.path());
  const auto found = [&](const std::string& name) {
    return videos.find(film_called({name})).string();
  };
  EXPECT_EQ(found("1_plot/film"), "1_plot/film.mp4");
  EXPECT_EQ(found("Videos/2_TOPIC/Film.avi"), "2_topic/film.mp4");
  EXPECT_EQ(found("top"), "top.mp4");
  EXPECT_EQ(found("V/same"), "V/same.mp4");
  EXPECT_THAT(refusal([&] { found("3/film"); }), HasSubstr("may be '1_plot/film.mp4' or '2_"));
}

TEST(VideoFolder, LinksInCirclesAreWalkedOnce) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "zone/deep");
  std::ofstream(folder / "zone/deep/1.mp4") << "x";
  for (const char* link : {"a", "b", "zone/c", "zone/deep/d"}) {
    fs::create_directory_symlink(folder.path(), folder / link);
  }
  fs::create_directory_symlink(folder / "zone/deep", folder / "e");
  fs::create_directory_symlink("self", folder / "self");
  fs::create_directory_symlink("nowhere", folder / "gone");
  const TemporaryFolder other;
  std::ofstream(other / "2.mp4") << "x";
  fs::create_directory_symlink(other.path(), folder / "linked");
  const VideoFolder videos(folder.path());
  EXPECT_EQ(videos.find(film_called({"1.mp4"})), "zone/deep/1.mp4");
  EXPECT_EQ(videos.find(film_called({"2.mp4"})), "linked/2.mp4");
}

TEST(VideoFolder, WhatDownloadersLeaveBesideAFilmIsNotTakenForIt) {
  const TemporaryFolder folder;
  for (const char* extension : {"mp4", "webp", "gif", "description", "info", "nfo", "h5", "ytdl"}) {
    std::ofstream(folder / ("v_1." + std::string(extension))) << "x";
  }
  EXPECT_EQ(VideoFolder(folder.path()).find(film_called({"v_1"})), "v_1.mp4");
}

TEST(VideoFolder, CaseAndCompositionOfLettersAreUnicodes) {
  const TemporaryFolder folder;
  std::ofstream(folder / "Éclair 日本.MP4") << "x";
  std::ofstream(folder / "Ame\xCC\x81lie.mp4") << "x";  // as macOS writes it
  const VideoFolder videos(folder.path());
  EXPECT_EQ(videos.find(film_called({"éclair 日本"})), "Éclair 日本.MP4");
  EXPECT_EQ(videos.find(film_called({"am\xC3\xA9lie.mkv"})), "Ame\xCC\x81lie.mp4");
}

TEST(Shards, DealOutEveryVideoOnce) {
  EXPECT_THAT((Shard{2, 3}.indices(8)), ElementsAre(1, 4, 7));
  std::vector<int> times(20, 0);
  for (int64_t number = 1; number <= 7; ++number) {
    for (const int64_t index : Shard{number, 7}.indices(20)) ++times[static_cast<size_t>(index)];
  }
  EXPECT_EQ(times, std::vector<int>(20, 1));
  EXPECT_EQ(parse_shard("2/7"), (Shard{2, 7}));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_THAT((Shard{2, kMost}.indices(8)), ElementsAre(1));
  for (const char* wrong : {"0/7", "8/7", "2", "2/", "a/b", "-1/2", ""}) {
    EXPECT_THROW(parse_shard(wrong), InputError) << wrong;
  }
}

TEST(Merge, OfWhatIsNoRunNamesItsManifest) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "run");
  write_file(folder / "run/predictions.jsonl", "");
  for (const char* manifest :
       {"{}", "[]", "", "{\"data_set\": 5}", "{\"data_set\": {\"videos\": \"two\"}}",
        "{\"data_set\": {\"videos\": -1, \"kind\": \"jsonl\"}}",
        "{\"data_set\": {\"videos\": 9000000000000000000, \"kind\": \"jsonl\"}}",
        "{\"data_set\": {\"videos\": 0, \"kind\": 1}}",
        "{\"data_set\": {\"videos\": 0, \"kind\": \"jsonl\"}}",
        "{\"data_set\": {\"videos\": 0, \"kind\": \"jsonl\"}, \"shard\": []}"}) {
    write_file(folder / "run/manifest.json", manifest);
    const std::string said =
        refusal([&] { merge({folder / "run"}, folder / "out", /*moviechat_format=*/true); });
    EXPECT_THAT(said, HasSubstr("manifest.json'")) << manifest;
    EXPECT_THAT(said, ::testing::Not(HasSubstr("json.exception"))) << manifest;
  }
}

TEST(RunFolder, LeavesFilesOfOthersAsTheyAre) {
  const auto manifest = nlohmann::ordered_json::object();
  for (const char* name : {"predictions.jsonl", "timings.jsonl", "status.json", "cost.json",
                           "moviechat_global.json"}) {
    const TemporaryFolder folder;
    write_file(folder / name, "lap 1: 58.3\nlap 2");
    EXPECT_THAT(refusal([&] { RunFolder(folder.path(), manifest, /*resume=*/false); }),
                HasSubstr(name));
    EXPECT_EQ(read_file(folder / name, "file"), "lap 1: 58.3\nlap 2");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1) << "nothing is added";
  }
  for (const char* content : {"lap 1: 58.3\n", "lap 1", "{\"lap\": 1}\n"}) {
    for (const char* name : {"timings.jsonl", "predictions.jsonl"}) {
      const TemporaryFolder folder;
      write_file(folder / "manifest.json", "{}");
      write_file(folder / name, content);
      EXPECT_THAT(refusal([&] { RunFolder(folder.path(), manifest, /*resume=*/true); }),
                  HasSubstr(name));
      EXPECT_EQ(read_file(folder / name, "file"), content);
    }
  }
}

TEST(Manifest, TheFirstDifferenceIsNamed) {
  RunDescription run{.version = "1",
                     .bundle_name = "b",
                     .bundle_sha256 = "c",
                     .profile = "paper",
                     .settings = {{"memory.keep", "2", "", ""}, {"runtime.threads", "1", "", ""}},
                     .device = "cpu",
                     .dtype = "fp32",
                     .data_sha256 = "d",
                     .input = "videos",
                     .shard = {1, 2}};
  const auto first = manifest_of(run);
  const auto said = [&](const RunDescription& other) {
    return refusal([&] { check_same_run(first, "out", manifest_of(other), "this run", "stop"); });
  };
  EXPECT_EQ(said(run), "no error");
  RunDescription other = run;
  other.settings[1].value = "8";
  EXPECT_EQ(said(other), "no error");  // threads change no answer
  other.settings[0].value = "3";
  EXPECT_EQ(said(other), "'out' was made with settings.memory.keep '2', this run has '3'; stop");
  other = run;
  other.bundle_sha256 = "e";
  EXPECT_THAT(said(other), HasSubstr("bundle.sha256 'c', this run has 'e'"));
  other = run;
  other.shard = {2, 2};
  EXPECT_THAT(said(other), HasSubstr("shard '1/2', this run has '2/2'"));
  other = run;
  other.settings.pop_back();
  other.settings.push_back({"plan.rate", "1", "", ""});
  EXPECT_THAT(said(other), HasSubstr("settings.plan.rate null, this run has '1'"));
}

TEST(Manifest, InWordsNamesWhatAnsweredAndWhatWasAsked) {
  const auto [model, data_set] =
      to_text(manifest_of({.version = "1.2",
                           .bundle_name = "mini",
                           .bundle_sha256 = "0123456789abcdef",
                           .profile = "uniform",
                           .settings = {{"plan.kind", "uniform", "", ""}},
                           .device = "cpu",
                           .dtype = "fp32",
                           .kind = DataSetKind::moviechat_1k,
                           .data_sha256 = "fedcba9876543210",
                           .input = "videos",
                           .mode = Mode::global,
                           .videos = 3,
                           .questions = 9,
                           .shard = {}}));
  EXPECT_EQ(model,
            "mini 0123456789ab, profile uniform, plan uniform, in fp32 on cpu, moviechat 1.2");
  EXPECT_EQ(data_set, "moviechat-1k fedcba987654, 9 questions about 3 videos, global alone");
  EXPECT_THAT(to_text(nlohmann::ordered_json::object()).first, HasSubstr("? ?, profile ?"));
}

TEST(Cost, MeansAreOverVideosAndTheLastLineOfAVideoCounts) {
  const auto line = [](int64_t index, double watch, double answer, int64_t peak) {
    return to_line({.index = index,
                    .video = "x",
                    .questions = 1,
                    .watch_seconds = watch,
                    .answer_seconds = answer,
                    .stages = {{"decode", watch, peak / 4, {}},
                               {"prompt", answer / 2, {}, {}},
                               {"answer", answer, peak, peak / 2}},
                    .peak_host_bytes = peak,
                    .peak_device_bytes = peak / 2});
  };
  const CostReport report =
      cost_report({line(0, 100, 100, 10), line(0, 1, 2, 20), line(5, 3, 4, 8), "{\"torn",
                   R"({"index": "x"})", R"({"index": 0, "stages": {"a": "b"}})", "[]"});
  EXPECT_EQ(report.videos, 2);
  EXPECT_DOUBLE_EQ(report.mean_seconds, 5);
  ASSERT_EQ(report.stages.size(), 3U);
  EXPECT_DOUBLE_EQ(report.stages[0].seconds, 2);
  EXPECT_EQ(report.stages[0].peak_host_bytes, 5);
  EXPECT_EQ(report.stages[0].peak_device_bytes, std::nullopt);
  EXPECT_EQ(report.stages[1].peak_host_bytes, std::nullopt);
  EXPECT_EQ(report.stages[2].peak_host_bytes, 20);
  EXPECT_EQ(report.stages[2].peak_device_bytes, 10);
  EXPECT_EQ(report.peak_host_bytes, 20);
  EXPECT_EQ(report.peak_device_bytes, 10);
}

TEST(MovieChatFormat, IsWhatTheAuthorsScriptsTake) {
  Prediction row;
  row.video = "1.mp4";
  for (const Mode mode : {Mode::global, Mode::breakpoint, Mode::global}) {
    Result& result = row.results.emplace_back();
    result.id = "7";
    result.mode = mode;
    result.question = "Who?";
    result.answer = "A boy";
  }
  row.results[0].reference = "A girl";
  row.results[1].frame = 9;
  row.results[2].answer.reset();  // of a video that failed
  const TemporaryFolder folder;
  write_moviechat_format(folder.path(), DataSetKind::moviechat_1k, {row});
  write_moviechat_format(folder.path(), DataSetKind::msvd_qa, {row});
  // As run_eval_qa_moviechat.py and run_eval_qa.py read their files.
  std::ofstream(folder / "read.py") << R"(
import json, sys
for name in ("moviechat_global.json", "moviechat_breakpoint.json"):
    contents = json.load(open(name))
    for sample in contents:
        id = sample.split(".")[0]
        for qa in contents[sample]:
            print(id, qa["question"], qa["answer"] + "|", qa["pred"].replace("</s>", ""))
for sample in json.load(open("moviechat_qa.json")):
    print(sample["id"], sample["question"], sample["answer"] + "|", sample["pred"])
)";
  const auto result =
      moviechat::testing::run("cd '" + folder.path().string() + "' && python3 read.py");
  EXPECT_EQ(result.out,
            "1 Who? A girl| A boy\n1 Who? | A boy\n7 Who? A girl| A boy\n7 Who? | A boy\n")
      << result.err;
}

}  // namespace
}  // namespace moviechat::eval
