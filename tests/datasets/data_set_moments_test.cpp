// How data sets write the moments that questions are about.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/annotations.h"

namespace moviechat::eval {
namespace {

using ::testing::AllOf;
using testing::Annotations;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The moments of the questions in a file, in seconds; -1: about the whole film.
std::vector<double> moments(const DataSet& data) {
  std::vector<double> all;
  for (const Item& item : data.films.at(0).items) all.push_back(item.at ? item.at->count() : -1);
  return all;
}

TEST(JsonLines, AMomentIsWrittenAsOnTheCommandLineInEveryKindOfFile) {
  Annotations files({{"a.jsonl",
                      "{\"video\": \"a.mp4\", \"question\": \"What?\", \"at\": \"0:05\"}\n"
                      "{\"video\": \"a.mp4\", \"question\": \"What?\", \"at\": \"1:02:03.5\"}\n"
                      "{\"video\": \"a.mp4\", \"question\": \"What?\", \"at\": \"754.5\"}\n"
                      "{\"video\": \"a.mp4\", \"question\": \"What?\", \"at\": 0}\n"},
                     {"a.json",
                      R"([{"video": "a.mp4", "question": "What?", "at": "00:05"},
                          {"video": "a.mp4", "question": "What?", "at": " 62:03.5 "},
                          {"video": "a.mp4", "question": "What?", "at": 754.5},
                          {"video": "a.mp4", "question": "What?", "at": 0.0}])"},
                     {"a.csv",
                      "video,question,at\na.mp4,What?,0:05\na.mp4,What?,\"1:02:03.5\"\n"
                      "a.mp4,What?,754.5\na.mp4,What?,0e0\n"},
                     {"a.tsv",
                      "video\tquestion\tat\na.mp4\tWhat?\t5\na.mp4\tWhat?\t1:02:03.5\n"
                      "a.mp4\tWhat?\t12:34.5\na.mp4\tWhat?\t0\n"}});
  for (const char* name : {"a.jsonl", "a.json", "a.csv", "a.tsv"}) {
    EXPECT_THAT(moments(files.read(DataSetKind::jsonl, name)), ElementsAre(5, 3723.5, 754.5, 0))
        << name;
  }
}

TEST(JsonLines, ANumberThatIsMissingInATableIsNoMoment) {
  Annotations files(
      {{"a.jsonl",
        "{\"video\": \"a.mp4\", \"question\": \"NaN?\", \"at\": NaN}\n"
        "{\"video\": \"a.mp4\", \"question\": \"\\\"NaN\", \"at\": \"nan\"}\n"
        "{\"video\": \"a.mp4\", \"question\": \"x\", \"at\": null, \"id\": NaN}\n"
        "{\"video\": \"a.mp4\", \"question\": \"x\", \"at_frame\": NaN, \"at\": 3}\n"},
       {"a.json",
        R"([{"video": "a.mp4", "question": "NaN?", "at": NaN, "at_frame": NaN},
                          {"video": "a.mp4", "question": "\"NaN", "at": ""},
                          {"video": "a.mp4", "question": "x"},
                          {"video": "a.mp4", "question": "x", "at": 3}])"},
       {"a.csv",
        "video,question,at,at_frame\na.mp4,NaN?,nan,NaN\na.mp4,\"\"\"NaN\",,\n"
        "a.mp4,x,NaN,\na.mp4,x,3.0,nan\n"}});
  for (const char* name : {"a.jsonl", "a.json", "a.csv"}) {
    SCOPED_TRACE(name);
    const DataSet data = files.read(DataSetKind::jsonl, name);
    EXPECT_THAT(moments(data), ElementsAre(-1, -1, -1, 3));
    EXPECT_FALSE(data.films[0].items[0].breakpoint());
    EXPECT_EQ(data.films[0].items[0].question, "NaN?");
    EXPECT_EQ(data.films[0].items[1].question, "\"NaN");
  }
}

TEST(JsonLines, AMomentThatIsNoneIsNamedByFileRowFieldAndValue) {
  for (const char* at : {"1:75", "0:05:00:00", "soon", "-3", "inf", "12:", "1,5"}) {
    Annotations files({{"a.jsonl", "{\"video\": \"a.mp4\", \"question\": \"What?\", \"at\": \"" +
                                       std::string(at) + "\"}\n"},
                       {"a.csv", "video,question,at\na.mp4,What?,\"" + std::string(at) + "\"\n"}});
    EXPECT_THAT(files.refusal(DataSetKind::jsonl, "a.jsonl"),
                AllOf(HasSubstr("a.jsonl' line 1: at must be a time"), HasSubstr(at)));
    EXPECT_THAT(files.refusal(DataSetKind::jsonl, "a.csv"),
                AllOf(HasSubstr("a.csv' line 2: at must be a time"), HasSubstr(at)));
  }
}

TEST(MovieChat1K, ABreakpointWhoseTimeIsMissingInATableIsRefused) {
  for (const char* time : {"NaN", "\"nan\"", "null", "\"\""}) {
    Annotations files(
        {{"1.json", R"({"info": {"video_path": "1.mp4", "num_frame": NaN}, "global": [],
      "breakpoint": [{"time": )" +
                        std::string(time) + R"(, "question": "A?"}]})"}});
    EXPECT_THAT(files.refusal(DataSetKind::moviechat_1k),
                HasSubstr("breakpoint 1: time is missing; expected"))
        << time;
  }
}

}  // namespace
}  // namespace moviechat::eval
