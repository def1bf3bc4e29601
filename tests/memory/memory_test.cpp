#include "memory/memory_policy.h"

#include "support_for_tests/memory.h"
#include "support_for_tests/tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace moviechat {
namespace {

using testing::add;
using testing::at_moment;
using ::testing::HasSubstr;
using testing::whole_film;

Block frame_at(int64_t i, torch::Tensor features) {
  return {std::move(features), Seconds(0.5 * static_cast<double>(i)),
          Seconds(0.5 * static_cast<double>(i + 1)), 1};
}

/// Smoothly changing blocks with cuts: what films look like. → [T, N, C]
torch::Tensor random_film(int64_t frames, uint64_t seed) {
  torch::manual_seed(seed);
  const auto scene = torch::randn({frames / 12 + 1, 4, 8}).repeat_interleave(12, 0);
  return scene.slice(0, 0, frames) + 0.3 * torch::randn({frames, 4, 8});
}

// --- A straightforward reference: plain loops over doubles, everything compared again every time.

struct PlainBlock {
  std::vector<std::vector<float>> tokens;
  double frames = 0;
};

PlainBlock plain(const torch::Tensor& features) {
  PlainBlock block;
  for (int64_t n = 0; n < features.size(0); ++n) {
    block.tokens.emplace_back();
    for (int64_t c = 0; c < features.size(1); ++c) {
      block.tokens.back().push_back(features[n][c].item<float>());
    }
  }
  block.frames = 1;
  return block;
}

double plain_similarity(const PlainBlock& x, const PlainBlock& y, Similarity kind) {
  const auto dot = [](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
  };
  double total = 0;
  const size_t tokens = x.tokens.size();
  if (kind == Similarity::cosine) {
    for (size_t j = 0; j < tokens; ++j) {
      total += dot(x.tokens[j], y.tokens[j]) /
               std::sqrt(dot(x.tokens[j], x.tokens[j]) * dot(y.tokens[j], y.tokens[j]));
    }
    return total / static_cast<double>(tokens);
  }
  for (size_t p = 0; p < tokens; ++p) {
    for (size_t q = 0; q < tokens; ++q) total += dot(x.tokens[p], y.tokens[q]);
  }
  return total / static_cast<double>(tokens * tokens);
}

void plain_merge(std::vector<PlainBlock>& blocks, size_t keep, Similarity kind, bool weighted) {
  while (blocks.size() > keep) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < blocks.size(); ++i) {
      if (plain_similarity(blocks[i], blocks[i + 1], kind) >
          plain_similarity(blocks[best], blocks[best + 1], kind)) {
        best = i;
      }
    }
    PlainBlock& x = blocks[best];
    const PlainBlock& y = blocks[best + 1];
    const double wx = weighted ? x.frames / (x.frames + y.frames) : 0.5;
    for (size_t n = 0; n < x.tokens.size(); ++n) {
      for (size_t c = 0; c < x.tokens[n].size(); ++c) {
        x.tokens[n][c] = static_cast<float>(wx * x.tokens[n][c] + (1 - wx) * y.tokens[n][c]);
      }
    }
    x.frames += y.frames;
    blocks.erase(blocks.begin() + static_cast<int64_t>(best) + 1);
  }
}

std::vector<PlainBlock> plain_memory(const torch::Tensor& film, const MemoryOptions& options) {
  std::vector<PlainBlock> long_term;
  std::vector<PlainBlock> short_term;
  int64_t new_blocks = 0;
  const auto consolidate = [&] {
    plain_merge(short_term, options.keep, options.similarity, false);
    for (PlainBlock& block : short_term) {
      block.frames = static_cast<double>(new_blocks) / static_cast<double>(short_term.size());
      long_term.push_back(block);
      block.frames = 0;
    }
    plain_merge(long_term, options.long_capacity, options.similarity,
                options.merge == Merge::weighted);
    new_blocks = 0;
  };
  for (int64_t i = 0; i < film.size(0); ++i) {
    short_term.push_back(plain(film[i]));
    if (++new_blocks == options.window()) consolidate();
  }
  if (new_blocks > 0) consolidate();
  return long_term;
}

struct StreamCase {
  std::string name;
  Similarity similarity;
  Merge merge;
  int64_t frames;
  int64_t short_capacity;
  int64_t keep;
  int64_t long_capacity;
};

class RandomStream : public ::testing::TestWithParam<StreamCase> {};

TEST_P(RandomStream, EqualsThePlainReference) {
  const StreamCase& c = GetParam();
  MemoryOptions options;
  options.short_capacity = c.short_capacity;
  options.keep = c.keep;
  options.long_capacity = c.long_capacity;
  options.similarity = c.similarity;
  options.merge = c.merge;
  const auto film = random_film(c.frames, 7);
  const auto memory = make_memory(options);
  for (int64_t i = 0; i < film.size(0); ++i) add(*memory, frame_at(i, film[i]));
  const MemoryView view = whole_film(*memory);
  const auto expected = plain_memory(film, options);
  ASSERT_EQ(view.size(), static_cast<int64_t>(expected.size()));
  for (int64_t t = 0; t < view.size(); ++t) {
    EXPECT_NEAR(view.spans[t].frames, expected[t].frames, 1e-9);
    for (int64_t n = 0; n < 4; ++n) {
      for (int64_t k = 0; k < 8; ++k) {
        ASSERT_NEAR(view.blocks[t][n][k].item<float>(), expected[t].tokens[n][k], 1e-5)
            << "block " << t;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Settings, RandomStream,
    ::testing::Values(StreamCase{"cosine", Similarity::cosine, Merge::weighted, 150, 18, 2, 256},
                      StreamCase{"dot", Similarity::dot, Merge::weighted, 150, 18, 2, 256},
                      StreamCase{"overflow", Similarity::cosine, Merge::weighted, 290, 18, 2, 9},
                      StreamCase{"overflow_mean", Similarity::dot, Merge::mean, 290, 18, 2, 9},
                      StreamCase{"other_sizes", Similarity::cosine, Merge::weighted, 131, 7, 3,
                                 11}),
    [](const auto& test) { return test.param.name; });

// --- Properties.

struct SpanCase {
  std::string name;
  Policy policy;
  int64_t frames;
  int64_t long_capacity;
};

class Spans : public ::testing::TestWithParam<SpanCase> {};

TEST_P(Spans, CoverTheFilmInOrderWithoutGapsAndCountEveryFrame) {
  MemoryOptions options;
  options.policy = GetParam().policy;
  options.long_capacity = GetParam().long_capacity;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto film = random_film(GetParam().frames, seed);
    const auto memory = make_memory(options);
    for (int64_t i = 0; i < film.size(0); ++i) {
      add(*memory, frame_at(i, film[i]));
      if (i % 8 == 7) memory->end_clip();
      ASSERT_LE(std::ssize(memory->long_term()), options.long_capacity);
      if (options.policy == Policy::window) {
        ASSERT_LT(std::ssize(memory->short_term()), options.short_capacity);
      }
    }
    const MemoryView view = whole_film(*memory, 1000);
    Seconds reached(0);
    double frames = 0;
    for (const Span& span : view.spans) {
      EXPECT_EQ(span.start, reached);
      EXPECT_GE(span.end, span.start);
      reached = span.end;
      frames += span.frames;
    }
    EXPECT_EQ(reached, Seconds(0.5 * static_cast<double>(GetParam().frames)));
    EXPECT_NEAR(frames, static_cast<double>(GetParam().frames), 1e-9);
  }
}

INSTANTIATE_TEST_SUITE_P(Flows, Spans,
                         ::testing::Values(SpanCase{"window", Policy::window, 203, 256},
                                           SpanCase{"window_overflow", Policy::window, 500, 8},
                                           SpanCase{"clip", Policy::per_clip, 203, 256},
                                           SpanCase{"clip_overflow", Policy::per_clip, 203, 8},
                                           SpanCase{"never", Policy::keep_all, 32, 256},
                                           SpanCase{"one_frame", Policy::window, 1, 256}),
                         [](const auto& test) { return test.param.name; });

TEST(Memory, FeaturesThatStayKnowWhenTheyWereOnScreen) {
  // Two frames of one kind, then many of another: the first kind stays in short-term memory.
  const auto kinds = random_film(2, 3);
  MemoryOptions options;
  options.short_capacity = 6;
  const auto memory = make_memory(options);
  for (int64_t i = 0; i < 12; ++i) add(*memory, frame_at(i, kinds[i < 2 ? 0 : 1]));
  const MemoryView view = whole_film(*memory);
  ASSERT_EQ(view.size(), 6);
  for (const int64_t t : {2, 4}) {
    EXPECT_TRUE(torch::equal(view.blocks[t], kinds[0]));
    EXPECT_EQ(view.spans[t].start, view.spans[t].end);
    EXPECT_EQ(view.spans[t].origin, (view.spans[0].start + view.spans[0].end) / 2);
  }
}

TEST(Memory, WhatAMomentSeesIsTheSameWhateverComesLater) {
  const auto film = random_film(100, 3);
  const auto memory = make_memory({});
  for (int64_t i = 0; i < 60; ++i) add(*memory, frame_at(i, film[i]));
  const MemoryView during = at_moment(*memory, frame_at(60, film[60]));
  MemoryBlocks kept = memory->at({Seconds(30), ""});
  for (int64_t i = 60; i < 100; ++i) add(*memory, frame_at(i, film[i]));
  kept.current = frame_at(60, film[60]);
  EXPECT_TRUE(torch::equal(during.blocks, view_of(kept, 256).blocks));
  EXPECT_EQ(during.long_blocks, 6);    // three full windows of 16
  EXPECT_EQ(during.short_blocks, 12);  // not yet consolidated, without the two merged ones
  EXPECT_TRUE(during.current);
  for (int64_t i = 0; i < 12; ++i) {
    EXPECT_TRUE(torch::equal(during.blocks[6 + i], film[48 + i])) << i;
  }
}

TEST(Memory, AtTheFirstFrameThereIsOnlyTheCurrentOne) {
  const auto film = random_film(1, 3);
  const MemoryView view = at_moment(*make_memory({}), frame_at(0, film[0]));
  EXPECT_EQ(view.size(), 1);
  EXPECT_TRUE(torch::equal(view.blocks[0], film[0]));
}

TEST(Memory, AClipsFramesAreSeenMergedAndUnmergedAtAMoment) {
  const auto film = random_film(12, 3);
  MemoryOptions options;
  options.policy = Policy::per_clip;
  const auto memory = make_memory(options);
  for (int64_t i = 0; i < 8; ++i) add(*memory, frame_at(i, film[i]));
  memory->end_clip();
  for (int64_t i = 8; i < 11; ++i) add(*memory, frame_at(i, film[i]));
  const MemoryView view = at_moment(*memory, frame_at(11, film[11]));
  EXPECT_EQ(view.long_blocks, 4);
  EXPECT_EQ(view.short_blocks, 3);
  EXPECT_TRUE(torch::equal(view.blocks.slice(0, 4, 7), film.slice(0, 8, 11)));
  memory->end_clip();
  memory->end_clip();  // a clip cut to nothing leaves nothing un-merged
  EXPECT_EQ(at_moment(*memory, frame_at(11, film[11])).short_blocks, 0);
}

TEST(Memory, AWindowsEmptyRemainderAddsNothing) {
  const auto film = random_film(16, 3);
  const auto memory = make_memory({});
  for (int64_t i = 0; i < 16; ++i) add(*memory, frame_at(i, film[i]));
  EXPECT_EQ(whole_film(*memory).size(), 2);
}

TEST(Memory, AGlobalViewDropsTheOldestBlocksThatHaveNoPosition) {
  const auto film = random_film(160, 3);
  const auto memory = make_memory({});
  for (int64_t i = 0; i < 160; ++i) add(*memory, frame_at(i, film[i]));
  const MemoryView all = whole_film(*memory);
  const MemoryView few = whole_film(*memory, 5);
  EXPECT_EQ(few.dropped, 15);
  EXPECT_TRUE(torch::equal(few.blocks, all.blocks.slice(0, 15)));
  EXPECT_EQ(few.spans.front().start, all.spans[15].start);
}

TEST(Memory, ItemsMergedByTheWindowNeverChangeTheInput) {
  const auto film = random_film(64, 3);
  const auto before = film.clone();
  const auto memory = make_memory({});
  for (int64_t i = 0; i < 64; ++i) add(*memory, frame_at(i, film[i]));
  EXPECT_TRUE(torch::equal(film, before));
}

TEST(Memory, ErrorsNameWhatWasFoundAndExpected) {
  const auto message = [](auto&& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  MemoryOptions options;
  options.short_capacity = 2;
  EXPECT_EQ(message([&] { options.check(); }),
            "memory.short_capacity must exceed memory.keep (2), got 2");
  options = {};
  options.keep = 0;
  EXPECT_EQ(message([&] { options.check(); }), "memory.keep must be 1 to 65536, got 0");
  options = {};
  options.long_capacity = 1;
  EXPECT_EQ(message([&] { make_memory(options); }),
            "memory.long_capacity must be at least memory.keep (2), got 1");
  const auto memory = make_memory({});
  EXPECT_THAT(message([&] { whole_film(*memory); }), HasSubstr("no frame"));
  add(*memory, frame_at(0, torch::zeros({4, 8})));
  EXPECT_THAT(message([&] {
                add(*memory, frame_at(1, torch::zeros({4, 9})));
              }),
              HasSubstr("expected a block [4, 8] like those before, got [4, 9]"));
  options = {};
  options.policy = Policy::keep_all;
  const auto uniform = make_memory(options, /*most_blocks=*/4);
  const auto add_all = [&] {
    for (int64_t i = 0; i < 5; ++i) add(*uniform, frame_at(i, torch::zeros({4, 8})));
  };
  EXPECT_THAT(message(add_all), HasSubstr("at most 4 frames of a film"));
}

TEST(MemoryOptions, NoCapacityIsWithoutLimit) {
  MemoryOptions options;
  options.short_capacity = 1'000'000'000;
  EXPECT_THROW(options.check(), InputError);
  options = {};
  options.long_capacity = std::numeric_limits<int64_t>::max();
  EXPECT_THROW(options.check(), InputError);
}

TEST(MemoryOptions, EveryFieldIsSetByItsName) {
  MemoryOptions options;
  set_field(options, "short_capacity", "10");
  set_field(options, "similarity", "dot");
  set_field(options, "merge", "mean");
  set_field(options, "policy", "keep_all");
  EXPECT_EQ(options.window(), 8);
  EXPECT_EQ(options.similarity, Similarity::dot);
  EXPECT_EQ(options.merge, Merge::mean);
  EXPECT_EQ(options.policy, Policy::keep_all);
}

TEST(MemoryOptions, ThePolicyIsReadByItsFormerNameToo) {
  MemoryOptions options;
  for (const auto& [former, policy] :
       {std::pair("clip", Policy::per_clip), std::pair("never", Policy::keep_all),
        std::pair("window", Policy::window)}) {
    set_field(options, "consolidation", former);
    EXPECT_EQ(options.policy, policy);
  }
  EXPECT_THROW(set_field(options, "consolidation", "often"), InputError);
  for (const FieldText& field : list_fields(options)) EXPECT_NE(field.key, "consolidation");
}

}  // namespace
}  // namespace moviechat
