#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/line_file.h"
#include "judge/judge.h"

namespace moviechat::judge {

/// What a judge has said so far of a question.
struct KeptReplies {
  std::optional<Verdict> verdict;
  int64_t replies = 0;
  int64_t malformed = 0;
  int64_t without_usage = 0;
  TokenUsage usage;
};

/// Replies by the hash of what was asked, in a file of JSON lines that only grows. Any thread may
/// call.
class VerdictFile {
 public:
  /// Reads what is there. InputError names the line that is none of ours.
  explicit VerdictFile(const std::filesystem::path& path);

  /// All that a verdict depends on, as a hash.
  static std::string key_of(const JudgeOptions& options, const JudgeQuestion& question);

  KeptReplies replies(const std::string& key) const;

  /// Copies what another such file, if it is there, holds of `keys` that nothing is known of here.
  void take_over(const std::filesystem::path& other, const std::set<std::string>& keys);

  /// Keeps a reply: on the disk when this returns.
  void add(const std::string& key, const std::string& model, const std::string& reply,
           const std::optional<TokenUsage>& usage);

 private:
  /// Reads a line of a file. InputError when it is none of ours.
  void count_line(std::string_view line, const std::string& origin);
  void count(const std::string& key, const std::optional<Verdict>& verdict,
             const std::optional<TokenUsage>& usage);

  mutable std::mutex mutex_;
  std::map<std::string, KeptReplies> kept_;
  LineFile file_;  // the last: its lines are read into the above
};

}  // namespace moviechat::judge
