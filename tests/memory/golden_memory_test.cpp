// Memory against recorded runs of the authors' code and of an independent Python reference.
#include <gtest/gtest.h>

#include "memory/memory_policy.h"
#include "support_for_tests/device.h"
#include "support_for_tests/memory.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

using nlohmann::json;
using testing::add;
using testing::golden;
using testing::golden_json;
using testing::largest_difference;
using testing::load_safetensors;

constexpr double kTolerance = 1e-4;
constexpr double kRecordedDigits = 2e-6;  // similarities are recorded with six decimals

Block frame(const torch::Tensor& blocks, int64_t i) {
  return {blocks[i], Seconds(static_cast<double>(i)), Seconds(static_cast<double>(i + 1)), 1};
}

torch::Tensor features(const std::vector<Block>& blocks) {
  std::vector<torch::Tensor> all;
  for (const Block& block : blocks) all.push_back(block.features);
  return torch::stack(all);
}

/// Merges of short-term memory, and of long-term memory, one list per consolidation.
struct Recorded {
  std::vector<std::vector<MergeStep>> short_term;
  std::vector<std::vector<MergeStep>> long_term;

  MergeSink sink() {
    return [this](const MergeEvent& event) {
      auto& lists = event.where == MergeEvent::Where::short_term ? short_term : long_term;
      lists.resize(std::max<size_t>(lists.size(), event.consolidation + 1));
      lists[event.consolidation].push_back(event.step);
    };
  }
};

void expect_merges(const std::vector<MergeStep>& actual, const json& expected,
                   const std::string& where) {
  ASSERT_EQ(actual.size(), expected.size()) << where;
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].at, expected[i]["at"].get<int64_t>()) << where << ", merge " << i;
    EXPECT_NEAR(actual[i].similarity, expected[i]["similarity"].get<double>(), kRecordedDigits * 5)
        << where << ", merge " << i;
  }
}

void expect_merge_lists(std::vector<std::vector<MergeStep>> actual, const json& expected) {
  actual.resize(expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    expect_merges(actual[i], expected[i], "consolidation " + std::to_string(i));
  }
}

MemoryOptions released_options() {
  MemoryOptions options;
  options.similarity = Similarity::dot;
  options.policy = Policy::per_clip;
  return options;
}

class ReleasedMemory : public ::testing::TestWithParam<std::string> {};

TEST_P(ReleasedMemory, MergesEachClipAsTheAuthorsDo) {
  const auto tensors = load_safetensors(golden("memory.safetensors"), testing::test_device());
  const json expected = golden_json("golden.json")["cases"]["memory"]["released/" + GetParam()];
  const auto blocks = tensors.at("released/" + GetParam() + "/blocks");
  const auto memory = make_memory(released_options());
  Recorded recorded;
  memory->observe(recorded.sink());
  for (int64_t i = 0; i < blocks.size(0); ++i) {
    add(*memory, frame(blocks, i));
    if (i % 8 == 7) memory->end_clip();
  }
  expect_merge_lists(recorded.short_term, expected["merges"]);
  EXPECT_LT(largest_difference(features(memory->long_term()),
                               tensors.at("released/" + GetParam() + "/long")),
            kTolerance);
  EXPECT_TRUE(memory->short_term().empty());
}

INSTANTIATE_TEST_SUITE_P(Inputs, ReleasedMemory, ::testing::Values("noise", "scenes", "still"),
                         [](const auto& test) { return test.param; });

TEST(ReleasedMemory, ClipsOfAnyLengthLeaveAtMostTwoBlocks) {
  const auto tensors = load_safetensors(golden("memory.safetensors"), testing::test_device());
  const json expected = golden_json("golden.json")["cases"]["memory"]["released/ragged"];
  const auto blocks = tensors.at("released/scenes/blocks");
  const auto memory = make_memory(released_options());
  Recorded recorded;
  memory->observe(recorded.sink());
  int64_t i = 0;
  for (const auto& length : expected["clip_lengths"]) {
    for (int64_t k = 0; k < length; ++k) add(*memory, frame(blocks, i++));
    memory->end_clip();
  }
  expect_merge_lists(recorded.short_term, expected["merges"]);
  EXPECT_LT(largest_difference(features(memory->long_term()), tensors.at("released/ragged/long")),
            kTolerance);
}

struct WindowCase {
  std::string input;
  Similarity similarity;
};

class WindowMemory : public ::testing::TestWithParam<WindowCase> {};

TEST_P(WindowMemory, MergesAsTheReferenceDoes) {
  const std::string similarity(name_of(GetParam().similarity));
  const std::string input = "window/" + GetParam().input;
  const auto tensors = load_safetensors(golden("memory.safetensors"), testing::test_device());
  const json expected = golden_json("golden.json")["cases"]["memory"][input + "/" + similarity];
  const auto blocks = tensors.at(input + "/blocks");
  const auto want = [&](const std::string& name) {
    return tensors.at(input + "/" + similarity + "/" + name);
  };
  MemoryOptions options;
  options.similarity = GetParam().similarity;
  const auto memory = make_memory(options);
  Recorded recorded;
  memory->observe(recorded.sink());
  for (int64_t i = 0; i < blocks.size(0); ++i) add(*memory, frame(blocks, i));

  const int64_t full = expected["full_windows"];
  ASSERT_EQ(std::ssize(memory->long_term()), 2 * full);
  EXPECT_LT(largest_difference(features(memory->long_term()), want("long")), kTolerance);
  EXPECT_LT(largest_difference(features(memory->short_term()), want("short_before_finish")),
            kTolerance);

  const MemoryView view = testing::whole_film(*memory);
  EXPECT_LT(largest_difference(view.blocks.slice(0, 2 * full), want("long_finished")), kTolerance);
  EXPECT_EQ(std::ssize(memory->long_term()), 2 * full) << "a query must leave memory as it is";

  memory->finish();
  expect_merge_lists(recorded.short_term, expected["merges"]);
  EXPECT_TRUE(torch::equal(features(memory->long_term()), view.blocks));
}

INSTANTIATE_TEST_SUITE_P(Inputs, WindowMemory,
                         ::testing::Values(WindowCase{"noise", Similarity::dot},
                                           WindowCase{"noise", Similarity::cosine},
                                           WindowCase{"scenes", Similarity::dot},
                                           WindowCase{"scenes", Similarity::cosine}),
                         [](const auto& test) {
                           return test.param.input + "_" +
                                  std::string(name_of(test.param.similarity));
                         });

class Overflow : public ::testing::TestWithParam<Merge> {};

TEST_P(Overflow, LongTermMemoryMergesAsTheReferenceDoes) {
  const std::string name = GetParam() == Merge::mean ? "overflow/plain" : "overflow/weighted";
  const auto tensors = load_safetensors(golden("memory.safetensors"), testing::test_device());
  const json expected = golden_json("golden.json")["cases"]["memory"][name];
  const auto blocks = tensors.at("overflow/blocks");
  MemoryOptions options;
  options.long_capacity = expected["L"];
  options.merge = GetParam();
  const auto memory = make_memory(options);
  Recorded recorded;
  memory->observe(recorded.sink());
  for (int64_t i = 0; i < blocks.size(0); ++i) add(*memory, frame(blocks, i));
  memory->finish();

  expect_merge_lists(recorded.short_term, expected["window_merges"]);
  int64_t long_merges = 0;
  for (const auto& after : expected["long_merges"]) {
    const int64_t window = after["after_window"];
    ASSERT_LT(window, static_cast<int64_t>(recorded.long_term.size()));
    expect_merges(recorded.long_term[window], after["merges"],
                  "long-term, window " + std::to_string(window));
    long_merges += static_cast<int64_t>(after["merges"].size());
  }
  int64_t recorded_merges = 0;
  for (const auto& list : recorded.long_term) recorded_merges += static_cast<int64_t>(list.size());
  EXPECT_EQ(recorded_merges, long_merges);
  EXPECT_LT(largest_difference(features(memory->long_term()), tensors.at(name + "/long")),
            kTolerance);
  if (GetParam() == Merge::weighted) {
    const auto counts = tensors.at(name + "/counts");
    for (int64_t i = 0; i < counts.size(0); ++i) {
      EXPECT_NEAR(memory->long_term()[i].frames, counts[i].item<double>(), 1e-9) << "block " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Overflow, ::testing::Values(Merge::mean, Merge::weighted),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(MomentGolden, DropsTheBlocksThatTheReferenceDrops) {
  const json expected = golden_json("golden.json")["cases"]["video_qformer"];
  const int64_t positions = expected["max_positions"];
  for (const json& kept : expected["kept"]) {
    if (!kept.contains("dropped")) continue;  // MovieChat+ has another rule
    const int64_t long_blocks = kept["long"];
    const int64_t short_blocks = kept["short"];
    // Block i holds the number i.
    const auto numbered = [](int64_t from, int64_t count) {
      std::vector<Block> blocks;
      for (int64_t i = from; i < from + count; ++i) {
        blocks.push_back({torch::full({1, 2}, static_cast<double>(i)), Seconds(0), Seconds(0), 1});
      }
      return blocks;
    };
    const MemoryView view = view_of({numbered(0, long_blocks), numbered(long_blocks, short_blocks),
                                     numbered(long_blocks + short_blocks, 1).front()},
                                    positions);

    std::vector<int64_t> want;
    const auto dropped = kept["dropped"].get<std::vector<int64_t>>();
    for (int64_t i = 0; i <= long_blocks + short_blocks; ++i) {
      if (std::find(dropped.begin(), dropped.end(), i) == dropped.end()) want.push_back(i);
    }
    std::vector<int64_t> got;
    for (int64_t i = 0; i < view.size(); ++i) got.push_back(view.blocks[i][0][0].item<int64_t>());
    EXPECT_EQ(got, want) << kept["name"];
    EXPECT_EQ(view.size(), kept["blocks_with_current"].get<int64_t>());
    EXPECT_EQ(view.long_blocks + view.short_blocks + 1, view.size());
    EXPECT_EQ(view.dropped, static_cast<int64_t>(dropped.size()));
  }
}

}  // namespace
}  // namespace moviechat
