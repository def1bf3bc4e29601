#include "language/text_decoder.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "language/answer_draft.h"
#include "language/answer_text.h"
#include "language/beam_search.h"
#include "language/prompt_layout.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

/// Capacities are multiples of this, so that answers of about the same length share one.
constexpr int64_t kCapacityMultiple = 64;

int64_t rounded_up(int64_t positions) {
  return (positions + kCapacityMultiple - 1) / kCapacityMultiple * kCapacityMultiple;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

/// Beams of one answer. They share its film, and have what follows it for themselves.
struct TextDecoder::Beams {
  KvCache tails;       // models without step_rows keep the whole prompt here
  int64_t common = 0;  // positions at their beginning that are the same in all
  BeamSearch search;
  LogitsProcessors processors;
  Random random;
};

/// A request that is being answered, or waits for that.
struct TextDecoder::Row {
  Row(GenerationRequest asked, const PromptSpec& spec, const Tokenizer& tokenizer)
      : request(std::move(asked)), draft(request.options, spec, tokenizer) {}

  GenerationRequest request;
  std::promise<Generation> promise;
  Generation generation;
  PromptLayout layout;
  std::shared_ptr<Prefix> prefix;
  int64_t place = -1;     // among the rows
  int64_t tail = 0;       // positions behind the prefix that were read
  bool decoding = false;  // the prompt was read
  bool ended = false;
  AnswerDraft draft;
  std::optional<Beams> beams;

  int64_t longest_tail() const { return std::ssize(layout.tail) + request.options.max_new_tokens; }
};

TextDecoder::TextDecoder(const LanguageModel& model, const Tokenizer& tokenizer, PromptSpec spec,
                         PrefixCache& prefixes, int64_t rows)
    : model_(model),
      tokenizer_(tokenizer),
      spec_(std::move(spec)),
      prefixes_(prefixes),
      rows_(model.reads_rows() ? rows : 1) {}

TextDecoder::~TextDecoder() = default;

std::future<Generation> TextDecoder::join(GenerationRequest request) {
  check_generation(request.options, spec_);
  auto row = std::make_unique<Row>(std::move(request), spec_, tokenizer_);
  row->layout = lay_out(row->request.prompt, row->request.video, spec_, row->request.options,
                        row->request.callbacks.warn);
  auto answer = row->promise.get_future();
  waiting_.push_back(std::move(row));
  return answer;
}

Generation TextDecoder::answer(GenerationRequest request) {
  auto answer = join(std::move(request));
  while (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) step();
  return answer.get();
}

void TextDecoder::reset() {
  waiting_.clear();
  for (auto& row : rows_) row.reset();
  tails_ = {};
}

bool TextDecoder::step() {
  const c10::InferenceMode guard;
  read_prompts();
  for (auto& row : rows_) {
    if (row == nullptr || !row->decoding) continue;
    if (row->beams) {
      guarded(row, [&](Row& one) { decode_beams(one); });
    } else if (!has_several_rows()) {
      guarded(row, [&](Row& one) { decode_alone(one); });
    }
  }
  if (has_several_rows()) decode_rows();
  const auto busy = [](const auto& row) { return row != nullptr; };
  return !waiting_.empty() || std::any_of(rows_.begin(), rows_.end(), busy);
}

template <class Work>
void TextDecoder::guarded(std::unique_ptr<Row>& row, const Work& work) {
  try {
    row->request.callbacks.check();
    work(*row);
    if (!row->ended) return;
    row->promise.set_value(std::move(row->generation));
  } catch (...) {
    row->promise.set_exception(std::current_exception());
  }
  row.reset();
}

void TextDecoder::let_rows_join() {
  for (size_t place = 0; place < rows_.size(); ++place) {
    while (rows_[place] == nullptr && !waiting_.empty()) {
      rows_[place] = std::move(waiting_.front());
      waiting_.pop_front();
      rows_[place]->place = static_cast<int64_t>(place);
      guarded(rows_[place], [&](Row& row) { make_room(row); });
    }
  }
}

/// Where rows share prefixes, room for a row's tail among the others'.
void TextDecoder::make_room(const Row& row) {
  if (!has_several_rows() || tails_.capacity() >= row.longest_tail()) return;
  KvCache larger = model_.make_cache(std::ssize(rows_), rounded_up(row.longest_tail()));
  if (tails_.capacity() > 0) {
    larger.slice(0, tails_.capacity()).copy_from(tails_.slice(0, tails_.capacity()));
  }
  tails_ = std::move(larger);
}

/// Reads prompts of rows that joined: all there are, or as much as a step may take of the others'
/// time.
void TextDecoder::read_prompts() {
  int64_t left = std::numeric_limits<int64_t>::max();
  for (const auto& row : rows_) {
    if (row != nullptr && row->decoding) left = kPositionsOfStep;
  }
  while (left > 0) {
    let_rows_join();
    const auto row = std::find_if(rows_.begin(), rows_.end(),
                                  [](const auto& one) { return one != nullptr && !one->decoding; });
    if (row == rows_.end()) return;
    guarded(*row, [&](Row& one) { left -= read_piece(one); });
  }
}

/// Reads the next piece of a row's prompt → its positions.
int64_t TextDecoder::read_piece(Row& row) {
  const auto begin = std::chrono::steady_clock::now();
  if (row.prefix == nullptr) row.prefix = prefixes_.find(row.layout.prefix, row.longest_tail());
  Prefix& prefix = *row.prefix;
  int64_t count = 0;
  torch::Tensor logits;
  if (!prefix.is_read()) {
    count = read_prefix(prefix);
  } else {
    restore_tail(row);
    const std::span<const int64_t> ids = row.layout.tail;
    count = std::min<int64_t>(kPiece, std::ssize(ids) - row.tail);
    logits = model_.step(model_.embed(ids.subspan(row.tail, count)).unsqueeze(0), prefix.cache);
    store_tail(row, row.tail, count);
    row.tail += count;
  }
  prefilled_tokens_ += count;
  row.generation.prompt_seconds += seconds_since(begin);
  if (row.tail == std::ssize(row.layout.tail)) begin_answer(row, logits);
  return count;
}

/// Reads the next piece of the first part that was not read.
int64_t TextDecoder::read_prefix(Prefix& prefix) {
  int64_t start = 0;
  for (const PrefixPart& part : prefix.parts) {
    const int64_t read = prefix.cache.length() - start;
    start += part.size();
    if (read >= part.size()) continue;
    const int64_t count = std::min(kPiece, part.size() - read);
    const torch::Tensor embeddings =
        part.embeddings.defined()
            ? part.embeddings.slice(0, read, read + count)
            : model_.embed(std::span(part.ids).subspan(read, count));  // [n, H]
    model_.step(embeddings.unsqueeze(0), prefix.cache);
    return count;
  }
  return 0;
}

/// Where rows share a prefix, what stands behind it is scratch: a row's tail is kept among tails_.
void TextDecoder::store_tail(Row& row, int64_t start, int64_t count) {
  if (!has_several_rows()) return;
  const KvSlice read = row.prefix->cache.slice(row.prefix->length + start, count);
  tails_.slice(start, count).row(row.place).copy_from(read);
}

void TextDecoder::restore_tail(Row& row) {
  KvCache& cache = row.prefix->cache;
  if (has_several_rows() && row.tail > 0) {
    cache.slice(row.prefix->length, row.tail).copy_from(tails_.slice(0, row.tail).row(row.place));
  }
  cache.set_length(row.prefix->length + row.tail);
}

/// The prompt was read, with logits [1, V] of the first token.
void TextDecoder::begin_answer(Row& row, const torch::Tensor& logits) {
  row.decoding = true;
  row.generation.prompt_tokens = row.layout.tokens();
  const int64_t beams = row.request.options.beams;
  if (beams == 1) {
    extend(row, on_host(logits));
    return;
  }
  begin_beams(row);
  extend_beams(row, logits.repeat({beams, 1}));  // [B, V]
}

void TextDecoder::begin_beams(Row& row) {
  const GenerationOptions& options = row.request.options;
  const int64_t first = model_.reads_rows() ? row.prefix->length : 0;
  const int64_t common = row.layout.tokens() - first;
  const StopRule stop{spec_.eos, spec_.stop, options.max_new_tokens};
  row.beams.emplace(
      Beams{model_.make_cache(options.beams, rounded_up(common + options.max_new_tokens)), common,
            BeamSearch(options, stop), make_processors(options, spec_.eos), Random(options.seed)});
  row.beams->tails.slice(0, common).copy_from(row.prefix->cache.slice(first, common));
  row.beams->tails.set_length(common);
}

/// The next token of the only row, right behind its prompt.
void TextDecoder::decode_alone(Row& row) {
  const torch::Tensor logits = model_.next({&row.draft.ids().back(), 1}, row.prefix->cache);
  ++decoding_steps_;
  extend(row, on_host(logits));  // [1, V]
}

void TextDecoder::decode_beams(Row& row) {
  Beams& beams = *row.beams;
  const std::vector<int64_t>& tokens = beams.search.tokens();
  beams.tails.select(beams.search.parents(), beams.common);
  torch::Tensor logits;  // [B, V]
  if (model_.reads_rows()) {
    const RowPlaces places{std::vector<int64_t>(tokens.size(), beams.tails.length()),
                           std::vector<int64_t>(tokens.size(), 0),
                           {row.prefix->cache.slice(0, row.prefix->length)}};
    logits = model_.next_rows(tokens, places, beams.tails);
    beams.tails.set_length(beams.tails.length() + 1);
  } else {
    logits = model_.next(tokens, beams.tails);
  }
  ++decoding_steps_;
  extend_beams(row, logits);
}

/// One step of all rows that share prefixes.
void TextDecoder::decode_rows() {
  std::vector<int64_t> tokens(rows_.size(), spec_.eos);
  RowPlaces places{
      std::vector<int64_t>(rows_.size(), 0), std::vector<int64_t>(rows_.size(), -1), {}};
  std::vector<const Prefix*> prefixes;
  std::vector<std::unique_ptr<Row>*> busy;
  for (size_t place = 0; place < rows_.size(); ++place) {
    const Row* row = rows_[place].get();
    if (row == nullptr) continue;
    places.slots[place] = row->tail;  // also of those that do not take part: nothing is kept there
    if (!row->decoding || row->beams) continue;
    busy.push_back(&rows_[place]);
    tokens[place] = row->draft.ids().back();
    auto prefix = std::find(prefixes.begin(), prefixes.end(), row->prefix.get());
    if (prefix == prefixes.end()) {
      prefix = prefixes.insert(prefix, row->prefix.get());
      places.prefixes.push_back(row->prefix->cache.slice(0, row->prefix->length));
    }
    places.prefix_of[place] = prefix - prefixes.begin();
  }
  if (busy.empty()) return;
  std::span<float> all;
  torch::Tensor logits;  // [B, V], of which `all` is a view
  try {
    logits = model_.next_rows(tokens, places, tails_);
    all = on_host(logits);
  } catch (...) {
    for (auto* row : busy) guarded(*row, [](Row&) { throw; });
    return;
  }
  ++decoding_steps_;
  const size_t width = all.size() / rows_.size();
  for (auto* row : busy) {
    guarded(*row, [&](Row& one) {
      ++one.tail;
      extend(one, all.subspan(static_cast<size_t>(one.place) * width, width));
    });
  }
}

void TextDecoder::extend(Row& row, std::span<float> logits) {
  const auto ended = row.draft.extend(logits, row.request.callbacks);
  if (ended) finish(row, row.draft.ids(), *ended);
}

void TextDecoder::extend_beams(Row& row, const torch::Tensor& logits) {
  Beams& beams = *row.beams;
  beams.search.advance(on_host(logits), beams.processors, beams.random);
  if (!beams.search.done()) return;
  const BeamSearch::Hypothesis best = beams.search.best();
  finish(row, best.ids, beams.search.reason(best));
  row.request.callbacks.show({false, row.generation.text});
}

void TextDecoder::finish(Row& row, std::vector<int64_t> ids, FinishReason reason) {
  row.generation.ids = std::move(ids);
  row.generation.reason = reason;
  row.generation.text = answer_text(spec_, tokenizer_, row.generation.ids);
  row.generation.answer_tokens = std::ssize(row.generation.ids);
  if (row.request.with_attention) row.generation.attention = video_attention(row);
  row.ended = true;
}

/// Reads the answer again, behind its prompt → attention of its tokens to the video embeddings [Q].
torch::Tensor TextDecoder::video_attention(Row& row) {
  const PromptLayout& layout = row.layout;
  std::span<const int64_t> ids = row.generation.ids;
  if (ids.size() > 1 && ids.back() == spec_.eos) ids = ids.first(ids.size() - 1);
  row.tail = std::ssize(layout.tail);
  restore_tail(row);
  KvCache& cache = row.prefix->cache;
  const auto answer = model_.embed(ids).unsqueeze(0);                  // [1, n, H]
  const auto attention = model_.step_attention(answer, cache).second;  // [1, n, P + n]
  const int64_t queries = row.request.video.size(0);
  auto to_video = torch::zeros({queries}, torch::kFloat);
  const int64_t left = queries - layout.video_cut;
  to_video.narrow(0, layout.video_cut, left)
      .copy_(attention[0].mean(0).narrow(0, layout.video_start, left));
  return to_video;
}

std::span<float> TextDecoder::on_host(const torch::Tensor& logits) {
  // The one copy of a step, and on a GPU its one wait. Logits are a fresh tensor, so on a CPU they
  // are used where they are.
  torch::Tensor host = logits;
  if (!logits.is_cpu()) {
    if (!host_logits_.defined() || host_logits_.sizes() != logits.sizes()) {
      const auto options = torch::TensorOptions(logits.scalar_type()).pinned_memory(true);
      host_logits_ = torch::empty(logits.sizes(), options);
    }
    host_logits_.copy_(logits);
    host = host_logits_;
  }
  return {host.data_ptr<float>(), static_cast<size_t>(host.numel())};
}

}  // namespace moviechat
