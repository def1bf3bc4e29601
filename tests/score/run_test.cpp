#include "score/run.h"

#include <gmock/gmock.h>

#include "moviechat/error.h"
#include "score/runs.h"
#include "support_for_tests/paths.h"

namespace moviechat::score {
namespace {

using moviechat::testing::TemporaryFolder;
using testing::answer;
using testing::film;
using ::testing::HasSubstr;

std::string refusal(const std::string& contents) {
  const TemporaryFolder folder;
  write_file(folder / "predictions.jsonl", contents);
  try {
    read_run(folder.path());
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Run, IsReadFromItsFolderOrFile) {
  const TemporaryFolder folder;
  auto lost = film(1, "2.mp4", 0, {answer("Q", "A", std::nullopt)});
  lost.error = "no such file";
  lost.video_info.reset();
  auto refused = answer("S", "A", std::nullopt);
  refused.error = "too long";
  testing::write_run(
      folder / "predictions.jsonl",
      {film(0, "1.mp4", 30, {answer("Q", "A", "a"), answer("R", {}, "b"), refused}), lost});
  for (const auto& path : {folder.path(), folder / "predictions.jsonl"}) {
    const auto run = read_run(path);
    const Rows rows = rows_of(run);
    ASSERT_EQ(run.videos.size(), 2U);
    EXPECT_EQ(rows.questions, 4);
    EXPECT_EQ(rows.failed_videos, 1);
    EXPECT_EQ(rows.failed, 1);
    EXPECT_EQ(rows.refused, 1);
    EXPECT_EQ(rows.unreferenced, 1);
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(rows.rows[0].result->answer, "a");
  }
}

TEST(Run, ThatIsBrokenIsNamedByItsLine) {
  const std::string line = eval::to_line(film(0, "1.mp4", 30, {answer("Q", "A", "a")}));
  EXPECT_THAT(refusal(line + "\n" + line.substr(0, 40)), HasSubstr("line 2 is torn"));
  EXPECT_THAT(refusal(line), HasSubstr("line 1 is torn"));
  EXPECT_THAT(refusal(line + "\n" + line + "\n"), HasSubstr("line 2: video '1.mp4' is there"));
  EXPECT_THAT(refusal(line + "\n{}\n"), HasSubstr("line 2 is no prediction"));
  EXPECT_THAT(refusal("{\"schema_version\": 2}\n"), HasSubstr("schema_version is 2, expected 1"));
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("hello\n"), HasSubstr("line 1 is not valid JSON"));
  EXPECT_THAT(refusal("[1, 2]"), HasSubstr("is no prediction"));
}

TEST(Run, ThatIsMissingIsNamed) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_run(folder.path()), InputError);
  EXPECT_THROW(read_run(folder / "nothing.jsonl"), InputError);
}

TEST(ReleasedRun, IsReadInAllItsShapes) {
  const TemporaryFolder folder;
  // As run_inference_qa_moviechat.py writes: a line a video.
  write_file(
      folder / "lines.json",
      "{\"1.mp4\": [{\"question\": \"Q\", \"answer\": \"A\", \"pred\": \"a</s>\"}]}\n"
      "{\"2.mp4\": [{\"time\": 250, \"question\": \"R\", \"answer\": 3, \"pred\": \"3\"}]}\n");
  const auto lines = read_run(folder / "lines.json");
  ASSERT_EQ(lines.videos.size(), 2U);
  EXPECT_EQ(lines.videos[0].results[0].answer, "a");
  EXPECT_EQ(lines.videos[1].results[0].reference, "3");
  EXPECT_EQ(lines.videos[1].results[0].mode, eval::Mode::breakpoint);
  EXPECT_EQ(lines.videos[1].results[0].frame, 250);

  // As run_eval_qa_moviechat.py reads: one object; an unknown right answer is "".
  write_file(folder / "object.json",
             "{\n \"1.mp4\": [{\"question\": \"Q\", \"answer\": \"\", \"pred\": \"a\"}],\n"
             " \"2.mp4\": [{\"question\": \"R\", \"answer\": \"B\", \"pred\": \"b\"}]}");
  const auto object = read_run(folder / "object.json");
  EXPECT_EQ(object.videos.size(), 2U);
  EXPECT_EQ(rows_of(object).unreferenced, 1);

  // As run_eval_qa.py reads: a list.
  write_file(folder / "list.json",
             "[{\"id\": \"v1\", \"question\": \"Q\", \"answer\": \"A\", \"pred\": \"a\"},\n"
             "{\"id\": \"v1\", \"question\": \"R\", \"answer\": \"B\", \"pred\": \"b\"}]");
  const auto list = read_run(folder / "list.json");
  ASSERT_EQ(list.videos.size(), 1U);
  EXPECT_EQ(list.videos[0].results.size(), 2U);
}

}  // namespace
}  // namespace moviechat::score
