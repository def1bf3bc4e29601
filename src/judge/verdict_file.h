#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/line_file.h"
#include "judge/judge.h"

namespace moviechat::judge {

/// Replies of a judge to one question, summed up.
struct KeptReplies {
  std::optional<Verdict> verdict;
  int64_t replies = 0;
  int64_t malformed = 0;
  int64_t without_usage = 0;
  TokenUsage usage;
};

/// File of a judge's replies: JSON lines, by the hash of what was asked. It only grows. Any thread
/// may call.
class VerdictFile {
 public:
  /// Reads the file where there is one. InputError names a line of another format.
  explicit VerdictFile(const std::filesystem::path& path);

  /// Hash of all that a verdict depends on.
  static std::string key_of(const JudgeOptions& options, const JudgeQuestion& question);

  KeptReplies replies(const std::string& key) const;

  /// Copies the replies to `keys` that another such file has and this one has not.
  void take_over(const std::filesystem::path& other, const std::set<std::string>& keys);

  /// Adds a reply; it is on the disk when this returns.
  void add(const std::string& key, const std::string& model, const std::string& reply,
           const std::optional<TokenUsage>& usage);

 private:
  /// Counts a line of a file. InputError when it has another format.
  void count_line(std::string_view line, const std::string& origin);
  void count(const std::string& key, const std::optional<Verdict>& verdict,
             const std::optional<TokenUsage>& usage);

  mutable std::mutex mutex_;
  std::map<std::string, KeptReplies> kept_;
  LineFile file_;  // the last: its lines are read into the above
};

}  // namespace moviechat::judge
