// Films without a known duration, as a server sends them while they are made.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/files.h"
#include "bundle/bundle.h"
#include "moviechat/engine.h"
#include "moviechat/error.h"
#include "plan/timeline.h"
#include "support_for_tests/device.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;

TEST(OpenEndedTimeline, IsThatOfAPlanAsLongAsItLasts) {
  PlanOptions options;
  options.kind = PlanKind::fps;
  options.rate = 2;
  options.window = 3;
  const std::vector<Moment> moments = {{Seconds(3.2), 0}, {Seconds(1), 0}, {Seconds(0), 0}};
  const SamplingPlan plan = make_plan(options, {Seconds(6), {1, 1}, 6}, 0);
  Timeline stored(plan, options, true);
  Timeline live(options, true);
  for (const Moment& moment : moments) {
    stored.add(moment);
    live.add(moment);
  }
  while (const auto expected = stored.next()) EXPECT_EQ(live.next(), expected);
  EXPECT_TRUE(live.next());
}

TEST(OpenEndedTimeline, WithoutTheWholeFilmEndsAtTheLastMoment) {
  Timeline timeline(PlanOptions(), false);
  timeline.add({Seconds(1.5), 0});
  std::string kinds;
  while (const auto step = timeline.next()) kinds += "s|xc"[static_cast<int>(step->kind)];
  EXPECT_EQ(kinds, "ssxc");
}

/// ffmpeg, sending a film once to whom asks first, its length unsaid.
class Broadcast {
 public:
  Broadcast(const std::filesystem::path& film, const std::string& format) {
    static int next_port = 20000 + static_cast<int>(getpid() % 20000);
    address_ = "http://127.0.0.1:" + std::to_string(next_port++) + "/live";
    child_ = fork();
    if (child_ == 0) {
      execlp("ffmpeg", "ffmpeg", "-v", "quiet", "-nostdin", "-i", film.c_str(), "-c", "copy", "-f",
             format.c_str(), "-listen", "1", address_.c_str(), nullptr);
      _exit(127);
    }
  }
  ~Broadcast() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  const std::string& address() const { return address_; }

 private:
  std::string address_;
  pid_t child_ = 0;
};

class LiveFilm : public ::testing::Test {
 protected:
  static std::shared_ptr<const Bundle> tiny() {
    static const auto bundle =
        std::make_shared<const Bundle>(read_bundle_spec(testing::tiny_bundle()),
                                       testing::test_device(), torch::kFloat, Verify::quick);
    return bundle;
  }
  static std::filesystem::path film(const std::string& format) {
    static const testing::TemporaryFolder folder;
    const auto path = folder / ("film." + format);
    const auto made = testing::run(
        "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=64x48:r=10:d=12.5 -c:v libx264 -bf 0 "
        "-preset ultrafast -g 10 -f " +
        format + " '" + path.string() + "'");
    if (made.exit_code != 0) throw std::runtime_error(made.err);
    return path;
  }
  static Settings settings() {
    Settings settings;
    settings.plan.kind = PlanKind::fps;
    settings.plan.rate = 2;
    settings.video.allow_url = true;
    settings.generation.max_new_tokens = 8;
    settings.generation.temperature = 0;
    return settings;
  }
  static RunResult ask(const std::string& film, const std::vector<Question>& questions,
                       const Settings& settings) {
    return Engine(tiny(), settings).ask(film, questions, {}, {});
  }
  /// The sender needs a moment until it listens.
  static RunResult ask_live(const std::filesystem::path& film, const std::string& format,
                            const std::vector<Question>& questions, const Settings& settings) {
    const Broadcast broadcast(film, format);
    for (int tries = 0;; ++tries) {
      try {
        return ask(broadcast.address(), questions, settings);
      } catch (const InputError& error) {
        if (tries == 100 || std::string(error.what()).find("refused") == std::string::npos) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
  }
};

TEST_F(LiveFilm, IsAnsweredAboutAsItsFileIs) {
  const std::vector<Question> questions = {{"What happens?", {}, {}},
                                           {"What is on screen?", Seconds(4.25), {}},
                                           {"What is on screen?", Seconds(12.3), {}}};
  for (const std::string format : {"mpegts", "matroska"}) {
    SCOPED_TRACE(format);
    const auto path = film(format);
    const RunResult stored = ask(path, questions, settings());
    const RunResult live = ask_live(path, format, questions, settings());
    ASSERT_EQ(live.answers.size(), stored.answers.size());
    for (size_t i = 0; i < questions.size(); ++i) {
      EXPECT_EQ(live.answers[i].token_ids, stored.answers[i].token_ids) << i;
    }
    EXPECT_EQ(live.counts.frames_encoded, stored.counts.frames_encoded);
    EXPECT_EQ(live.counts.frames_decoded, 125);
    EXPECT_NEAR(live.video.duration.count(), 12.5, 0.11);
    EXPECT_EQ(live.plan.sample_count(), 25);
  }
}

TEST_F(LiveFilm, IsNotWatchedLongerThanTheMomentsNeed) {
  const RunResult live =
      ask_live(film("mpegts"), "mpegts", {{"What is on screen?", Seconds(4.25), {}}}, settings());
  EXPECT_LT(live.counts.frames_decoded, 80);
}

/// Bytes of a transport stream before the first frame shown at `time` or later.
std::string beginning_of(const std::filesystem::path& film, double time) {
  const auto packets = testing::run(
      "ffprobe -v error -select_streams v -show_entries packet=pts_time,pos -of csv=p=0 '" +
      film.string() + "'");
  std::istringstream lines(packets.out);
  double first = -1;
  double pts = 0;
  size_t position = 0;
  for (char comma = 0; lines >> pts >> comma >> position; lines.ignore(100, '\n')) {
    if (first < 0) first = pts;
    if (pts - first >= time) break;
  }
  return read_file(film, "film").substr(0, position);
}

TEST_F(LiveFilm, AMomentIsAnsweredAboutWhileTheFilmRuns) {
  const auto path = film("mpegts");
  const std::string all = read_file(path, "film");
  const std::string until_five = beginning_of(path, 5);
  ASSERT_GT(until_five.size(), 0u);
  ASSERT_LT(until_five.size(), all.size());
  const testing::TemporaryFolder folder;
  const auto pipe = folder / "live";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);

  std::promise<void> answered;
  std::jthread sender([&] {
    std::ofstream stream(pipe, std::ios::binary);
    stream << until_five << std::flush;
    // Without an answer the rest comes in the end, and it is too late.
    answered.get_future().wait_for(std::chrono::seconds(60));
    stream << all.substr(until_five.size());
  });
  std::vector<size_t> early;
  Callbacks callbacks;
  callbacks.on_early_answer = [&](size_t question, const Answer& answer) {
    early.push_back(question);
    EXPECT_GT(answer.answer_tokens, 0);
    if (question == 1) answered.set_value();
  };
  const std::vector<Question> questions = {{"What happens?", {}, {}},
                                           {"What is on screen?", Seconds(3), {}},
                                           {"What is on screen?", Seconds(11), {}}};
  const auto begin = std::chrono::steady_clock::now();
  const RunResult live = Engine(tiny(), settings()).ask(pipe, questions, {}, callbacks);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  EXPECT_EQ(early, (std::vector<size_t>{1, 2}));
  const RunResult stored = ask(path, questions, settings());
  for (size_t i = 0; i < questions.size(); ++i) {
    EXPECT_EQ(live.answers[i].token_ids, stored.answers[i].token_ids) << i;
  }
}

TEST_F(LiveFilm, QuestionsJoinWhileItRuns) {
  const auto path = film("mpegts");
  const std::string bytes = read_file(path, "film");
  const testing::TemporaryFolder folder;
  const auto ask_joining = [&](std::vector<Question> joining, bool clamp, auto warn) {
    const auto pipe = folder / "live";
    std::filesystem::remove(pipe);
    EXPECT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    std::jthread sender([&] { std::ofstream(pipe, std::ios::binary) << bytes; });
    Callbacks callbacks;
    callbacks.warn = warn;
    callbacks.more_questions = [&](Seconds watched) {
      return watched > Seconds(3) ? std::exchange(joining, {}) : std::vector<Question>();
    };
    RunOptions run;
    run.clamp_moments = clamp;
    return Engine(tiny(), settings())
        .ask(pipe, {{"What is on screen?", Seconds(2), {}}}, run, callbacks);
  };
  const RunResult live = ask_joining({{"What happens?", {}, {}},
                                      {"What is on screen?", Seconds(11), {}},
                                      {"Where is it?", Seconds(11), {}}},
                                     false, nullptr);
  const RunResult stored = ask(path,
                               {{"What is on screen?", Seconds(2), {}},
                                {"What happens?", {}, {}},
                                {"What is on screen?", Seconds(11), {}},
                                {"Where is it?", Seconds(11), {}}},
                               settings());
  ASSERT_EQ(live.answers.size(), stored.answers.size());
  for (size_t i = 0; i < stored.answers.size(); ++i) {
    EXPECT_EQ(live.answers[i].question.text, stored.answers[i].question.text);
    EXPECT_EQ(live.answers[i].token_ids, stored.answers[i].token_ids) << i;
  }

  const Question late{"What was on screen?", Seconds(1), {}};
  EXPECT_THAT([&] { ask_joining({late}, false, nullptr); },
              ::testing::ThrowsMessage<InputError>(
                  HasSubstr("moment 1 s is asked about too late: the film was watched up to")));
  std::string warning;
  const RunResult clamped =
      ask_joining({late}, true, [&](const std::string& line) { warning = line; });
  EXPECT_THAT(warning, HasSubstr("moment 1 s has passed; "));
  EXPECT_GT(clamped.answers[1].at.value().count(), 3);
}

TEST_F(LiveFilm, IsBroughtHereWholeForAPlanThatNeedsItsEnd) {
  Settings clips = settings();
  clips.plan.kind = PlanKind::clips;
  const std::vector<Question> questions = {{"What happens?", {}, {}}, {"What moves?", {}, 7}};
  const RunResult stored = ask(film("mpegts"), questions, clips);
  const RunResult live = ask_live(film("mpegts"), "mpegts", questions, clips);
  for (size_t i = 0; i < questions.size(); ++i) {
    EXPECT_EQ(live.answers[i].token_ids, stored.answers[i].token_ids) << i;
  }
  EXPECT_EQ(live.video.duration, stored.video.duration);
  EXPECT_EQ(live.plan.sample_count(), stored.plan.sample_count());
}

TEST_F(LiveFilm, NeedsAPlanWithoutADuration) {
  const auto refusal = [](const std::vector<Question>& questions, const Settings& settings) {
    try {
      ask_live(film("mpegts"), "mpegts", questions, settings);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("answered");
  };
  Settings live = settings();
  live.video.spool = 0;
  Settings clips = live;
  clips.plan.kind = PlanKind::clips;
  EXPECT_EQ(
      refusal({{"What happens?", {}, {}}}, clips),
      "plan clips needs a film with a known duration, and this one has none, as live streams; "
      "plan.kind fps answers questions about it as it comes");
  Settings inference = live;
  inference.plan.breakpoint = BreakpointRule::inference;
  EXPECT_EQ(refusal({{"What happens?", Seconds(1), {}}}, inference),
            "plan.breakpoint must be moment for a film without a known duration, got inference");
  EXPECT_THAT(refusal({{"What happens?", Seconds(60), {}}}, settings()),
              HasSubstr("moment 60 s is beyond the end of 'http://127.0.0.1"));
}

}  // namespace
}  // namespace moviechat
