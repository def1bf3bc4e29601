#include "judge/verdict_file.h"

#include <sstream>
#include "base/json.h"

#include "base/files.h"
#include "judge/endpoint.h"
#include "moviechat/error.h"

namespace moviechat::judge {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<TokenUsage>& usage) {
  if (!usage) return nullptr;
  return {{"prompt_tokens", usage->prompt}, {"completion_tokens", usage->completion}};
}

std::optional<TokenUsage> usage_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return TokenUsage{json.at("prompt_tokens").get<int64_t>(),
                    json.at("completion_tokens").get<int64_t>()};
}

std::string origin(const std::filesystem::path& path, int64_t line) {
  return "verdicts '" + path.string() + "' line " + std::to_string(line);
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
  std::istringstream lines(read_file(other, "verdicts"));
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    const Json json = parse_json<Json>(line);
    if (!json.is_object() || wanted.count(json.value("key", "")) == 0) continue;
    count_line(line, origin(other, number));
    file_.add(line);
  }
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
  Json json;
  json["key"] = key;
  json["model"] = model;
  json["prompt_sha256"] = judge_prompt_sha256();
  json["pred"] = verdict ? Json(verdict->right ? "yes" : "no") : Json(nullptr);
  json["score"] = verdict ? Json(verdict->score) : Json(nullptr);
  json["usage"] = json_of(usage);
  json["reply"] = reply;
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::lock_guard lock(mutex_);
  file_.add(line);
  count(key, verdict, usage);
}

void VerdictFile::count_line(std::string_view line, const std::string& origin) {
  try {
    const Json json = parse_json<Json>(line);
    // The reply counts, not what was once made of it.
    count(json.at("key").get<std::string>(), parse_verdict(json.at("reply").get<std::string>()),
          usage_of(json.at("usage")));
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
