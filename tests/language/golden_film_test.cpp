// Blocks of a recorded film → memory → video embeddings → answers, against the authors' code
// (released) and an independent Python reference (paper).
#include <gtest/gtest.h>

#include <cmath>

#include "language/tiny_model.h"
#include "support_for_tests/memory.h"

namespace moviechat {
namespace {

using nlohmann::json;
using testing::add;
using testing::at_moment;
using testing::golden;
using testing::largest_difference;
using testing::load_safetensors;
using testing::TinyModel;
using testing::whole_film;

constexpr double kTolerance = 1e-4;

class GoldenFilm : public ::testing::Test {
 protected:
  Block frame(int64_t i) const {
    const auto blocks = film_.at("blocks");
    return {blocks[i], Seconds(static_cast<double>(i) / 30), Seconds((i + 1) / 30.0), 1};
  }

  /// The authors' clips, cut as their code cuts them before a moment.
  MemoryView released(const json& c) const {
    MemoryOptions options;
    options.similarity = Similarity::dot;
    options.policy = Policy::per_clip;
    const auto memory = make_memory(options);
    const json& clips = film_cases_["released_plan"]["indices"];
    const bool whole = c["mode"] == "global";
    const size_t count = whole ? clips.size() : c["q"].get<size_t>();
    for (size_t i = 0; i < count; ++i) {
      auto indices = clips[i].get<std::vector<int64_t>>();
      if (!whole && i + 1 == count && c["c"] < indices.size()) indices.resize(c["c"].get<size_t>());
      for (const int64_t index : indices) add(*memory, frame(index));
      if (whole || i + 1 < count) memory->end_clip();  // a moment's last clip goes on
    }
    return whole ? whole_film(*memory) : at_moment(*memory, frame(c["current_frame"]));
  }

  /// 256 clips of 8 frames, those before the moment.
  MemoryView paper(const json& c) const {
    MemoryOptions options;
    options.similarity = c["similarity"] == "dot" ? Similarity::dot : Similarity::cosine;
    const auto memory = make_memory(options);
    const bool whole = c["mode"] == "global";
    for (int64_t k = 0; k < 2048; ++k) {
      if (!whole && static_cast<double>(k) * 10 / 2048 >= c["t"].get<double>()) break;
      add(*memory, frame(k * 300 / 2048));
    }
    return whole ? whole_film(*memory) : at_moment(*memory, frame(c["current_frame"]));
  }

  TinyModel tiny_;
  ScriptModule reader_ = ScriptModule::load(testing::tiny_bundle() / "memory_reader.pt",
                                            testing::test_device(), torch::kFloat);
  std::map<std::string, torch::Tensor> film_ =
      load_safetensors(golden("e2e.safetensors"), testing::test_device());
  json film_cases_ = testing::golden_json("golden.json")["cases"]["end_to_end"];
};

TEST_F(GoldenFilm, MemoryEmbeddingsAndAnswersEqualTheReference) {
  PrefixCache prefixes(tiny_.model);  // one for all memories and questions
  TextDecoder decoder(tiny_.model, *tiny_.tokenizer, tiny_.spec, prefixes);
  int64_t answers = 0;
  for (const json& c : film_cases_["cases"]) {
    const std::string name = c["name"];
    const MemoryView view = c["profile"] == "released" ? released(c) : paper(c);
    EXPECT_EQ(view.long_blocks, c["long"].get<int64_t>()) << name;
    EXPECT_EQ(view.short_blocks + view.dropped, c.value("short", int64_t{0})) << name;
    // Equal frames are similar to within rounding, so that the reference's own choices move memory.
    const double tolerance = kTolerance + c.value("long_moves_by", 0.0);
    if (const auto expected = film_.find(name + "/long"); expected != film_.end()) {
      EXPECT_LT(largest_difference(view.blocks.slice(0, 0, view.long_blocks), expected->second),
                tolerance)
          << name;
    }
    if (const auto expected = film_.find(name + "/short"); expected != film_.end()) {
      EXPECT_LT(largest_difference(view.blocks.slice(0, view.long_blocks, -1), expected->second),
                kTolerance)
          << name;
    }
    const VideoTokens video = read_memory(reader_, view, false);
    EXPECT_LT(largest_difference(video.embeddings.unsqueeze(0), film_.at(name + "/video")),
              tolerance)
        << name;
    for (const json& answer : c["answers"]) {
      GenerationRequest request = tiny_.request(answer["question"]);
      request.video = video.embeddings;
      const Generation generation = decoder.answer(request);
      EXPECT_EQ(generation.ids, answer["ids"].get<std::vector<int64_t>>()) << name;
      EXPECT_EQ(generation.text, answer["text"].get<std::string>()) << name;
      ++answers;
    }
  }
  EXPECT_GE(answers, 20);
}

}  // namespace
}  // namespace moviechat
