#pragma once

#include <map>
#include <memory>
#include <string>
#include "base/json.h"

#include "language/text_decoder.h"
#include "support_for_tests/device.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat::testing {

/// The tiny bundle's language model, and the recorded prompts' video.
struct TinyModel {
  PromptSpec spec = read_bundle_spec(tiny_bundle()).prompt;
  std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(tiny_bundle() / "tokenizer.model");
  ScriptModule module =
      ScriptModule::load(tiny_bundle() / "language_model.pt", test_device(), torch::kFloat);
  LanguageModel model{module};
  nlohmann::json golden_language = golden_json("golden.json")["cases"]["language"];
  VideoTokens video = {
      load_safetensors(golden("video_qformer.safetensors"), test_device()).at("global/T37")[0],
      {},
      {}};  // [Q, H]

  Prompt prompt(const std::string& question) const {
    return make_prompt(spec, *tokenizer, question);
  }
  GenerationRequest request(const std::string& question, GenerationOptions options = forty_tokens(),
                            bool with_attention = false) const {
    return {prompt(question), video.embeddings, options, with_attention, {}};
  }
  /// The answer of a decoder of its own.
  Generation answer(const GenerationRequest& request) const {
    PrefixCache prefixes(model);
    return TextDecoder(model, *tokenizer, spec, prefixes).answer(request);
  }
  /// As the goldens were recorded.
  static GenerationOptions forty_tokens() {
    GenerationOptions options;
    options.max_new_tokens = 40;
    return options;
  }
};

}  // namespace moviechat::testing
