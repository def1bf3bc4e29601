#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "language/logits.h"
#include "language/sampler.h"
#include "language/stop_rule.h"
#include "moviechat/options.h"

namespace moviechat {

/// Logits of B beams, step by step → the best answer, as transformers 4.28 searches (no early
/// stopping; one sentence). Knows no model: the caller runs the beams' tokens, and reorders its
/// cache by parents(). One thread at a time.
class BeamSearch {
 public:
  /// An answer with its score: sum of log-probabilities / length^length_penalty. The length of one
  /// that EOS ended counts the EOS, and that of one still open counts one more token than it has
  /// (reference: 4.28's sequences begin with <s>).
  struct Hypothesis {
    std::vector<int64_t> ids;  // with the EOS that ended it
    double score = 0;
    bool finished = false;
  };

  BeamSearch(const GenerationOptions& options, const StopRule& stop);

  /// One step: logits [B · rows], which are used up → the beams' next tokens and parents.
  void advance(std::span<float> logits, const LogitsProcessors& processors, Random& random);

  /// Whether the search is over: no open beam can win, the first beam ends in a stop sequence, or
  /// the beams are as long as allowed.
  bool done() const { return done_; }

  const std::vector<int64_t>& tokens() const { return tokens_; }    // [B] to run next
  const std::vector<int64_t>& parents() const { return parents_; }  // [B] whose cache to go on with

  /// The best answer once done, and why it ended.
  Hypothesis best() const;
  FinishReason reason(const Hypothesis& best) const;

 private:
  struct Continuation {
    double score = 0;
    int64_t beam = 0;
    int64_t token = 0;
  };
  std::vector<Continuation> likeliest_continuations(std::span<const float> scores) const;
  std::vector<Continuation> drawn_continuations(std::span<const float> scores, Random& random);
  void take(const std::vector<Continuation>& continuations);
  void add(std::vector<Hypothesis>& hypotheses, Hypothesis hypothesis) const;
  double penalised(double log_probability, int64_t length) const;
  bool no_open_beam_can_win(double best_log_probability) const;

  GenerationOptions options_;
  StopRule stop_;
  Sampler sampler_;
  std::vector<std::vector<int64_t>> beams_;  // ids of each beam
  std::vector<double> log_probabilities_;    // of each beam
  std::vector<int64_t> tokens_;
  std::vector<int64_t> parents_;
  std::vector<Hypothesis> finished_;
  bool won_ = false;  // by finished answers: open beams no longer count
  bool done_ = false;
};

}  // namespace moviechat
