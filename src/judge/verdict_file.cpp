#include "judge/verdict_file.h"

#include <fmt/format.h>

#include "base/json.h"

#include "base/files.h"
#include "base/text.h"
#include "judge/endpoint.h"
#include "moviechat/error.h"

namespace moviechat::judge {
namespace {

using Json = nlohmann::ordered_json;

/// A line of the file.
struct Reply {
  std::string key;
  std::string model;
  std::string prompt_sha256;
  std::optional<std::string> pred;
  std::optional<double> score;
  std::optional<TokenUsage> usage;
  std::string reply;
};
template <class Visitor>
void visit_fields(Reply& o, Visitor& field) {
  field("key", o.key);
  field("model", o.model);
  field("prompt_sha256", o.prompt_sha256);
  field("pred", o.pred);
  field("score", o.score);
  field("usage", o.usage);
  field("reply", o.reply);
}

std::string origin(const std::filesystem::path& path, int64_t line) {
  return fmt::format("verdicts '{}' line {}", path.string(), line);
}

}  // namespace

VerdictFile::VerdictFile(const std::filesystem::path& path)
    : file_(path, "verdicts", "{\"key\":", [&](int64_t number, std::string_view line) {
        count_line(line, origin(path, number));
      }) {}

void VerdictFile::take_over(const std::filesystem::path& other, const std::set<std::string>& keys) {
  std::error_code ignored;
  if (!std::filesystem::exists(other, ignored)) return;
  std::set<std::string> wanted;
  for (const std::string& key : keys) {
    if (kept_.count(key) == 0) wanted.insert(key);
  }
  for_each_line(read_file(other, "verdicts"), [&](int64_t number, std::string_view line) {
    const Json json = parse_json<Json>(line);
    if (!json.is_object() || !wanted.contains(json.value("key", ""))) return;
    count_line(line, origin(other, number));
    file_.add(line);
  });
}

std::string VerdictFile::key_of(const JudgeOptions& options, const JudgeQuestion& question) {
  return sha256(request_body(options, question));
}

KeptReplies VerdictFile::replies(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key);
  return found == kept_.end() ? KeptReplies() : found->second;
}

void VerdictFile::add(const std::string& key, const std::string& model, const std::string& reply,
                      const std::optional<TokenUsage>& usage) {
  const auto verdict = parse_verdict(reply);
  Reply line_of{key, model, judge_prompt_sha256(), {}, {}, usage, reply};
  if (verdict) {
    line_of.pred = verdict->right ? "yes" : "no";
    line_of.score = verdict->score;
  }
  const std::string line = json_text(Json(line_of));
  const std::lock_guard lock(mutex_);
  file_.add(line);
  count(key, verdict, usage);
}

void VerdictFile::count_line(std::string_view line, const std::string& origin) {
  try {
    const auto kept = parse_json<Json>(line).get<Reply>();
    // The reply counts, not what was once made of it.
    count(kept.key, parse_verdict(kept.reply), kept.usage);
  } catch (const Json::exception&) {
    throw InputError(origin + " is no verdict of ours; give another file with --judge-verdicts");
  }
}

void VerdictFile::count(const std::string& key, const std::optional<Verdict>& verdict,
                        const std::optional<TokenUsage>& usage) {
  KeptReplies& kept = kept_[key];
  ++kept.replies;
  if (verdict && !kept.verdict) kept.verdict = verdict;
  if (!verdict) ++kept.malformed;
  if (usage) kept.usage += *usage;
  if (!usage) ++kept.without_usage;
}

}  // namespace moviechat::judge
