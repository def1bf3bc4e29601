// Answers of the tiny model against recorded ones of transformers 4.28 and the authors' code.
#include <gtest/gtest.h>

#include "language/logits.h"
#include "language/sampler.h"
#include "language/tiny_model.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

using nlohmann::json;
using testing::largest_difference;
using testing::load_safetensors;
using testing::TinyModel;

constexpr double kTolerance = 1e-4;

class GoldenAnswer : public ::testing::Test {
 protected:
  TinyModel tiny_;
};

TEST_F(GoldenAnswer, LogitsEqualTheReferenceForEveryPrompt) {
  const auto goldens = load_safetensors(testing::golden("llm.safetensors"));
  const json& prompts = tiny_.golden_language["prompts"];
  for (size_t i = 0; i < prompts.size(); ++i) {
    std::string name = "q";
    name += std::to_string(i);
    const Prompt prompt = tiny_.prompt(prompts[i]["question"]);
    const auto embeddings = torch::cat({tiny_.model.embed(prompt[0].ids), tiny_.video.embeddings,
                                        tiny_.model.embed(prompt[2].ids)})
                                .unsqueeze(0);  // [1, n, H]
    EXPECT_LT(largest_difference(embeddings, goldens.at(name + "/embeds")), kTolerance) << name;
    KvCache cache = tiny_.model.make_cache(1, embeddings.size(1));
    EXPECT_LT(
        largest_difference(tiny_.model.step(embeddings, cache)[0], goldens.at(name + "/logits")),
        kTolerance)
        << name;
  }
}

TEST_F(GoldenAnswer, IdsEqualTheReferenceForEveryRun) {
  std::map<std::string, int> runs;
  for (const json& c : tiny_.golden_language["prompts"]) {
    for (const json& run : c["runs"]) {
      GenerationOptions options = TinyModel::forty_tokens();
      TinyModel tiny;
      for (const auto& [key, value] : run["settings"].items()) {
        if (key == "repetition_penalty") {
          options.repetition_penalty = value;
        } else if (key == "num_beams") {
          options.beams = value;
        } else if (key == "length_penalty") {
          options.length_penalty = value;
        } else if (key == "min_length") {
          options.min_new_tokens = value.get<int64_t>() - 1;  // 4.28 counts its <s>
        } else if (key == "stop_sequences") {
          tiny.spec.stop = value.get<std::vector<std::vector<int64_t>>>();
        } else if (key == "max_length") {
          tiny.spec.context = value;
        } else if (key == "max_new_tokens") {
          options.max_new_tokens = value;
        } else {
          FAIL() << "a setting that this test does not know: " << key;
        }
      }
      const std::string where = c["question"].get<std::string>() + ": " + run.dump();
      const Generation generation = tiny.answer(tiny.request(c["question"], options));
      const auto ids = run["ids"].get<std::vector<int64_t>>();
      EXPECT_EQ(generation.ids, ids) << where;
      EXPECT_EQ(generation.text, run["text"].get<std::string>()) << where;
      EXPECT_EQ(generation.answer_tokens, std::ssize(ids));
      EXPECT_EQ(generation.prompt_tokens,
                run.value("kept_prompt_tokens", c["tokens"].get<int64_t>()))
          << where;
      const FinishReason reason = ids.back() == 2         ? FinishReason::eos
                                  : run["name"] == "stop" ? FinishReason::stop
                                                          : FinishReason::length;
      EXPECT_EQ(generation.reason, reason) << where;
      ++runs[run["name"]];
    }
  }
  // Every kind of run was there.
  EXPECT_GE(runs["greedy"], 10);
  for (const char* name : {"repetition", "beams", "beams_longer", "beams_shorter", "min_new_3",
                           "min_new_12", "min_new_24", "stop", "context"}) {
    EXPECT_GE(runs[name], 2) << name;
  }
}

TEST_F(GoldenAnswer, TextsEqualTheReferenceWithoutItsSpecialWords) {
  for (const json& c : tiny_.golden_language["postprocess"]) {
    auto text = c["text_released"].get<std::string>();
    for (const std::string_view word : {"</s>", "<unk>"}) {
      for (size_t at; (at = text.find(word)) != std::string::npos;) text.erase(at, word.size());
    }
    EXPECT_EQ(answer_text(tiny_.spec, *tiny_.tokenizer, c["ids"].get<std::vector<int64_t>>()), text)
        << c;
  }
}

TEST_F(GoldenAnswer, SamplingKeepsTheTokensAndProbabilitiesOfTheReference) {
  const auto goldens = load_safetensors(testing::golden("llm.safetensors"));
  for (const json& c : tiny_.golden_language["sampling"]) {
    const std::string name = c["name"];
    GenerationOptions options;
    options.temperature = c["temperature"];
    options.top_k = c["top_k"];
    options.top_p = c["top_p"];
    const auto logits =
        goldens.at(name.find("/flat_") != std::string::npos ? "sampling/flat_logits" : "q0/logits")
            .contiguous();
    Sampler sampler(options);
    const auto candidates =
        sampler.candidates({logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel())});
    EXPECT_EQ(std::ssize(candidates), c["support"].get<int64_t>()) << name;
    auto probabilities = torch::zeros_like(logits);
    for (const Candidate& candidate : candidates) {
      probabilities[candidate.id] = candidate.probability;
    }
    EXPECT_LT(largest_difference(probabilities, goldens.at(name)), kTolerance) << name;
    EXPECT_TRUE(torch::equal(probabilities > 0, goldens.at(name) > 0)) << name;
  }
}

TEST_F(GoldenAnswer, TheRepetitionPenaltyEqualsTheReference) {
  const auto goldens = load_safetensors(testing::golden("llm.safetensors"));
  auto logits = goldens.at("q0/logits").clone();
  const std::vector<int64_t> generated = {5, 7, 7, 11};
  RepetitionPenalty(1.5).apply(generated,
                               {logits.data_ptr<float>(), static_cast<size_t>(logits.numel())});
  EXPECT_LT(largest_difference(logits, goldens.at("repetition/q0_after_5_7_7_11")), 1e-6);
}

}  // namespace
}  // namespace moviechat
