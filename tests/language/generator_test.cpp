#include "language/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "language/tiny_model.h"
#include "moviechat/error.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;
using testing::largest_difference;
using testing::TinyModel;

class GeneratorTest : public ::testing::Test {
 protected:
  VideoTokens other_video() const {
    torch::manual_seed(4);
    return {torch::randn_like(tiny_.video.embeddings), {}, {}};
  }
  static std::string message(const std::function<void()>& action) {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  TinyModel tiny_;
};

TEST_F(GeneratorTest, ReadsTheTextBeforeTheVideoAndTheVideoOnce) {
  Generator generator = tiny_.generator();
  const Prompt first = tiny_.prompt("What is he doing?");
  const Prompt second = tiny_.prompt("who is in the video");
  const auto before = std::ssize(first.before);
  const int64_t video = tiny_.video.embeddings.size(0);

  generator.answer(first, tiny_.video);
  int64_t read = before + video + std::ssize(first.after);
  EXPECT_EQ(generator.prefilled_tokens(), read);

  generator.answer(second, tiny_.video);  // the same memory: only the question
  read += std::ssize(second.after);
  EXPECT_EQ(generator.prefilled_tokens(), read);

  const VideoTokens copy = {tiny_.video.embeddings.clone(), {}, {}};
  generator.answer(first, copy);  // the same memory, read again
  read += std::ssize(first.after);
  EXPECT_EQ(generator.prefilled_tokens(), read);

  generator.answer(first, other_video());  // another memory: not the text before it
  read += video + std::ssize(first.after);
  EXPECT_EQ(generator.prefilled_tokens(), read);
}

TEST_F(GeneratorTest, AnAnswerDoesNotDependOnWhatWasAskedBefore) {
  for (const int64_t beams : {1, 3}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.beams = beams;
    const std::vector<std::string> questions = {"describe the movie", "who is in the video",
                                                "What is he doing?", "describe the movie"};
    Generator together = tiny_.generator(options);
    for (const auto& question : questions) {
      together.answer(tiny_.prompt("something else"), other_video());
      const Generation shared = together.answer(tiny_.prompt(question), tiny_.video, {}, true);
      const Generation again = together.answer(tiny_.prompt(question), tiny_.video, {}, true);
      const Generation alone =
          tiny_.generator(options).answer(tiny_.prompt(question), tiny_.video, {}, true);
      EXPECT_EQ(shared.ids, alone.ids);
      EXPECT_EQ(again.ids, alone.ids);
      // Bit for bit: a prompt is always read in the same parts.
      EXPECT_TRUE(torch::equal(shared.attention, alone.attention));
      EXPECT_TRUE(torch::equal(again.attention, alone.attention));
    }
  }
}

TEST_F(GeneratorTest, TheSameSeedGivesTheSameAnswerAndSeedsDiffer) {
  for (const int64_t beams : {1, 2}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.temperature = 1.5;
    options.top_p = 1;
    options.beams = beams;
    const Prompt prompt = tiny_.prompt("What is he doing?");
    Generator generator = tiny_.generator(options);
    const auto first = generator.answer(prompt, tiny_.video).ids;
    EXPECT_EQ(generator.answer(prompt, tiny_.video).ids, first);
    EXPECT_EQ(tiny_.generator(options).answer(prompt, tiny_.video).ids, first);
    options.seed = 1;
    EXPECT_NE(tiny_.generator(options).answer(prompt, tiny_.video).ids, first);
  }
}

TEST_F(GeneratorTest, StepsOfFixedShapeGiveTheSameAnswers) {
  const LanguageModel fixed(tiny_.module, LanguageModel::Steps::fixed);
  for (const int64_t beams : {1, 3}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.beams = beams;
    Generator growing = tiny_.generator(options);
    Generator generator(fixed, *tiny_.tokenizer, tiny_.spec, options);
    for (const size_t question : {0, 3, 10}) {
      const Prompt prompt = tiny_.prompt(tiny_.golden_language["prompts"][question]["question"]);
      EXPECT_EQ(generator.answer(prompt, tiny_.video).ids, growing.answer(prompt, tiny_.video).ids)
          << beams << " beams, question " << question;
    }
  }
}

TEST_F(GeneratorTest, AnswersTogetherAreThoseOfEachAloneInFewerSteps) {
  const VideoTokens other = other_video();
  std::vector<GenerationRequest> requests;
  for (size_t question = 0; question < 7; ++question) {  // prompts and answers of many lengths
    requests.push_back({tiny_.prompt(tiny_.golden_language["prompts"][question]["question"]),
                        question % 3 == 1 ? &other : &tiny_.video, true});
  }
  for (const double temperature : {0.0, 1.0}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.temperature = temperature;
    Generator alone = tiny_.generator(options);
    const auto expected = alone.answer_all(requests, 1);
    for (const int64_t together : {3, 16}) {
      Generator generator = tiny_.generator(options);
      const auto answers = generator.answer_all(requests, together);
      for (size_t i = 0; i < requests.size(); ++i) {
        EXPECT_EQ(answers[i].ids, expected[i].ids) << together << " together, question " << i;
        EXPECT_EQ(answers[i].text, expected[i].text);
        EXPECT_EQ(answers[i].reason, expected[i].reason);
        EXPECT_EQ(answers[i].prompt_tokens, expected[i].prompt_tokens);
        EXPECT_LT(largest_difference(answers[i].attention, expected[i].attention), 1e-5);
      }
      EXPECT_EQ(generator.prefilled_tokens(), alone.prefilled_tokens());
      int64_t longest = 0;
      for (const auto& answer : expected) longest = std::max(longest, answer.answer_tokens);
      if (together == 16) {
        EXPECT_EQ(generator.decoding_steps(), longest - 1);
      }
      EXPECT_LT(generator.decoding_steps(), alone.decoding_steps());
    }
  }
}

// On a processor bit for bit: so a run that was resumed, or a shard, has the answers of the whole.
TEST_F(GeneratorTest, AnAnswerDoesNotDependOnItsNeighboursNorItsPlace) {
  const VideoTokens other = other_video();
  const auto request = [&](size_t question, const VideoTokens& video) {
    return GenerationRequest{tiny_.prompt(tiny_.golden_language["prompts"][question]["question"]),
                             &video, true};
  };
  const GenerationRequest asked = request(0, tiny_.video);
  const Generation alone = tiny_.generator().answer_all(std::vector{asked}, 4)[0];
  const std::vector<GenerationRequest> others = {request(3, other), request(10, other),
                                                 request(2, tiny_.video), request(4, other)};
  for (size_t place = 0; place <= others.size(); ++place) {
    std::vector<GenerationRequest> all = others;
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(place), asked);
    const Generation answer = tiny_.generator().answer_all(all, 4)[place];
    EXPECT_EQ(answer.ids, alone.ids);
    EXPECT_TRUE(torch::equal(answer.attention, alone.attention)) << place;
  }
}

TEST_F(GeneratorTest, SeveralAnswersAreToldOneByOneAndCanBeCancelled) {
  Generator generator = tiny_.generator();
  const std::vector<GenerationRequest> requests(
      3, {tiny_.prompt("What is he doing?"), &tiny_.video, false});
  for (const int64_t together : {1, 2}) {
    CancelFlag flag;
    int told = 0;
    AnswerCallbacks callbacks;
    callbacks.cancel = &flag;
    callbacks.on_answer = [&] { ++told; };
    EXPECT_EQ(generator.answer_all(requests, together, callbacks).size(), 3U);
    EXPECT_EQ(told, 3);
    callbacks.on_answer = [&] { flag.cancel(); };
    EXPECT_THROW(generator.answer_all(requests, together, callbacks), Cancelled);
  }
  EXPECT_TRUE(generator.answer_all({}, 2).empty());
}

TEST_F(GeneratorTest, BeamsOfOneCandidateAreGreedy) {
  GenerationOptions options = TinyModel::forty_tokens();
  const Prompt prompt = tiny_.prompt("what is the rabbit's name");
  const auto greedy = tiny_.generator(options).answer(prompt, tiny_.video).ids;
  options.temperature = 1;
  options.top_k = 1;
  EXPECT_EQ(tiny_.generator(options).answer(prompt, tiny_.video).ids, greedy);
}

TEST_F(GeneratorTest, PiecesMakeUpTheText) {
  for (const int64_t beams : {1, 3}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.beams = beams;
    Generator generator = tiny_.generator(options);
    for (const auto& c : tiny_.golden_language["prompts"]) {
      std::string text;
      AnswerCallbacks callbacks;
      callbacks.on_text = [&](std::string_view piece) {
        EXPECT_FALSE(piece.empty());
        text += piece;
        return true;
      };
      callbacks.on_restart = [&] { text.clear(); };
      const Generation generation =
          generator.answer(tiny_.prompt(c["question"]), tiny_.video, callbacks);
      EXPECT_EQ(text, generation.text);
    }
  }
}

TEST_F(GeneratorTest, CancelsFromACallbackAndFromAFlag) {
  Generator generator = tiny_.generator();
  const Prompt prompt = tiny_.prompt("What is he doing?");
  const auto expected = generator.answer(prompt, tiny_.video).ids;

  AnswerCallbacks refuse;
  int pieces = 0;
  refuse.on_text = [&](std::string_view) { return ++pieces < 3; };
  EXPECT_THROW(generator.answer(prompt, tiny_.video, refuse), Cancelled);
  EXPECT_EQ(pieces, 3);

  CancelFlag flag;
  AnswerCallbacks flagged;
  flagged.cancel = &flag;
  flagged.on_text = [&](std::string_view) {
    flag.cancel();
    return true;
  };
  EXPECT_THROW(generator.answer(prompt, tiny_.video, flagged), Cancelled);

  EXPECT_EQ(generator.answer(prompt, tiny_.video).ids, expected) << "after cancelling";
}

TEST_F(GeneratorTest, ACutPromptIsWarnedOfWithWhatIsLost) {
  const Prompt prompt = tiny_.prompt("What is he doing?");
  const auto before = std::ssize(prompt.before);
  const int64_t video = tiny_.video.embeddings.size(0);
  const int64_t all = before + video + std::ssize(prompt.after);
  struct Case {
    int64_t cut;
    std::string lost;
  };
  for (const Case& c : {Case{0, ""}, Case{1, "(the text before the video)"},
                        Case{before, "(the text before the video)"},
                        Case{before + 1, "(the text before the video and part of the video)"},
                        Case{before + video, "(the video and all text before it)"}}) {
    PromptSpec spec = tiny_.spec;
    spec.context = all + 40 - c.cut;
    Generator generator(tiny_.model, *tiny_.tokenizer, spec, TinyModel::forty_tokens());
    std::string warning;
    AnswerCallbacks callbacks;
    callbacks.warn = [&](const std::string& line) { warning = line; };
    const Generation generation = generator.answer(prompt, tiny_.video, callbacks, true);
    EXPECT_EQ(generation.prompt_tokens, all - c.cut);
    if (c.cut == 0) {
      EXPECT_EQ(warning, "");
    } else {
      EXPECT_THAT(warning, HasSubstr(std::to_string(c.cut) + " were cut"));
      EXPECT_THAT(warning, HasSubstr(c.lost));
    }
    // Embeddings that were cut off got no attention; those that are left got some.
    ASSERT_EQ(generation.attention.size(0), video);
    for (int64_t q = 0; q < video; ++q) {
      EXPECT_EQ(generation.attention[q].item<float>() > 0, q >= c.cut - before)
          << c.cut << " " << q;
    }
  }
}

/// The attention equals that of a model which reads prompt and answer in one go.
TEST_F(GeneratorTest, AttentionIsThatOfTheAnswersTokensToTheVideo) {
  const Prompt prompt = tiny_.prompt("What is he doing?");
  const Generation generation = tiny_.generator().answer(prompt, tiny_.video, {}, true);
  ASSERT_EQ(generation.reason, FinishReason::eos);
  const auto answer = std::span(generation.ids).first(generation.ids.size() - 1);

  const auto all = torch::cat({tiny_.model.embed(prompt.before), tiny_.video.embeddings,
                               tiny_.model.embed(prompt.after), tiny_.model.embed(answer)})
                       .unsqueeze(0);
  KvCache cache = tiny_.model.make_cache(1, all.size(1));
  const auto attention = tiny_.model.step_attention(all, cache).second[0];  // [n, n]
  const auto expected = attention.slice(0, all.size(1) - std::ssize(answer))
                            .slice(1, std::ssize(prompt.before),
                                   std::ssize(prompt.before) + tiny_.video.embeddings.size(0))
                            .mean(0);
  EXPECT_LT(largest_difference(generation.attention, expected), 1e-5);
  EXPECT_FALSE(tiny_.generator().answer(prompt, tiny_.video).attention.defined());
}

TEST_F(GeneratorTest, OptionsThatCannotWorkAreRefused) {
  GenerationOptions options;
  options.max_new_tokens = 2000;
  EXPECT_THAT(message([&] { tiny_.generator(options); }),
              HasSubstr("must be less than the model's context (2000), got 2000"));
  const auto refusal = [](auto GenerationOptions::*option, auto value) {
    GenerationOptions changed;
    changed.*option = value;
    return message([&] { changed.check(); });
  };
  EXPECT_EQ(refusal(&GenerationOptions::top_p, 0),
            "generation.top_p must be over 0 and at most 1, got 0");
  EXPECT_EQ(refusal(&GenerationOptions::beams, 0), "generation.beams must be 1 to 64, got 0");
  EXPECT_EQ(refusal(&GenerationOptions::temperature, -1),
            "generation.temperature must be 0 to 1000, got -1");
  EXPECT_EQ(refusal(&GenerationOptions::min_new_tokens, 301),
            "generation.min_new_tokens must be at most generation.max_new_tokens (300), got 301");
  EXPECT_EQ(refusal(&GenerationOptions::max_new_tokens, 0),
            "generation.max_new_tokens must be 1 to 1000000, got 0");
  EXPECT_EQ(refusal(&GenerationOptions::repetition_penalty, 0),
            "generation.repetition_penalty must be over 0 and at most 1000, got 0");
  EXPECT_EQ(refusal(&GenerationOptions::top_k, -1),
            "generation.top_k must be 0 to 1000000, got -1");
  EXPECT_EQ(refusal(&GenerationOptions::seed, -1), "generation.seed must be at least 0, got -1");
}

TEST_F(GeneratorTest, ALongerPromptThanBeforeStillSharesWhatWasRead) {
  Generator generator = tiny_.generator();
  generator.answer(tiny_.prompt("What is he doing?"), tiny_.video);
  const int64_t read = generator.prefilled_tokens();
  const Prompt longer = tiny_.prompt(tiny_.golden_language["prompts"][10]["question"]);
  const Generation generation = generator.answer(longer, tiny_.video);  // needs a larger cache
  EXPECT_EQ(generator.prefilled_tokens(), read + std::ssize(longer.after));
  EXPECT_EQ(generation.ids, tiny_.generator().answer(longer, tiny_.video).ids);
}

}  // namespace
}  // namespace moviechat
