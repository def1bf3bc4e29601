#include "language/find_evidence.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "moviechat/error.h"

namespace moviechat {
namespace {

constexpr Seconds kSameTime(1e-6);

struct Scored {
  size_t block;
  Span span;
  double score;
};

std::vector<Scored> score_blocks(const torch::Tensor& answer_attention,
                                 const torch::Tensor& reader_attention,
                                 const std::vector<Span>& spans) {
  const auto answer = answer_attention.to(torch::kCPU, torch::kDouble);  // [Q]
  const auto reader = reader_attention.to(torch::kCPU, torch::kDouble);  // [Q, T]
  const auto scores = torch::matmul(answer, reader).contiguous();        // [T]
  const double* score = scores.const_data_ptr<double>();
  const auto has_time = [](const Span& span) { return span.end - span.start > kSameTime; };
  std::vector<Scored> scored;
  for (size_t t = 0; t < spans.size(); ++t) {
    if (has_time(spans[t])) scored.push_back({t, spans[t], score[t]});
  }
  for (size_t t = 0; t < spans.size(); ++t) {
    if (has_time(spans[t])) continue;
    const auto source = std::find_if(scored.begin(), scored.end(), [&](const Scored& s) {
      return s.span.start <= spans[t].origin && spans[t].origin < s.span.end;
    });
    if (source != scored.end()) source->score += score[t];
  }
  return scored;
}

}  // namespace

std::vector<Evidence> find_evidence(const torch::Tensor& answer_attention,
                                    const torch::Tensor& reader_attention,
                                    const std::vector<Span>& spans, double share) {
  if (reader_attention.dim() != 2 || answer_attention.dim() != 1 ||
      reader_attention.size(0) != answer_attention.size(0) ||
      reader_attention.size(1) != static_cast<int64_t>(spans.size())) {
    throw Error("evidence: expected attention [Q] and [Q, " + std::to_string(spans.size()) + "]");
  }
  std::vector<Scored> scored = score_blocks(answer_attention, reader_attention, spans);
  const double total = std::accumulate(scored.begin(), scored.end(), 0.0,
                                       [](double sum, const Scored& s) { return sum + s.score; });
  if (!(total > 0)) return {};

  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  double kept = 0;
  size_t count = 0;
  while (count < scored.size() && (count == 0 || kept < share * total))
    kept += scored[count++].score;
  scored.resize(count);

  std::sort(scored.begin(), scored.end(), [](const Scored& a, const Scored& b) {
    return a.span.start != b.span.start ? a.span.start < b.span.start : a.block < b.block;
  });
  std::vector<Evidence> named;
  size_t last_block = 0;
  for (const Scored& s : scored) {
    const bool joined = !named.empty() &&
                        (s.block == last_block + 1 || s.span.start <= named.back().end + kSameTime);
    if (!joined) named.push_back({s.span.start, s.span.end, 0});
    named.back().end = std::max(named.back().end, s.span.end);
    named.back().score += s.score / kept;
    last_block = s.block;
  }
  return named;
}

}  // namespace moviechat
