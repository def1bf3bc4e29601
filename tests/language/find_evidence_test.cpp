#include "language/find_evidence.h"

#include <gtest/gtest.h>

#include <torch/types.h>  // torch::tensor of nested lists
#include "moviechat/error.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

std::vector<Span> spans(const std::vector<std::pair<double, double>>& times) {
  std::vector<Span> all;
  for (const auto& [start, end] : times) all.push_back({Seconds(start), Seconds(end), 1});
  return all;
}

void expect(const std::vector<Evidence>& named, const std::vector<Evidence>& expected) {
  ASSERT_EQ(named.size(), expected.size());
  for (size_t i = 0; i < named.size(); ++i) {
    EXPECT_DOUBLE_EQ(named[i].start.count(), expected[i].start.count()) << i;
    EXPECT_DOUBLE_EQ(named[i].end.count(), expected[i].end.count()) << i;
    EXPECT_NEAR(named[i].score, expected[i].score, 1e-7) << i;
  }
}

// Blocks score 0.5·{0, 0.8, 0.2, 0} + 0.5·{0.1, 0.2, 0.1, 0.6} = {0.05, 0.5, 0.15, 0.3}.
const torch::Tensor kAnswer = torch::tensor({0.5, 0.5}, torch::kDouble);
const torch::Tensor kReader =
    torch::tensor({{0.0, 0.8, 0.2, 0.0}, {0.1, 0.2, 0.1, 0.6}}, torch::kDouble);
const std::vector<Span> kSpans = spans({{0, 4}, {4, 8}, {8, 12}, {12, 16}});

TEST(Evidence, NamesTheSmallestSetThatReachesTheShare) {
  expect(find_evidence(kAnswer, kReader, kSpans, 0.45), {{Seconds(4), Seconds(8), 1}});
  expect(find_evidence(kAnswer, kReader, kSpans, 0.7),
         {{Seconds(4), Seconds(8), 0.5 / 0.8}, {Seconds(12), Seconds(16), 0.3 / 0.8}});
}

TEST(Evidence, JoinsNeighbours) {
  expect(find_evidence(kAnswer, kReader, kSpans, 0.9), {{Seconds(4), Seconds(16), 1}});
  // Neighbours in memory, with time between them that was not read.
  const auto sparse = spans({{0, 1}, {4, 5}, {8, 9}, {12, 13}});
  expect(find_evidence(kAnswer, kReader, sparse, 0.7),
         {{Seconds(4), Seconds(5), 0.625}, {Seconds(12), Seconds(13), 0.375}});
  expect(find_evidence(kAnswer, kReader, sparse, 0.9), {{Seconds(4), Seconds(13), 1}});
}

TEST(Evidence, IsInTheOrderOfTimeAlsoWhereBlocksOverlap) {
  // A moment's raw frames repeat the end of long-term memory.
  const auto overlapping = spans({{0, 4}, {4, 8}, {6, 7}, {20, 21}});
  expect(find_evidence(torch::ones({1}), torch::tensor({{0.0F, 0.5F, 0.25F, 0.25F}}), overlapping,
                       1.0),
         {{Seconds(4), Seconds(21), 1}});
  const auto apart = spans({{10, 12}, {0, 1}, {5, 6}});
  expect(find_evidence(torch::ones({1}), torch::tensor({{0.5F, 0.1F, 0.4F}}), apart, 1.0),
         {{Seconds(0), Seconds(6), 0.5}, {Seconds(10), Seconds(12), 0.5}});
}

TEST(Evidence, ABlockWithoutATimeOfItsOwnCountsForTheTimeItsFeaturesAreFrom) {
  auto carried = spans({{0, 4}, {4, 8}, {8, 8}, {8, 12}, {12, 12}});
  carried[2].origin = Seconds(2);
  carried[4].origin = Seconds(20);  // of what memory has dropped
  expect(find_evidence(torch::ones({1}), torch::tensor({{0.2F, 0.3F, 0.2F, 0.1F, 0.2F}}), carried,
                       0.4),
         {{Seconds(0), Seconds(4), 1}});
}

TEST(Evidence, NothingAttendedToIsNoEvidence) {
  EXPECT_TRUE(find_evidence(torch::zeros({2}), kReader, kSpans).empty());
}

TEST(Evidence, ShapesThatDoNotMatchAreAnError) {
  EXPECT_THROW(find_evidence(torch::ones({3}), kReader, kSpans), Error);
  EXPECT_THROW(find_evidence(kAnswer, kReader, spans({{0, 1}})), Error);
}

}  // namespace
}  // namespace moviechat
