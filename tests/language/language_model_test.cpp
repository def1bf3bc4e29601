#include "language/language_model.h"

#include <gtest/gtest.h>

#include "language/tiny_model.h"
#include "moviechat/error.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

using testing::largest_difference;
using testing::TinyModel;

constexpr double kTolerance = 1e-4;
constexpr double kSameSteps = 1e-5;  // between two ways of reading the same tokens

class LanguageModelTest : public ::testing::Test {
 protected:
  KvCache copy_of(const KvCache& one, int64_t rows) const {
    KvCache copy = tiny_.model.make_cache(rows, one.capacity());
    copy.slice(0, one.length()).copy_from(one.slice(0, one.length()));
    copy.set_length(one.length());
    return copy;
  }

  TinyModel tiny_;
  const std::vector<int64_t> ids_ = {1, 435, 278, 334, 374, 316, 330, 364};
};

TEST_F(LanguageModelTest, TokenByTokenEqualsAllAtOnce) {
  KvCache whole = tiny_.model.make_cache(1, 8);
  const auto expected = tiny_.model.step(tiny_.model.embed(ids_).unsqueeze(0), whole);
  KvCache cache = tiny_.model.make_cache(1, 8);
  torch::Tensor logits;
  for (const int64_t id : ids_) {
    logits = tiny_.model.next({&id, 1}, cache);
  }
  EXPECT_EQ(cache.length(), 8);
  EXPECT_LT(largest_difference(logits, expected), kTolerance);
}

TEST_F(LanguageModelTest, TruncatingForgetsAndACopyIsIndependent) {
  const auto embeddings = tiny_.model.embed(ids_).unsqueeze(0);  // [1, 8, H]
  KvCache cache = tiny_.model.make_cache(1, 16);
  tiny_.model.step(embeddings.slice(1, 0, 4), cache);
  KvCache copy = copy_of(cache, 1);
  const auto expected = tiny_.model.step(embeddings.slice(1, 4), cache);
  cache.truncate(4);
  tiny_.model.step(torch::randn({1, 9, 64}, tiny_.model.device()), cache);
  cache.truncate(4);
  EXPECT_TRUE(torch::equal(tiny_.model.step(embeddings.slice(1, 4), cache), expected));
  EXPECT_TRUE(torch::equal(tiny_.model.step(embeddings.slice(1, 4), copy), expected));
  EXPECT_THROW(cache.truncate(9), Error);
  EXPECT_THROW(cache.slice(10, 7), Error);
}

TEST_F(LanguageModelTest, RowsOfACacheAreReorderedAfterTheirSharedPrefix) {
  const auto prefix = tiny_.model.embed(ids_).unsqueeze(0);
  const std::vector<int64_t> first = {300, 301, 302};
  const std::vector<int64_t> second = {310, 311, 312};
  const std::vector<int64_t> parents = {2, 0, 0};
  KvCache one = tiny_.model.make_cache(1, 16);
  tiny_.model.step(prefix, one);
  KvCache beams = copy_of(one, 3);
  tiny_.model.next(first, beams);
  beams.select(parents, 8);
  const auto logits = tiny_.model.next(second, beams);
  for (int64_t b = 0; b < 3; ++b) {
    KvCache alone = copy_of(one, 1);
    tiny_.model.next({&first[parents[b]], 1}, alone);
    const auto expected = tiny_.model.next({&second[b], 1}, alone);
    EXPECT_LT(largest_difference(logits[b], expected[0]), kTolerance) << b;
  }
}

TEST_F(LanguageModelTest, StepsOfFixedShapeGiveTheSameLogits) {
  const LanguageModel fixed(tiny_.module, LanguageModel::Steps::fixed);
  const auto prompt = fixed.embed(ids_).unsqueeze(0);
  KvCache cache = fixed.make_cache(1, 32);
  KvCache growing = tiny_.model.make_cache(1, 32);
  const auto read = [&](const torch::Tensor& embeddings) {
    const auto logits = fixed.step(embeddings, cache);
    EXPECT_LT(largest_difference(logits, tiny_.model.step(embeddings, growing)), kSameSteps);
    EXPECT_EQ(cache.length(), growing.length());
  };
  const auto advance = [&](std::initializer_list<int64_t> ids) {
    for (const int64_t id : ids) {
      const auto logits = fixed.next({&id, 1}, cache);
      EXPECT_LT(largest_difference(logits, tiny_.model.next({&id, 1}, growing)), kSameSteps) << id;
      EXPECT_EQ(cache.length(), growing.length());
    }
  };
  read(prompt);
  advance({300, 301, 302});
  cache.truncate(9);
  growing.truncate(9);
  advance({310, 311});
  read(prompt);
  advance({320, 321});
  const std::vector<int64_t> more(20, 300);
  EXPECT_THROW(fixed.step(fixed.embed(more).unsqueeze(0), cache), Error);
  while (cache.length() < 32) advance({300});
  EXPECT_THROW(fixed.next(ids_, cache), Error);
}

TEST_F(LanguageModelTest, RowsOfDifferentLengthsAreReadTogetherBehindSharedPrefixes) {
  const std::vector<int64_t> lengths = {3, 6, 1, 2};
  const std::vector<int64_t> next = {300, 301, 302, 303};
  const std::vector<int64_t> prefix_of = {0, 1, -1, 0};
  std::vector<KvCache> prefixes;
  for (const int64_t length : {2, 5}) {
    prefixes.push_back(tiny_.model.make_cache(1, 16));
    tiny_.model.step(torch::randn({1, length, 64}, tiny_.model.device()), prefixes.back());
  }
  KvCache rows = tiny_.model.make_cache(4, 16);
  std::vector<torch::Tensor> expected;
  for (int64_t row = 0; row < 4; ++row) {
    KvCache alone =
        prefix_of[row] < 0 ? tiny_.model.make_cache(1, 16) : copy_of(prefixes[prefix_of[row]], 1);
    const int64_t start = alone.length();
    tiny_.model.step(tiny_.model.embed({ids_.data(), size_t(lengths[row])}).unsqueeze(0), alone);
    rows.slice(0, lengths[row]).row(row).copy_from(alone.slice(start, lengths[row]));
    expected.push_back(tiny_.model.next({&next[row], 1}, alone)[0]);
  }
  const RowPlaces places{lengths, prefix_of, {prefixes[0].slice(0, 2), prefixes[1].slice(0, 5)}};
  const auto logits = tiny_.model.next_rows(next, places, rows);
  for (int64_t row = 0; row < 4; ++row) {
    EXPECT_LT(largest_difference(logits[row], expected[row]), kSameSteps) << row;
  }
}

TEST_F(LanguageModelTest, MoreThanTheCacheHoldsIsRefused) {
  KvCache cache = tiny_.model.make_cache(1, 4);
  EXPECT_THROW(tiny_.model.step(tiny_.model.embed(ids_).unsqueeze(0), cache), Error);
  EXPECT_EQ(cache.length(), 0);
}

}  // namespace
}  // namespace moviechat
