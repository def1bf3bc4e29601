#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/annotations.h"

namespace moviechat::eval {
namespace {

using ::testing::AllOf;
using testing::Annotations;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names(const DataSet& data) {
  std::vector<std::string> all;
  for (const Film& film : data.films) all.push_back(film.name);
  return all;
}
std::vector<std::string> ids(const Film& film) {
  std::vector<std::string> all;
  for (const Item& item : film.items) all.push_back(item.id);
  return all;
}

// As published: test annotation 1.json of MovieChat-1K, shortened.
constexpr const char* kFilm10 =
    R"({"info": {"num_frame": 11520, "fps": 24, "url": "", "h": 432, "video_path": "10.mp4",)"
    R"( "w": 1024, "class": "movie"}, "caption": "A film begins. ",)"
    R"( "global": [{"question": "Is it day?", "answer": "Yes"},)"
    R"( {"question": "Who runs?", "answer": "A boy."}],)"
    R"( "breakpoint": [{"time": 3600, "question": "What does he hold?", "answer": "A cup."}]})";
constexpr const char* kFilm2 =
    R"({"info": {"video_path": "2.MKV"}, "global": [{"question": "Where?", "answer": ""}],)"
    R"( "breakpoint": []})";

TEST(MovieChat1K, EveryFileIsAFilmInNumericOrderAndTimesAreFrames) {
  Annotations files({{"10.json", kFilm10}, {"2.json", std::string("\xEF\xBB\xBF") + kFilm2}});
  const DataSet data = files.read(DataSetKind::moviechat_1k);
  EXPECT_THAT(names(data), ElementsAre("2.MKV", "10.mp4"));
  const Film& film = data.films[1];
  EXPECT_EQ(film.id, "10");
  EXPECT_THAT(ids(film), ElementsAre("10/g0", "10/g1", "10/b0"));
  EXPECT_EQ(film.items[0].question, "Is it day?");
  EXPECT_EQ(film.items[0].reference, "Yes");
  EXPECT_EQ(film.items[0].category, "movie");
  EXPECT_FALSE(film.items[0].breakpoint());
  EXPECT_EQ(film.items[2].frame, 3600);
  EXPECT_EQ(data.films[0].items[0].reference, std::nullopt);  // blank is unknown
}

TEST(MovieChat1K, FileAndFieldOfAMistakeAreNamed) {
  Annotations files({{"1.json", R"({"info": {"video_path": "1.mp4"}, "global": [],
    "breakpoint": [{"time": 3, "question": "A?"}, {"time": -4, "question": "B?"}]})"}});
  EXPECT_THAT(files.refusal(DataSetKind::moviechat_1k),
              AllOf(HasSubstr("1.json' breakpoint 2: time"), HasSubstr("got -4")));
  Annotations no_video({{"1.json", R"({"info": {"fps": 24}, "global": []})"}});
  EXPECT_THAT(no_video.refusal(DataSetKind::moviechat_1k), HasSubstr("1.json' info: video_path"));
  Annotations torn({{"1.json", "{\"info\":\n {\"video_path\":"}});
  EXPECT_THAT(torn.refusal(DataSetKind::moviechat_1k),
              HasSubstr("1.json' is not valid JSON at line 2"));
  Annotations empty({{"readme.txt", ""}});
  EXPECT_THAT(empty.refusal(DataSetKind::moviechat_1k), HasSubstr("holds no .json file"));
}

TEST(Loveu24, IsMovieChat1KWithoutAnswersAndCaptions) {
  Annotations files({{"1.json", R"({"info": {"num_frame": 11520, "fps": 24, "video_path": "1.mp4"},
    "global": [{"question": "Who?", "answer": " "}], "breakpoint": [{"time": 5, "question": "What?"}]})"}});
  const DataSet data = files.read(DataSetKind::loveu_24);
  EXPECT_EQ(data.questions(), 2);
  for (const Item& item : data.films[0].items) EXPECT_EQ(item.reference, std::nullopt);
  Annotations broken(
      {{"1.json", R"({"info": {"video_path": "1.mp4"}, "global": [{"answer": ""}]})"}});
  EXPECT_THAT(broken.refusal(DataSetKind::loveu_24), HasSubstr("1.json' global 1: question"));
}

TEST(MovieChat1KTest, RowsInJsonLinesJsonAndCsvSayTheSame) {
  Annotations files(
      {{"test.jsonl",
        "{\"video_name\": \"1.mp4\", \"question\": \"Who?\", \"answer\": \"A boy\"}\r\n"
        "{\"video_name\": \"2.mp4\", \"question\": \"What, now?\", \"answer\": \"A \\\"cup\\\"\", "
        "\"time\": 120}\r\n"
        "{\"video_name\": \"1.mp4\", \"question\": \"Where?\", \"answer\": null}\r\n"},
       {"test.json",
        R"([{"video_name": "1.mp4", "question": "Who?", "answer": "A boy"},
            {"video_name": "2.mp4", "question": "What, now?", "answer": "A \"cup\"", "time": 120},
            {"video_name": "1.mp4", "question": "Where?"}])"},
       {"test.csv",
        "\xEF\xBB\xBFvideo_name,question,answer,time\r\n1.mp4,Who?,A boy,\r\n"
        "2.mp4,\"What, now?\",\"A \"\"cup\"\"\",120.0\r\n\r\n1.mp4,Where?,,\r\n"}});
  for (const char* name : {"test.jsonl", "test.json", "test.csv"}) {
    SCOPED_TRACE(name);
    const DataSet data = files.read(DataSetKind::moviechat_1k_test, name);
    EXPECT_THAT(names(data), ElementsAre("1.mp4", "2.mp4"));
    EXPECT_THAT(ids(data.films[0]), ElementsAre("1/g0", "1/g1"));
    EXPECT_THAT(ids(data.films[1]), ElementsAre("2/b0"));
    EXPECT_EQ(data.films[1].items[0].frame, 120);
    EXPECT_EQ(data.films[1].items[0].reference, "A \"cup\"");
    EXPECT_EQ(data.films[0].items[1].reference, std::nullopt);
    EXPECT_EQ(data.sha256(), files.read(DataSetKind::moviechat_1k_test, "test.json").sha256());
  }
}

TEST(MovieChat1KTest, RowAndFieldOfAMistakeAreNamed) {
  Annotations files(
      {{"a.csv", "video_name,question,answer\n1.mp4,Who?,x\n1.mp4,Who?\n"},
       {"b.csv", "video_name,question,time\n1.mp4,Who?,\n1.mp4,Who?,soon\n"},
       {"c.jsonl", "{\"video_name\": \"1.mp4\", \"question\": \"Who?\"}\n{\"video"},
       {"d.json", R"([{"video_name": "1.mp4", "question": "Who?"}, {"question": "Who?"}])"},
       {"e.csv", "video_name,question\n1.mp4,\"Who?\n"},
       {"f.json", "[{\"video_name\": \"1.mp4\", \"question\": \"caf\xE9?\"}]"},
       {"g.parquet", "PAR1"}});
  const auto refusal = [&](const std::string& name) {
    return files.refusal(DataSetKind::moviechat_1k_test, name);
  };
  EXPECT_THAT(refusal("a.csv"), HasSubstr("a.csv' line 3 has 2 values, expected 3"));
  EXPECT_THAT(refusal("b.csv"), AllOf(HasSubstr("b.csv' line 3: time"), HasSubstr("\"soon\"")));
  EXPECT_THAT(refusal("c.jsonl"), HasSubstr("c.jsonl' line 2 is not valid JSON"));
  EXPECT_THAT(refusal("d.json"), HasSubstr("d.json' row 2: video_name"));
  EXPECT_THAT(refusal("e.csv"), HasSubstr("e.csv' line 2: a quoted value does not end"));
  EXPECT_THAT(refusal("f.json"), HasSubstr("f.json' line 1 is not UTF-8"));
  EXPECT_THAT(refusal("g.parquet"), HasSubstr("scripts/parquet_to_jsonl.py"));
  EXPECT_THAT(refusal("none.json"), HasSubstr("no annotations at"));
}

TEST(MsvdQa, FilesMayBeCalledByNumberOrByYouTubeName) {
  Annotations files(
      {{"test_qa.json", R"([{"answer": "chop", "id": 33150, "question": "what does a woman do?",
    "video_id": 1301}, {"answer": "onion", "id": 33151, "question": "what is chopped?", "video_id": 1301}])"},
       {"youtube_mapping.txt", "-4wsuPCjDBc_5_15 vid1\nPd6tn2bHw5w_0_7 vid1301\n"}});
  const DataSet data = files.read(DataSetKind::msvd_qa);
  ASSERT_EQ(data.films.size(), 1U);
  EXPECT_THAT(data.films[0].file_names, ElementsAre("1301", "vid1301", "Pd6tn2bHw5w_0_7"));
  EXPECT_THAT(ids(data.films[0]), ElementsAre("33150", "33151"));
  EXPECT_EQ(data.films[0].items[1].reference, "onion");
  Annotations broken({{"test_qa.json", R"([{"answer": "x", "id": 1, "video_id": 1301}])"}});
  EXPECT_THAT(broken.refusal(DataSetKind::msvd_qa), HasSubstr("test_qa.json' row 1: question"));
}

TEST(MsrvttQa, FilesAreCalledVideoAndTheirNumber) {
  Annotations files({{"test_qa.json", R"([{"answer": "couch", "category_id": 14, "id": 158581,
    "question": "what are three people sitting on?", "video_id": 7010}])"}});
  const DataSet data = files.read(DataSetKind::msrvtt_qa, "test_qa.json");
  EXPECT_THAT(data.films[0].file_names, ElementsAre("video7010", "7010"));
  EXPECT_EQ(data.films[0].items[0].category, "14");
  Annotations broken({{"test_qa.json", R"([{"answer": "couch", "id": 1, "question": "what?"}])"}});
  EXPECT_THAT(broken.refusal(DataSetKind::msrvtt_qa), HasSubstr("row 1: video_id"));
}

TEST(ActivityNetQa, AnswersAreFoundByIdWhateverTheirOrder) {
  Annotations files(
      {{"test_q.json",
        R"([{"video_name": "1QIUV7WYKXg", "question": "is the athlete wearing trousers",
         "question_id": "v_1QIUV7WYKXg_3"}, {"video_name": "1QIUV7WYKXg", "question": "what is behind",
         "question_id": "v_1QIUV7WYKXg_4"}])"},
       {"test_a.json", R"([{"answer": "wall", "type": 5, "question_id": "v_1QIUV7WYKXg_4"},
         {"answer": "yes", "type": 3, "question_id": "v_1QIUV7WYKXg_3"}])"}});
  for (const char* path : {".", "test_q.json"}) {
    const DataSet data = files.read(DataSetKind::activitynet_qa, path);
    ASSERT_EQ(data.questions(), 2);
    EXPECT_THAT(data.films[0].file_names, ElementsAre("1QIUV7WYKXg", "v_1QIUV7WYKXg"));
    EXPECT_EQ(data.films[0].items[0].reference, "yes");
    EXPECT_EQ(data.films[0].items[1].reference, "wall");
    EXPECT_EQ(data.films[0].items[1].category, "5");
  }
}

TEST(ActivityNetQa, AnswersWithoutIdsBelongByPlaceAndMustBeAsMany) {
  const std::string questions = R"([{"video_name": "a", "question": "x?", "question_id": "1"},
                                    {"video_name": "b", "question": "y?", "question_id": "2"}])";
  Annotations files(
      {{"val_q.json", questions}, {"val_a.json", R"([{"answer": "p"}, {"answer": "q"}])"}});
  EXPECT_EQ(files.read(DataSetKind::activitynet_qa, "val_q.json").films[1].items[0].reference, "q");
  Annotations broken({{"val_q.json", questions}, {"val_a.json", R"([{"answer": "p"}])"}});
  EXPECT_THAT(broken.refusal(DataSetKind::activitynet_qa, "val_q.json"),
              HasSubstr("val_a.json' has 1 answers without ids for 2 questions"));
}

TEST(ActivityNetQa, QuestionsWithoutAnAnswerAndAnswersGivenTwiceAreTold) {
  Annotations files(
      {{"test_q.json", R"([{"video_name": "a", "question": "x?", "question_id": "a_1"},
                           {"video_name": "a", "question": "y?", "question_id": "a_2"}])"},
       {"test_a.json", R"([{"answer": "p", "question_id": "a_1"},
                           {"answer": "q", "question_id": "a_1"}])"}});
  const DataSet data = files.read(DataSetKind::activitynet_qa);
  EXPECT_EQ(data.films[0].items[0].reference, "p");
  EXPECT_FALSE(data.films[0].items[1].reference);
  EXPECT_THAT(files.warnings, ElementsAre(HasSubstr("question_id 'a_1' is answered twice"),
                                          HasSubstr("answers not 1 of 2 questions")));
}

TEST(DataSet, WhatChangesAnswersChangesItsHash) {
  const auto hash_of = [](const std::string& info) {
    Annotations files({{"1.json", R"({"info": {"video_path": "1.mp4")" + info +
                                      R"(}, "global": [{"question": "a"}], "breakpoint": []})"}});
    return files.read(DataSetKind::moviechat_1k).sha256();
  };
  EXPECT_EQ(hash_of(""), hash_of(""));
  EXPECT_NE(hash_of(R"(, "fps": 25)"), hash_of(R"(, "fps": 30)"));
  EXPECT_NE(hash_of(R"(, "fps": 25, "num_frame": 100)"), hash_of(R"(, "fps": 25)"));
}

TEST(FlashVStream, ANumberIsTheLetterOfTheRightOption) {
  Annotations files(
      {{"test_qa.json", R"([{"video_id": "fFjv93ACGo8", "question": "Which?\nA. x\nB. y\nC. z",
      "answer": 2, "duration": "short", "task_type": "Counting Problem", "id": "001-1"},
     {"video_id": "000246", "question": "What is he doing?", "answer": "Cooking.", "id": 7,
      "answer_type": "action"}])"}});
  const DataSet data = files.read(DataSetKind::flash_vstream);
  EXPECT_EQ(data.films[0].items[0].reference, "C");
  EXPECT_EQ(data.films[0].items[0].category, "Counting Problem");
  EXPECT_EQ(data.films[1].items[0].reference, "Cooking.");
  EXPECT_EQ(data.films[1].items[0].id, "7");
  Annotations broken(
      {{"test_qa.json", R"([{"video_id": "a", "question": "b", "answer": -1, "id": 1}])"}});
  EXPECT_THAT(broken.refusal(DataSetKind::flash_vstream), HasSubstr("row 1: answer"));
}

TEST(LmmsEval, SamplesOfARunAreADataSet) {
  Annotations files(
      {{"samples.jsonl",
        R"({"doc_id": 0, "doc": {"video_name": "1.mp4", "question": "Who?", "answer": "A boy", "time": 99}, "target": "A boy", "resps": [["x"]], "filtered_resps": ["x"]})"
        "\n"},
       {"old.json", R"({"args": {}, "logs": [{"doc_id": 0, "doc": {"video_name": "1.mp4",
          "question": "Who?", "time": 99}, "target": "A boy"}]})"}});
  for (const char* name : {"samples.jsonl", "old.json"}) {
    const DataSet data = files.read(DataSetKind::lmms_eval, name);
    ASSERT_EQ(data.questions(), 1);
    EXPECT_EQ(data.films[0].items[0].frame, 99);
    EXPECT_EQ(data.films[0].items[0].reference, "A boy");
  }
  Annotations broken({{"samples.jsonl", "{\"doc_id\": 0, \"target\": \"x\"}\n"}});
  EXPECT_THAT(broken.refusal(DataSetKind::lmms_eval, "samples.jsonl"),
              HasSubstr("line 1: doc is missing, and no metric names the video"));
}

// The shape that lmms_eval/loggers/evaluation_tracker.py writes since it drops `doc`, with the
// metrics of its tasks moviechat and activitynetqa.
TEST(LmmsEval, SamplesWithoutTheirDocumentAreReadFromTheMetrics) {
  Annotations files(
      {{"samples.jsonl",
        R"({"doc_id": 0, "target": "A boy", "filtered_resps": ["x"], "input": "Who? Be short.", "gpt_eval_score": {"video_name": "1.mp4", "question": "Who?", "answer": "A boy", "pred": "x", "score": 0}})"
        "\n"
        R"({"doc_id": 1, "target": ["yes", "no"], "input": "Is it day?\nAnswer.", "gpt_eval_score": {"video_name": "1QIUV7WYKXg", "question_id": "v_1QIUV7WYKXg_3", "type": "3", "score": 5}})"
        "\n"}});
  const DataSet data = files.read(DataSetKind::lmms_eval, "samples.jsonl");
  ASSERT_EQ(data.films.size(), 2U);
  EXPECT_EQ(data.films[0].items[0].question, "Who?");
  EXPECT_EQ(data.films[0].items[0].reference, "A boy");
  EXPECT_EQ(data.films[1].items[0].question, "Is it day?\nAnswer.");
  EXPECT_EQ(data.films[1].items[0].reference, "yes");
  EXPECT_EQ(data.films[1].items[0].id, "v_1QIUV7WYKXg_3");
  EXPECT_THAT(data.films[1].file_names, ElementsAre("1QIUV7WYKXg", "v_1QIUV7WYKXg"));
  EXPECT_THAT(files.warnings, ElementsAre(HasSubstr("breakpoints have lost the frame")));
}

// Video-MME's documents name options with their letters, others without.
TEST(LmmsEval, QuestionsOfChoicesAreAskedWithThem) {
  Annotations files(
      {{"samples.jsonl",
        R"({"doc": {"videoID": "a", "question": "Which?", "options": ["A. Red.", "B. Blue."]}, "target": "B"})"
        "\n"
        R"({"doc": {"video": "b", "question": "Which?", "candidates": ["red", "blue"]}, "target": "A"})"
        "\n"
        R"({"doc": {"video": "c", "question": "Red or blue?", "options": ["Red", "blue"], "A": "x", "B": "y"}})"
        "\n"},
       {"bad.jsonl", R"({"doc": {"video": "a", "question": "Which?", "options": 4}})"}});
  const DataSet data = files.read(DataSetKind::lmms_eval, "samples.jsonl");
  EXPECT_EQ(data.films[0].items[0].question, "Which?\nA. Red.\nB. Blue.");
  EXPECT_EQ(data.films[0].items[0].reference, "B");
  EXPECT_EQ(data.films[1].items[0].question, "Which?\nA. red\nB. blue");
  EXPECT_EQ(data.films[2].items[0].question, "Red or blue?");  // names them itself
  EXPECT_THAT(files.refusal(DataSetKind::lmms_eval, "bad.jsonl"),
              HasSubstr("options must be a list of texts"));
}

TEST(VlmEvalKit, QuestionsOfChoicesAreAskedWithThem) {
  Annotations files({{"letters.tsv",
                      "index\tvideo\tquestion\tanswer\tA\tB\tC\n"
                      "0\ta\tWhich?\tB\tred\tblue\t\n"},
                     {"candidates.tsv",
                      "index\tvideo\tquestion\tanswer\tcandidates\n"
                      "0\ta\tWhich?\tB\t\"[\"\"red\"\", \"\"blue\"\"]\"\n"}});
  for (const char* name : {"letters.tsv", "candidates.tsv"}) {
    const DataSet data = files.read(DataSetKind::vlmevalkit, name);
    EXPECT_EQ(data.films[0].items[0].question, "Which?\nA. red\nB. blue");
    EXPECT_EQ(data.films[0].items[0].reference, "B");
  }
}

TEST(VlmEvalKit, ATableOfTabsHasModesAndBreakpointsNeedAFrame) {
  Annotations files({{"MovieChat1k.tsv",
                      "index\tvideo\tmode\tquestion\tanswer\ttime\n"
                      "0\t1.mp4\tglobal\tWho?\tA boy\t\n"
                      "1\t1.mp4\tbreakpoint\t\"What\tnow?\"\tA cup\t77\n"}});
  const DataSet data = files.read(DataSetKind::vlmevalkit, "MovieChat1k.tsv");
  EXPECT_FALSE(data.films[0].items[0].breakpoint());
  EXPECT_EQ(data.films[0].items[1].frame, 77);
  EXPECT_EQ(data.films[0].items[1].question, "What\tnow?");
  Annotations broken({{"a.tsv", "index\tvideo\tmode\tquestion\n0\t1.mp4\tbreakpoint\tWho?\n"}});
  EXPECT_THAT(broken.refusal(DataSetKind::vlmevalkit, "a.tsv"), HasSubstr("a.tsv' line 2: time"));
}

TEST(JsonLines, AMomentIsATimeOrAFrame) {
  Annotations files(
      {{"q.jsonl",
        "{\"video\": \"a/b.mp4\", \"question\": \"Who?\"}\n"
        "{\"video\": \"a/b.mp4\", \"question\": \"What?\", \"at\": 7.5, \"id\": \"mine\"}\n"
        "{\"video\": \"a/b.mp4\", \"question\": \"What?\", \"at_frame\": 0}\n"},
       {"bad.jsonl", "{\"video\": \"a.mp4\", \"question\": \"What?\", \"at\": \"12:75\"}\n"},
       {"both.jsonl",
        "{\"video\": \"a.mp4\", \"question\": \"What?\", \"at\": 1, \"at_frame\": 2}\n"}});
  const DataSet data = files.read(DataSetKind::jsonl, "q.jsonl");
  EXPECT_THAT(ids(data.films[0]), ElementsAre("b/g0", "mine", "b/b1"));
  EXPECT_EQ(data.films[0].items[1].at, Seconds(7.5));
  EXPECT_EQ(data.films[0].items[2].frame, 0);
  EXPECT_THAT(files.refusal(DataSetKind::jsonl, "bad.jsonl"),
              AllOf(HasSubstr("line 1: at must be a time"), HasSubstr("'12:75'")));
  EXPECT_THAT(files.refusal(DataSetKind::jsonl, "both.jsonl"), HasSubstr("contradict each other"));
}

TEST(DataSets, IdsGivenTwiceAreToldAndMadeDistinct) {
  Annotations files({{"q.jsonl",
                      "{\"video\": \"a.mp4\", \"question\": \"Who?\", \"id\": 7}\n"
                      "{\"video\": \"b.mp4\", \"question\": \"Who?\", \"id\": 7}\n"
                      "{\"video\": \"x/1.mp4\", \"question\": \"Who?\"}\n"
                      "{\"video\": \"y/1.mp4\", \"question\": \"Who?\"}\n"}});
  const DataSet data = files.read(DataSetKind::jsonl, "q.jsonl");
  EXPECT_EQ(data.films[0].items[0].id, "7");
  EXPECT_EQ(data.films[1].items[0].id, "7#2");
  EXPECT_EQ(data.films[2].items[0].id, "1/g0");
  EXPECT_EQ(data.films[3].items[0].id, "1/g0#2");
  EXPECT_THAT(files.warnings, ElementsAre(HasSubstr("line 2: id '7' is given twice")));
}

TEST(DataSets, AModeKeepsItsQuestionsAndTheirIds) {
  Annotations files({{"10.json", kFilm10}, {"2.json", kFilm2}});
  const DataSet all = files.read(DataSetKind::moviechat_1k);
  const DataSet moments = only(all, Mode::breakpoint);
  EXPECT_THAT(names(moments), ElementsAre("10.mp4"));
  EXPECT_THAT(ids(moments.films[0]), ElementsAre("10/b0"));
  EXPECT_EQ(only(all, Mode::global).questions(), 3);
  EXPECT_EQ(only(all, Mode::both).questions(), 4);
}

}  // namespace
}  // namespace moviechat::eval
