#include "judge/judge.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "judge/endpoint.h"
#include "judge/stub_judge.h"
#include "moviechat/error.h"
#include "support_for_tests/paths.h"

namespace moviechat::judge {
namespace {

using moviechat::testing::TemporaryFolder;
using testing::drop;
using testing::fail;
using ::testing::HasSubstr;
using testing::reply;
using testing::StubJudge;

/// Questions that differ in their answers alone: what the stub goes by.
std::vector<JudgeQuestion> questions(const std::vector<std::string>& answers) {
  std::vector<JudgeQuestion> all;
  for (const std::string& answer : answers) all.push_back({"What is it?", "a star", answer});
  return all;
}

JudgeOptions options_for(const StubJudge& judge, const TemporaryFolder& folder) {
  JudgeOptions options;
  options.url = judge.url();
  options.model = "stub";
  options.verdicts = folder / "verdicts.jsonl";
  options.timeout = Seconds(5);
  options.first_wait = Seconds(0.002);
  options.longest_wait = Seconds(0.01);
  return options;
}

std::string refusal(const std::vector<JudgeQuestion>& asked, const JudgeOptions& options) {
  try {
    ask_judge(asked, options, nullptr, nullptr);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

/// Every kind of trouble, each but the last three with a verdict in the end.
void misbehave(const std::string& asked, int n, httplib::Response& response) {
  if (asked.starts_with("right")) return reply(response, "{'pred': 'yes', 'score': 5}");
  if (asked.starts_with("wrong")) return reply(response, "{'pred': 'no', 'score': 1}");
  if (asked == "malformed once") {
    return reply(response, n == 0 ? "I think yes" : "{'pred': 'yes', 'score': 4}");
  }
  if (asked == "slow once" && n == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2800));
  if (asked == "busy twice" && n < 2) return fail(response, 429, "slow down");
  if (asked == "broken once" && n == 0) return fail(response, 500, "oops");
  if (asked == "dropped once" && n == 0) return drop(response);
  if (asked == "no json once" && n == 0) return response.set_content("<html>", "text/html");
  if (asked == "malformed ever") return reply(response, "no idea");
  if (asked == "refused ever") return fail(response, 400, "content filter");
  if (asked == "broken ever") return fail(response, 503, "down");
  reply(response, "```json\n{\"pred\": \"yes\", \"score\": 3}\n```");
}

TEST(JudgeThreads, TotalsAreExactWhateverTheServerDoes) {
  const StubJudge judge(misbehave);
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  options.timeout = Seconds(2);
  options.retries = 3;
  const auto asked = questions({"right 1", "right 2", "wrong 1", "malformed once", "slow once",
                                "busy twice", "broken once", "dropped once", "no json once",
                                "malformed ever", "refused ever", "broken ever"});
  const Judgement found = ask_judge(asked, options, nullptr, nullptr);

  const JudgeSummary& summary = found.summary;
  EXPECT_EQ(summary.questions, 12);
  EXPECT_EQ(summary.judged, 9);
  EXPECT_EQ(summary.malformed, 1);
  EXPECT_EQ(summary.failed, 2);
  EXPECT_EQ(summary.kept, 0);
  // First requests, then retries: 1 malformed, 1 slow, 2 busy, 1 broken, 1 dropped, 1 no JSON,
  // 2 malformed ever, 0 refused, 3 broken ever.
  EXPECT_EQ(summary.retries, 12);
  EXPECT_EQ(summary.requests, 12 + 12);
  EXPECT_EQ(judge.seen().size(), 24U);
  // Replies with text: 8 questions with one, 2 of "malformed once", 3 of "malformed ever".
  EXPECT_EQ(summary.replies, 8 + 2 + 3);
  EXPECT_EQ(summary.usage.prompt, 10 * summary.replies);
  EXPECT_EQ(summary.usage.completion, 2 * summary.replies);
  EXPECT_EQ(summary.replies_without_usage, 0);

  EXPECT_EQ(found.answers[0].verdict, (Verdict{true, 5}));
  EXPECT_EQ(found.answers[2].verdict, (Verdict{false, 1}));
  EXPECT_EQ(found.answers[3].verdict, (Verdict{true, 4}));
  EXPECT_EQ(found.answers[4].verdict, (Verdict{true, 3}));
  EXPECT_TRUE(found.answers[9].malformed);
  EXPECT_FALSE(found.answers[9].verdict);
  EXPECT_THAT(found.answers[10].failure, HasSubstr("answered 400: content filter"));
  EXPECT_THAT(found.answers[11].failure, HasSubstr("answered 503: down"));
}

TEST(JudgeThreads, ASecondRunAsksOnlyWhatFailed) {
  const TemporaryFolder folder;
  const std::vector<std::string> answers = {"right 1", "malformed ever", "broken ever"};
  {
    const StubJudge judge(misbehave);
    JudgeOptions options = options_for(judge, folder);
    options.retries = 0;
    const Judgement first = ask_judge(questions(answers), options, nullptr, nullptr);
    EXPECT_EQ(first.summary.failed, 1);
    EXPECT_EQ(judge.seen().size(), 1U + 3U + 1U);
  }
  const StubJudge judge([](const std::string&, int, httplib::Response& response) {
    reply(response, "{'pred': 'no', 'score': 0}");
  });
  const JudgeOptions options = options_for(judge, folder);
  const Judgement second = ask_judge(questions(answers), options, nullptr, nullptr);
  EXPECT_EQ(judge.seen().size(), 1U);
  EXPECT_EQ(second.summary.kept, 2);
  EXPECT_EQ(second.summary.judged, 2);
  EXPECT_EQ(second.summary.malformed, 1);
  EXPECT_EQ(second.summary.usage.prompt, 10 * (1 + 3 + 1));
  EXPECT_EQ(second.answers[0].verdict, (Verdict{true, 5}));

  const Judgement third = ask_judge(questions(answers), options, nullptr, nullptr);
  EXPECT_EQ(judge.seen().size(), 1U);
  EXPECT_EQ(third.summary.requests, 0);
  EXPECT_EQ(third.summary.usage.prompt, second.summary.usage.prompt);
}

TEST(Judge, AsksEqualQuestionsOnceAndOtherModelsAnew) {
  const StubJudge judge(misbehave);
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  const auto asked = questions({"right", "right", "right"});
  const Judgement found = ask_judge(asked, options, nullptr, nullptr);
  EXPECT_EQ(found.summary.judged, 3);
  EXPECT_EQ(judge.seen().size(), 1U);
  options.model = "other";
  ask_judge(asked, options, nullptr, nullptr);
  EXPECT_EQ(judge.seen().size(), 2U);
  options.body = R"({"temperature": null, "seed": 1})";
  ask_judge(asked, options, nullptr, nullptr);
  EXPECT_EQ(judge.seen().size(), 3U);
  const auto body = nlohmann::json::parse(judge.seen().back().body);
  EXPECT_FALSE(body.contains("temperature"));
  EXPECT_EQ(body.at("seed"), 1);
  EXPECT_EQ(body.at("model"), "other");
}

TEST(Judge, SendsTheKeyAndKeepsItToItself) {
  const StubJudge judge(misbehave);
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  options.key = "s3cret";
  ask_judge(questions({"right", "malformed once"}), options, nullptr, nullptr);
  EXPECT_EQ(judge.seen()[0].authorization, "Bearer s3cret");
  EXPECT_EQ(judge.seen()[0].path, "/v1/chat/completions");
  const std::string kept = read_file(options.verdicts, "verdicts");
  EXPECT_THAT(kept, ::testing::Not(HasSubstr("s3cret")));
  EXPECT_THAT(kept, HasSubstr("I think yes"));
}

TEST(Judge, KeepsNothingOfAReplyThatRepeatsTheKeyButItsVerdict) {
  const std::string key = "sk-5ecre7-0f-n0b0dy-else";
  const StubJudge judge([&](const std::string& asked, int, httplib::Response& response) {
    if (asked == "verdict") return reply(response, "{'pred': 'no', 'score': 1} says " + key);
    if (asked == "words") return reply(response, "you said Bearer " + key);
    if (asked == "escaped") {
      return response.set_content("{\"error\": \"sk\\u002d5ecre7-0f-n0b0dy-else\"", "text/html");
    }
    fail(response, 400, std::string(190, 'x') + " " + key);
  });
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  options.key = key;
  options.retries = 0;
  const Judgement found =
      ask_judge(questions({"verdict", "words", "escaped", "refused"}), options, nullptr, nullptr);
  EXPECT_EQ(found.answers[0].verdict, (Verdict{false, 1}));
  EXPECT_TRUE(found.answers[1].malformed);
  EXPECT_THAT(found.answers[2].failure, HasSubstr("repeat the key"));
  EXPECT_THAT(found.answers[3].failure, HasSubstr("answered 400: (words that repeat the key"));
  const std::string kept = read_file(options.verdicts, "verdicts");
  for (const std::string& part : {key.substr(0, 9), key.substr(10)}) {
    EXPECT_THAT(kept, ::testing::Not(HasSubstr(part)));
    for (const JudgeOutcome& answer : found.answers) {
      EXPECT_THAT(answer.failure, ::testing::Not(HasSubstr(part)));
    }
  }
}

TEST(Judge, TakesNothingOfARepliesThatIsNestedWithoutEnd) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  const StubJudge judge([&](const std::string& asked, int, httplib::Response& response) {
    if (asked == "error") {
      response.status = 400;
      return response.set_content("{\"error\": " + deep + "}", "application/json");
    }
    response.set_content(asked == "body" ? deep : "{\"choices\": " + deep + "}",
                         "application/json");
  });
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  options.retries = 0;
  const Judgement found =
      ask_judge(questions({"body", "choices", "error"}), options, nullptr, nullptr);
  EXPECT_EQ(found.summary.failed, 3);
  for (const JudgeOutcome& answer : found.answers) EXPECT_LT(answer.failure.size(), 400U);
}

TEST(Judge, GivesUpOnARedirect) {
  const StubJudge judge([](const std::string&, int, httplib::Response& response) {
    response.set_redirect("http://127.0.0.1:1/", 302);
  });
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(questions({"a"}), options_for(judge, folder)), HasSubstr("answered 302"));
  EXPECT_EQ(judge.seen().size(), 1U);
}

TEST(JudgeThreads, RetryAfterHoldsForAllWorkers) {
  const StubJudge judge([](const std::string& asked, int n, httplib::Response& response) {
    if (asked == "first" && n == 0) {
      response.set_header("Retry-After", "1");
      return fail(response, 429, "slow down");
    }
    // The others are still under way when the judge has said that it is busy.
    if (n == 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    reply(response, "{'pred': 'yes', 'score': 5}");
  });
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  options.concurrency = 2;
  const auto asked = questions({"first", "second", "third", "fourth"});
  const Judgement found = ask_judge(asked, options, nullptr, nullptr);
  EXPECT_EQ(found.summary.judged, 4);
  const auto seen = judge.seen();
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_GE(seen[2].when - seen[0].when, std::chrono::milliseconds(990));
}

TEST(Judge, RetryAfterHoldsForTheNextQuestionWhereNothingIsAskedAgain) {
  const StubJudge judge([](const std::string& asked, int, httplib::Response& response) {
    if (asked != "first") return reply(response, "{'pred': 'yes', 'score': 5}");
    response.set_header("Retry-After", "1");
    fail(response, 429, "slow down");
  });
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  options.concurrency = 1;
  options.retries = 0;
  const Judgement found = ask_judge(questions({"first", "second"}), options, nullptr, nullptr);
  EXPECT_EQ(found.summary.judged, 1);
  const auto seen = judge.seen();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_GE(seen[1].when - seen[0].when, std::chrono::milliseconds(990));
}

TEST(Judge, GivesUpWhereAskingOnIsUseless) {
  const StubJudge judge([](const std::string& asked, int, httplib::Response& response) {
    if (asked == "patience") response.set_header("Retry-After", "3600");
    fail(response, asked == "patience" ? 429 : 401, "no such key");
  });
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  EXPECT_THAT(refusal(questions({"a"}), options), HasSubstr("answered 401: no such key; check"));
  EXPECT_THAT(refusal(questions({"patience"}), options), HasSubstr("no request for 3600 s"));
  EXPECT_EQ(judge.seen().size(), 2U);
}

TEST(Judge, GivesUpWhenNothingAnswers) {
  const TemporaryFolder folder;
  JudgeOptions options;
  {
    const StubJudge gone(misbehave);
    options = options_for(gone, folder);
  }
  options.retries = 1;
  options.concurrency = 1;
  std::vector<std::string> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(std::to_string(i));
  EXPECT_THAT(refusal(questions(answers), options),
              HasSubstr("does not answer (no connection), 8 questions in a row"));
}

TEST(JudgeThreads, StopsAtOnceWhenTheUserDoes) {
  const StubJudge judge([](const std::string&, int, httplib::Response& response) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    reply(response, "{'pred': 'yes', 'score': 5}");
  });
  const TemporaryFolder folder;
  JudgeOptions options = options_for(judge, folder);
  CancelFlag cancel;
  std::thread user([&] {
    while (judge.seen().size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    cancel.cancel();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(ask_judge(questions({"a", "b", "c"}), options, nullptr, &cancel), Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1400));
  user.join();
}

TEST(Judge, RefusesOptionsThatCannotWork) {
  const StubJudge judge(misbehave);
  const TemporaryFolder folder;
  const auto with = [&](auto change) {
    JudgeOptions options = options_for(judge, folder);
    change(options);
    return refusal(questions({"right"}), options);
  };
  EXPECT_THAT(with([](auto& o) { o.url = "localhost:80"; }), HasSubstr("is no web address"));
  EXPECT_THAT(with([](auto& o) { o.url = "http://key@host/v1"; }), HasSubstr("a host and a path"));
  EXPECT_THAT(with([](auto& o) { o.url = "http://host/v1\r\nX-Forged: 1"; }),
              HasSubstr("control character"));
  EXPECT_THAT(with([](auto& o) { o.model = ""; }), HasSubstr("--judge-model"));
  EXPECT_THAT(with([](auto& o) { o.concurrency = 0; }), HasSubstr("1 to 256"));
  EXPECT_THAT(with([](auto& o) { o.body = "[1]"; }), HasSubstr("must be a JSON object"));
  write_file(folder / "other.jsonl", "{\"key\": 1}\n");
  EXPECT_THAT(with([&](auto& o) { o.verdicts = folder / "other.jsonl"; }), HasSubstr("line 1"));
  EXPECT_EQ(judge.seen().size(), 0U);
}

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(retry_after("7", 0), Seconds(7));
  EXPECT_EQ(retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 90), Seconds(30));
  EXPECT_EQ(retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 90), Seconds(0));
  EXPECT_EQ(retry_after("soon", 0), std::nullopt);
  EXPECT_EQ(retry_after("", 0), std::nullopt);
}

}  // namespace
}  // namespace moviechat::judge
