#include "language/text_decoder.h"

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

class TextDecoderTest : public ::testing::Test {
 protected:
  using Requests = std::vector<GenerationRequest>;

  torch::Tensor other_video() const {
    torch::manual_seed(4);
    return torch::randn_like(tiny_.video.embeddings);
  }
  std::string recorded_question(size_t index) const {
    return tiny_.golden_language["prompts"][index]["question"];
  }
  static int64_t size_of(const PromptPart& part) { return std::ssize(part.ids); }
  static std::string message(const std::function<void()>& action) {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  /// A decoder with prefixes of its own.
  struct Own {
    PrefixCache prefixes;
    TextDecoder decoder;
    Own(const TinyModel& tiny, int64_t rows = 1)
        : prefixes(tiny.model), decoder(tiny.model, *tiny.tokenizer, tiny.spec, prefixes, rows) {}
    std::vector<Generation> answer_all(const Requests& requests) {
      std::vector<std::future<Generation>> answers;
      for (const auto& request : requests) answers.push_back(decoder.join(request));
      while (decoder.step()) {
      }
      std::vector<Generation> all;
      for (auto& answer : answers) all.push_back(answer.get());
      return all;
    }
  };

  TinyModel tiny_;
};

TEST_F(TextDecoderTest, ReadsTheTextBeforeTheVideoAndTheVideoOnce) {
  Own own(tiny_);
  TextDecoder& decoder = own.decoder;
  const GenerationRequest first = tiny_.request("What is he doing?");
  const GenerationRequest second = tiny_.request("who is in the video");
  const int64_t before = size_of(first.prompt[0]);
  const int64_t video = tiny_.video.embeddings.size(0);
  const int64_t after = size_of(first.prompt[2]);

  decoder.answer(first);
  int64_t read = before + video + after;
  EXPECT_EQ(decoder.prefilled_tokens(), read);

  decoder.answer(second);  // the same memory: only the question
  read += size_of(second.prompt[2]);
  EXPECT_EQ(decoder.prefilled_tokens(), read);

  GenerationRequest copy = first;
  copy.video = copy.video.clone();
  decoder.answer(copy);  // the same memory, read again
  read += after;
  EXPECT_EQ(decoder.prefilled_tokens(), read);

  GenerationRequest other = first;
  other.video = other_video();
  decoder.answer(other);  // another memory: not the text before it
  read += video + after;
  EXPECT_EQ(decoder.prefilled_tokens(), read);

  decoder.answer(first);  // the memory before: kept
  read += after;
  EXPECT_EQ(decoder.prefilled_tokens(), read);
}

TEST_F(TextDecoderTest, PrefixesThatDoNotFitAreReadAgain) {
  PrefixCache prefixes(tiny_.model, /*bytes=*/0);
  TextDecoder decoder(tiny_.model, *tiny_.tokenizer, tiny_.spec, prefixes);
  const GenerationRequest first = tiny_.request("What is he doing?");
  GenerationRequest other = first;
  other.video = other_video();
  const int64_t before = size_of(first.prompt[0]);
  const int64_t rest = tiny_.video.embeddings.size(0) + size_of(first.prompt[2]);
  const auto ids = decoder.answer(first).ids;
  decoder.answer(other);
  EXPECT_EQ(decoder.answer(first).ids, ids);
  EXPECT_EQ(decoder.prefilled_tokens(), before + 3 * rest);  // what all begin with is kept
}

TEST_F(TextDecoderTest, AnAnswerDoesNotDependOnWhatWasAskedBefore) {
  for (const int64_t beams : {1, 3}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.beams = beams;
    Own own(tiny_);
    for (const char* question :
         {"describe the movie", "who is in the video", "What is he doing?", "describe the movie"}) {
      GenerationRequest other = tiny_.request("something else", options);
      other.video = other_video();
      own.decoder.answer(other);
      const GenerationRequest request = tiny_.request(question, options, true);
      const Generation shared = own.decoder.answer(request);
      const Generation again = own.decoder.answer(request);
      const Generation alone = tiny_.answer(request);
      EXPECT_EQ(shared.ids, alone.ids);
      EXPECT_EQ(again.ids, alone.ids);
      // Bit for bit: a prompt is always read in the same pieces.
      EXPECT_TRUE(torch::equal(shared.attention, alone.attention));
      EXPECT_TRUE(torch::equal(again.attention, alone.attention));
    }
  }
}

TEST_F(TextDecoderTest, TheSameSeedGivesTheSameAnswerAndSeedsDiffer) {
  for (const int64_t beams : {1, 2}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.temperature = 1.5;
    options.top_p = 1;
    options.beams = beams;
    Own own(tiny_);
    const GenerationRequest request = tiny_.request("What is he doing?", options);
    const auto first = own.decoder.answer(request).ids;
    EXPECT_EQ(own.decoder.answer(request).ids, first);
    EXPECT_EQ(tiny_.answer(request).ids, first);
    options.seed = 1;
    EXPECT_NE(tiny_.answer(tiny_.request("What is he doing?", options)).ids, first);
  }
}

TEST_F(TextDecoderTest, StepsOfFixedShapeGiveTheSameAnswers) {
  const LanguageModel fixed(tiny_.module, LanguageModel::Steps::fixed);
  for (const int64_t beams : {1, 3}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.beams = beams;
    PrefixCache prefixes(fixed);
    TextDecoder decoder(fixed, *tiny_.tokenizer, tiny_.spec, prefixes);
    for (const size_t question : {0, 3, 10}) {
      const GenerationRequest request = tiny_.request(recorded_question(question), options);
      EXPECT_EQ(decoder.answer(request).ids, tiny_.answer(request).ids)
          << beams << " beams, question " << question;
    }
  }
}

TEST_F(TextDecoderTest, AnswersTogetherAreThoseOfEachAloneInFewerSteps) {
  const torch::Tensor other = other_video();
  for (const double temperature : {0.0, 1.0}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.temperature = temperature;
    Requests requests;
    for (size_t question = 0; question < 7; ++question) {  // prompts and answers of many lengths
      requests.push_back(tiny_.request(recorded_question(question), options, true));
      if (question % 3 == 1) requests.back().video = other;
    }
    Own alone(tiny_);
    const auto expected = alone.answer_all(requests);
    for (const int64_t rows : {3, 16}) {
      Own own(tiny_, rows);
      const auto answers = own.answer_all(requests);
      for (size_t i = 0; i < requests.size(); ++i) {
        EXPECT_EQ(answers[i].ids, expected[i].ids) << rows << " rows, question " << i;
        EXPECT_EQ(answers[i].text, expected[i].text);
        EXPECT_EQ(answers[i].reason, expected[i].reason);
        EXPECT_EQ(answers[i].prompt_tokens, expected[i].prompt_tokens);
        EXPECT_LT(largest_difference(answers[i].attention, expected[i].attention), 1e-5);
      }
      EXPECT_EQ(own.decoder.prefilled_tokens(), alone.decoder.prefilled_tokens());
      int64_t longest = 0;
      for (const auto& answer : expected) longest = std::max(longest, answer.answer_tokens);
      if (rows == 16) {
        EXPECT_EQ(own.decoder.decoding_steps(), longest - 1);
      }
      EXPECT_LT(own.decoder.decoding_steps(), alone.decoder.decoding_steps());
    }
  }
}

TEST_F(TextDecoderTest, RowsHaveTheirOwnOptionsAndJoinAtAnyStep) {
  GenerationOptions drawn = TinyModel::forty_tokens();
  drawn.temperature = 1.2;
  drawn.seed = 5;
  GenerationOptions beams = TinyModel::forty_tokens();
  beams.beams = 3;
  GenerationOptions penalised = TinyModel::forty_tokens();
  penalised.repetition_penalty = 1.5;
  penalised.min_new_tokens = 12;
  GenerationOptions few = TinyModel::forty_tokens();
  few.max_new_tokens = 3;
  Requests requests;
  for (const auto& options : {TinyModel::forty_tokens(), drawn, beams, penalised, few}) {
    requests.push_back(tiny_.request(recorded_question(requests.size()), options, true));
  }
  Own own(tiny_, 3);
  std::vector<std::future<Generation>> answers;
  for (const auto& request : requests) {
    answers.push_back(own.decoder.join(request));
    own.decoder.step();
    own.decoder.step();
  }
  while (own.decoder.step()) {
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    const Generation answer = answers[i].get();
    const Generation alone = tiny_.answer(requests[i]);
    EXPECT_EQ(answer.ids, alone.ids) << i;
    EXPECT_EQ(answer.reason, alone.reason) << i;
    EXPECT_LT(largest_difference(answer.attention, alone.attention), 1e-5) << i;
  }
}

// On a processor bit for bit: so a run that was resumed, or a shard, has the answers of the whole.
TEST_F(TextDecoderTest, AnAnswerDoesNotDependOnItsNeighboursNorItsPlace) {
  const auto request = [&](size_t question, const torch::Tensor& video) {
    GenerationRequest one =
        tiny_.request(recorded_question(question), TinyModel::forty_tokens(), true);
    one.video = video;
    return one;
  };
  const torch::Tensor other = other_video();
  const GenerationRequest wanted = request(0, tiny_.video.embeddings);
  const Generation alone = Own(tiny_, 4).answer_all({wanted})[0];
  const Requests others = {request(3, other), request(10, other),
                           request(2, tiny_.video.embeddings), request(4, other)};
  for (size_t place = 0; place <= others.size(); ++place) {
    Requests all = others;
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(place), wanted);
    const Generation answer = Own(tiny_, 4).answer_all(all)[place];
    EXPECT_EQ(answer.ids, alone.ids);
    EXPECT_TRUE(torch::equal(answer.attention, alone.attention)) << place;
  }
}

TEST_F(TextDecoderTest, ARowThatFailsOrIsCancelledLeavesTheOthers) {
  const GenerationRequest request = tiny_.request("What is he doing?");
  const auto expected = tiny_.answer(request).ids;
  for (const int64_t rows : {1, 2, 3}) {
    Own own(tiny_, rows);
    CancelFlag flag;
    GenerationRequest flagged = request;
    flagged.callbacks.cancel = &flag;
    GenerationRequest failing = request;
    failing.callbacks.on_text = [](std::string_view) -> bool { throw Error("the pipe is closed"); };
    auto cancelled = own.decoder.join(flagged);
    auto failed = own.decoder.join(failing);
    auto other = own.decoder.join(request);
    own.decoder.step();
    flag.cancel();
    while (own.decoder.step()) {
    }
    EXPECT_THROW(cancelled.get(), Cancelled);
    EXPECT_THROW(failed.get(), Error);
    EXPECT_EQ(other.get().ids, expected) << rows;
    EXPECT_EQ(own.decoder.answer(request).ids, expected) << rows;
  }
}

TEST_F(TextDecoderTest, ALongPromptIsReadInPiecesBetweenTheStepsOfOthers) {
  std::string words;
  for (int i = 0; i < 500; ++i) words += "what is he doing now? ";
  GenerationRequest longer = tiny_.request(words);
  TinyModel roomy;
  roomy.spec.context = 8000;
  ASSERT_GT(size_of(longer.prompt[2]), 2 * TextDecoder::kPositionsOfStep);
  const GenerationRequest shorter = tiny_.request("What is he doing?");

  Own own(roomy, 2);
  std::vector<int64_t> read;  // positions at each piece of text of the short answer
  GenerationRequest told = shorter;
  told.callbacks.on_text = [&](std::string_view) {
    read.push_back(own.decoder.prefilled_tokens());
    return true;
  };
  auto first = own.decoder.join(told);
  own.decoder.step();
  auto second = own.decoder.join(longer);
  while (own.decoder.step()) {
  }
  EXPECT_EQ(first.get().ids, roomy.answer(shorter).ids);
  EXPECT_EQ(second.get().ids, roomy.answer(longer).ids);
  int64_t most = 0;
  for (size_t i = 1; i < read.size(); ++i) most = std::max(most, read[i] - read[i - 1]);
  EXPECT_GT(most, 0);
  EXPECT_LT(most, size_of(longer.prompt[2]));
}

TEST_F(TextDecoderTest, BeamsOfOneCandidateAreGreedy) {
  GenerationOptions options = TinyModel::forty_tokens();
  const auto greedy = tiny_.answer(tiny_.request("what is the rabbit's name", options)).ids;
  options.temperature = 1;
  options.top_k = 1;
  EXPECT_EQ(tiny_.answer(tiny_.request("what is the rabbit's name", options)).ids, greedy);
}

TEST_F(TextDecoderTest, PiecesMakeUpTheText) {
  for (const int64_t beams : {1, 3}) {
    GenerationOptions options = TinyModel::forty_tokens();
    options.beams = beams;
    Own own(tiny_);
    for (const auto& c : tiny_.golden_language["prompts"]) {
      std::string text;
      GenerationRequest request = tiny_.request(c["question"], options);
      request.callbacks.on_text = [&](std::string_view piece) {
        EXPECT_FALSE(piece.empty());
        text += piece;
        return true;
      };
      request.callbacks.on_restart = [&] { text.clear(); };
      const Generation generation = own.decoder.answer(request);
      EXPECT_EQ(text, generation.text);
    }
  }
}

TEST_F(TextDecoderTest, CancelsFromACallbackAndFromAFlag) {
  Own own(tiny_);
  const GenerationRequest request = tiny_.request("What is he doing?");
  const auto expected = own.decoder.answer(request).ids;

  GenerationRequest refused = request;
  int pieces = 0;
  refused.callbacks.on_text = [&](std::string_view) { return ++pieces < 3; };
  EXPECT_THROW(own.decoder.answer(refused), Cancelled);
  EXPECT_EQ(pieces, 3);

  CancelFlag flag;
  GenerationRequest flagged = request;
  flagged.callbacks.cancel = &flag;
  flagged.callbacks.on_text = [&](std::string_view) {
    flag.cancel();
    return true;
  };
  EXPECT_THROW(own.decoder.answer(flagged), Cancelled);

  EXPECT_EQ(own.decoder.answer(request).ids, expected) << "after cancelling";
}

TEST_F(TextDecoderTest, ACutPromptIsWarnedOfWithWhatIsLost) {
  const Prompt prompt = tiny_.prompt("What is he doing?");
  const int64_t before = size_of(prompt[0]);
  const int64_t video = tiny_.video.embeddings.size(0);
  const int64_t all = before + video + size_of(prompt[2]);
  struct Case {
    int64_t cut;
    std::string lost;
  };
  for (const Case& c : {Case{0, ""}, Case{1, "(the text before the video)"},
                        Case{before, "(the text before the video)"},
                        Case{before + 1, "(the text before the video and part of the video)"},
                        Case{before + video, "(the video and all text before it)"}}) {
    TinyModel tiny;
    tiny.spec.context = all + 40 - c.cut;
    std::string warning;
    GenerationRequest request =
        tiny.request("What is he doing?", TinyModel::forty_tokens(), /*with_attention=*/true);
    request.callbacks.warn = [&](const std::string& line) { warning = line; };
    const Generation generation = tiny.answer(request);
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
TEST_F(TextDecoderTest, AttentionIsThatOfTheAnswersTokensToTheVideo) {
  const Prompt prompt = tiny_.prompt("What is he doing?");
  const Generation generation =
      tiny_.answer(tiny_.request("What is he doing?", TinyModel::forty_tokens(), true));
  ASSERT_EQ(generation.reason, FinishReason::eos);
  const auto answer = std::span(generation.ids).first(generation.ids.size() - 1);

  const auto all = torch::cat({tiny_.model.embed(prompt[0].ids), tiny_.video.embeddings,
                               tiny_.model.embed(prompt[2].ids), tiny_.model.embed(answer)})
                       .unsqueeze(0);
  KvCache cache = tiny_.model.make_cache(1, all.size(1));
  const auto attention = tiny_.model.step_attention(all, cache).second[0];  // [n, n]
  const auto expected =
      attention.slice(0, all.size(1) - std::ssize(answer))
          .slice(1, size_of(prompt[0]), size_of(prompt[0]) + tiny_.video.embeddings.size(0))
          .mean(0);
  EXPECT_LT(largest_difference(generation.attention, expected), 1e-5);
  EXPECT_FALSE(tiny_.answer(tiny_.request("What is he doing?")).attention.defined());
}

TEST_F(TextDecoderTest, OptionsThatCannotWorkAreRefused) {
  GenerationOptions options;
  options.max_new_tokens = 2000;
  EXPECT_THAT(message([&] { tiny_.answer(tiny_.request("Who?", options)); }),
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

TEST_F(TextDecoderTest, ALongerPromptThanBeforeStillSharesWhatWasRead) {
  Own own(tiny_);
  own.decoder.answer(tiny_.request("What is he doing?"));
  const int64_t read = own.decoder.prefilled_tokens();
  const GenerationRequest longer = tiny_.request(recorded_question(10));
  const Generation generation = own.decoder.answer(longer);  // needs a larger cache
  EXPECT_EQ(own.decoder.prefilled_tokens(), read + size_of(longer.prompt[2]));
  EXPECT_EQ(generation.ids, tiny_.answer(longer).ids);
}

}  // namespace
}  // namespace moviechat
