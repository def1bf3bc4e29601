#include "language/generator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>

#include "language/beam_search.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

/// Caches grow in such steps, so that questions of about the same length share one.
constexpr int64_t kCacheStep = 256;

void check_cancelled(const CancelFlag* cancel) {
  if (cancel != nullptr) cancel->check();
}

/// Gives a piece to the callbacks. The user may stop the answer here.
void tell(const TextStream::Piece& piece, const AnswerCallbacks& callbacks) {
  if (piece.restart && callbacks.on_restart) callbacks.on_restart();
  if (!piece.text.empty() && callbacks.on_text && !callbacks.on_text(piece.text)) throw Cancelled();
}

}  // namespace

bool Generator::Part::same_as(const Part& other) const {
  if (rows.defined() != other.rows.defined()) return false;
  if (!rows.defined()) return ids == other.ids;
  return rows.is_same(other.rows) ||
         (rows.sizes() == other.rows.sizes() && torch::equal(rows, other.rows));
}

Generator::Generator(const LanguageModel& model, const Tokenizer& tokenizer, PromptSpec spec,
                     GenerationOptions options)
    : model_(model),
      tokenizer_(tokenizer),
      spec_(std::move(spec)),
      options_(options),
      stop_{spec_.eos, spec_.stop, options.max_new_tokens},
      processors_(make_processors(options, spec_.eos)),
      sampler_(options) {
  options_.check();
  if (options_.max_new_tokens >= spec_.context) {
    throw InputError("generation.max_new_tokens must be less than the model's context (" +
                     std::to_string(spec_.context) + "), got " +
                     std::to_string(options_.max_new_tokens));
  }
}

Generation Generator::answer(const Prompt& prompt, const VideoTokens& video,
                             const AnswerCallbacks& callbacks, bool with_attention) {
  const c10::InferenceMode guard;
  const Layout layout = lay_out(prompt, video, callbacks.warn);
  Generation generation;
  const torch::Tensor logits = prefill(layout, callbacks.cancel, generation);  // [1, rows]
  if (options_.beams > 1) {
    generation.ids = follow_beams(logits, callbacks.cancel, generation.reason);
  } else {
    generation.ids = follow_one(logits, callbacks, generation.reason);
  }
  finish(generation, {{}, &video, with_attention}, layout, cache_);
  if (options_.beams > 1) tell({false, generation.text}, callbacks);
  return generation;
}

std::vector<Generation> Generator::answer_all(std::span<const GenerationRequest> requests,
                                              int64_t together, const AnswerCallbacks& callbacks) {
  if (together > 1 && options_.beams == 1 && model_.reads_rows()) {
    return follow_rows(requests, together, callbacks);
  }
  AnswerCallbacks silent;
  silent.warn = callbacks.warn;
  silent.cancel = callbacks.cancel;
  std::vector<Generation> generations;
  for (const GenerationRequest& request : requests) {
    generations.push_back(answer(request.prompt, *request.video, silent, request.with_attention));
    if (callbacks.on_answer) callbacks.on_answer();
  }
  return generations;
}

/// What follows from an answer's ids. The cache holds its prompt.
void Generator::finish(Generation& generation, const GenerationRequest& request,
                       const Layout& layout, KvCache& cache) const {
  generation.text = answer_text(spec_, tokenizer_, generation.ids);
  generation.answer_tokens = std::ssize(generation.ids);
  if (request.with_attention) {
    generation.attention =
        video_attention(layout, generation.ids, request.video->embeddings.size(0), cache);
  }
}

Generator::Layout Generator::lay_out(const Prompt& prompt, const VideoTokens& video,
                                     const WarningSink& warn) const {
  Layout layout;
  layout.parts = {{prompt.before, {}}, {{}, video.embeddings}, {prompt.after, {}}};
  for (const Part& part : layout.parts) layout.tokens += part.size();
  if (prompt.after.empty()) throw Error("prompt: expected text after the video, found none");

  // reference: what exceeds the context with the longest answer is cut from the prompt's left
  const int64_t limit = spec_.context - options_.max_new_tokens;
  const int64_t excess = std::max<int64_t>(0, layout.tokens - limit);
  if (excess > 0 && warn) {
    const int64_t video_end = layout.parts[0].size() + layout.parts[1].size();
    const std::string lost = excess <= layout.parts[0].size() ? "the text before the video"
                             : excess < video_end
                                 ? "the text before the video and part of the video"
                                 : "the video and all text before it";
    warn("the prompt has " + std::to_string(layout.tokens) + " tokens, but the context leaves " +
         std::to_string(limit) + " before an answer of up to " +
         std::to_string(options_.max_new_tokens) + ": " + std::to_string(excess) +
         " were cut from its beginning (" + lost +
         "); shorten the question or lower generation.max_new_tokens");
  }
  int64_t left = excess;
  for (Part& part : layout.parts) {
    const int64_t cut = std::min(left, part.size());
    left -= cut;
    if (cut == 0) continue;
    if (part.rows.defined()) {
      part.rows = part.rows.slice(0, cut);
      layout.video_cut = cut;
    } else {
      part.ids.erase(part.ids.begin(), part.ids.begin() + cut);
    }
  }
  layout.tokens -= excess;
  layout.video_start = layout.parts[0].size();
  return layout;
}

torch::Tensor Generator::prefill(const Layout& layout, const CancelFlag* cancel,
                                 Generation& generation) {
  const auto begin = std::chrono::steady_clock::now();
  make_room(capacity_for(layout.tokens));
  size_t known = 0;
  int64_t positions = 0;
  // The last part is always read again: its last position's logits are wanted.
  while (known + 1 < layout.parts.size() && known < cached_.size() &&
         layout.parts[known].same_as(cached_[known])) {
    positions += layout.parts[known++].size();
  }
  cache_.truncate(positions);
  cached_.resize(known);

  torch::Tensor logits;
  for (size_t i = known; i < layout.parts.size(); ++i) {
    const Part& part = layout.parts[i];
    if (part.size() > 0) {
      check_cancelled(cancel);
      const auto rows = part.rows.defined() ? part.rows : model_.embed(part.ids);  // [n, H]
      logits = model_.step(rows.unsqueeze(0), cache_);                             // [1, rows]
      prefilled_tokens_ += part.size();
    }
    if (i + 1 < layout.parts.size()) cached_.push_back(part);
  }
  generation.prompt_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  generation.prompt_tokens = layout.tokens;
  return logits;
}

int64_t Generator::capacity_for(int64_t prompt_tokens) const {
  const int64_t positions = prompt_tokens + options_.max_new_tokens;
  return std::min((positions + kCacheStep - 1) / kCacheStep * kCacheStep, spec_.context);
}

void Generator::make_room(int64_t capacity) {
  if (cache_.capacity() >= capacity) return;
  KvCache larger = model_.make_cache(1, capacity);
  if (cache_.length() > 0) larger.copy_from(cache_);
  cache_ = std::move(larger);
}

std::span<float> Generator::on_host(const torch::Tensor& logits) {
  // The one copy of a step, and on a GPU its one wait. Logits are a fresh tensor, so on a CPU they
  // are used where they are.
  torch::Tensor host = logits;
  if (!logits.is_cpu()) {
    if (!host_logits_.defined() || host_logits_.sizes() != logits.sizes()) {
      const auto host = torch::TensorOptions(logits.scalar_type()).pinned_memory(true);
      host_logits_ = torch::empty(logits.sizes(), host);
    }
    host_logits_.copy_(logits);
    host = host_logits_;
  }
  return {host.data_ptr<float>(), static_cast<size_t>(host.numel())};
}

/// Scores of the next token → it is chosen and added; why the answer ends with it, if it does.
std::optional<FinishReason> Generator::extend(Draft& draft, std::span<float> scores) {
  apply_all(processors_, draft.ids, scores);
  draft.ids.push_back(sampler_.choose(scores, draft.random));
  return stop_.ended(draft.ids);
}

std::vector<int64_t> Generator::follow_one(torch::Tensor logits, const AnswerCallbacks& callbacks,
                                           FinishReason& reason) {
  Draft draft{Random(options_.seed), {}};
  TextStream stream(spec_, tokenizer_);
  draft.ids.reserve(options_.max_new_tokens);
  while (true) {
    check_cancelled(callbacks.cancel);
    const auto ended = extend(draft, on_host(logits));
    tell(stream.add(draft.ids.back()), callbacks);
    if (ended) {
      reason = *ended;
      tell(stream.finish(), callbacks);
      return std::move(draft.ids);
    }
    logits = model_.next({&draft.ids.back(), 1}, cache_);  // [1, rows]
    ++decoding_steps_;
  }
}

std::vector<Generation> Generator::follow_rows(std::span<const GenerationRequest> requests,
                                               int64_t together, const AnswerCallbacks& callbacks) {
  const c10::InferenceMode guard;
  std::vector<Layout> layouts;
  int64_t capacity = 0;
  for (const GenerationRequest& request : requests) {
    layouts.push_back(lay_out(request.prompt, *request.video, callbacks.warn));
    capacity = std::max(capacity, capacity_for(layouts.back().tokens));
  }
  if (row_cache_.batch() != together || row_cache_.capacity() < capacity) {
    row_cache_ = model_.make_cache(together, capacity);
  }

  std::vector<Generation> generations(requests.size());
  std::vector<Draft> drafts(requests.size(), {Random(options_.seed), {}});
  std::vector<std::optional<size_t>> request_of(together);  // a row's, nullopt: idle
  std::vector<int64_t> tokens(together, spec_.eos);         // that the rows read next, and where
  std::vector<int64_t> positions(together, 0);
  size_t begun = 0;
  const auto advance = [&](int64_t row, std::span<float> scores) {
    const size_t index = *request_of[row];
    const auto ended = extend(drafts[index], scores);
    tokens[row] = drafts[index].ids.back();
    if (!ended) return;
    Generation& generation = generations[index];
    generation.ids = std::move(drafts[index].ids);
    generation.reason = *ended;
    KvCache of_row = row_cache_.row(row, layouts[index].tokens);
    finish(generation, requests[index], layouts[index], of_row);
    request_of[row].reset();
    positions[row] = 0;
    if (callbacks.on_answer) callbacks.on_answer();
  };
  while (true) {
    int64_t busy = 0;
    for (int64_t row = 0; row < together; ++row) {
      while (!request_of[row] && begun < requests.size()) {
        const size_t index = begun++;
        const auto logits = prefill(layouts[index], callbacks.cancel, generations[index]);
        row_cache_.set_row(row, cache_);
        request_of[row] = index;
        positions[row] = layouts[index].tokens;
        advance(row, on_host(logits));
      }
      busy += request_of[row] ? 1 : 0;
    }
    if (busy == 0) return generations;
    check_cancelled(callbacks.cancel);
    const auto logits = model_.next_at(tokens, positions, row_cache_);  // [B, rows]
    ++decoding_steps_;
    const std::span<float> scores = on_host(logits);
    const size_t width = scores.size() / static_cast<size_t>(together);
    for (int64_t row = 0; row < together; ++row) {
      if (!request_of[row]) continue;
      ++positions[row];
      advance(row, scores.subspan(static_cast<size_t>(row) * width, width));
    }
  }
}

std::vector<int64_t> Generator::follow_beams(const torch::Tensor& logits, const CancelFlag* cancel,
                                             FinishReason& reason) {
  const int64_t prompt = cache_.length();
  if (beam_cache_.capacity() < cache_.capacity()) {
    beam_cache_ = model_.make_cache(options_.beams, cache_.capacity());
  }
  beam_cache_.copy_from(cache_);
  Random random(options_.seed);
  BeamSearch search(options_, stop_);
  torch::Tensor scores = logits.repeat({options_.beams, 1});  // [B, rows]
  while (true) {
    check_cancelled(cancel);
    search.advance(on_host(scores), processors_, random);
    if (search.done()) break;
    beam_cache_.select(search.parents(), prompt);
    scores = model_.next(search.tokens(), beam_cache_);  // [B, rows]
    ++decoding_steps_;
  }
  const BeamSearch::Hypothesis best = search.best();
  reason = search.reason(best);
  return best.ids;
}

torch::Tensor Generator::video_attention(const Layout& layout, std::span<const int64_t> ids,
                                         int64_t queries, KvCache& cache) const {
  if (ids.size() > 1 && ids.back() == spec_.eos) ids = ids.first(ids.size() - 1);
  cache.truncate(layout.tokens);
  const auto answer = model_.embed(ids).unsqueeze(0);                  // [1, n, H]
  const auto attention = model_.step_attention(answer, cache).second;  // [1, n, P + n]
  cache.truncate(layout.tokens);
  auto to_video = torch::zeros({queries}, torch::kFloat);
  const int64_t left = queries - layout.video_cut;
  to_video.narrow(0, layout.video_cut, left)
      .copy_(attention[0].mean(0).narrow(0, layout.video_start, left));
  return to_video;
}

}  // namespace moviechat
