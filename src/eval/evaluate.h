#pragma once

#include <filesystem>
#include <optional>
#include <vector>
#include "base/json.h"

#include "datasets/data_set.h"
#include "eval/cost.h"
#include "eval/prediction.h"
#include "eval/shard.h"
#include "moviechat/engine.h"

namespace moviechat::eval {

/// Settings eval.*.
struct EvalSettings {
  bool strict = false;
};
template <class Visitor>
void visit_fields(EvalSettings& o, Visitor& field) {
  field("strict", o.strict,
        "a film that is another version than the annotated one (num_frame, fps) is an error, not a "
        "warning");
}

struct EvalOptions {
  std::optional<std::filesystem::path> videos;    // a folder
  std::optional<std::filesystem::path> features;  // or this one; no film is read without either
  std::filesystem::path out;
  Shard shard;
  bool resume = false;        // go on with the run that is in `out`, if there is one
  bool retry_failed = false;  // and ask again about the videos that failed
  bool evidence = false;
  bool moviechat_format = false;  // write what the authors' scoring scripts read, too
  EvalSettings settings;
};

/// Result of a run, earlier parts of it included.
struct EvalResult {
  int64_t videos = 0;
  int64_t questions = 0;
  std::vector<Failure> failed;
  CostReport cost;
};

/// Asks all questions of a data set, one pass a video, the next one watched while this one is
/// answered, and writes `out`/predictions.jsonl row by row. What a run was killed in is not lost:
/// with resume, the same rows result. A video that cannot be read gets a row that says why,
/// a question that cannot be asked a result that does.
/// `manifest` describes the run. Callbacks are called from two threads; on_text is not called.
EvalResult evaluate(const Engine& engine, const DataSet& data,
                    const nlohmann::ordered_json& manifest, const EvalOptions& options,
                    const Callbacks& callbacks);

}  // namespace moviechat::eval
