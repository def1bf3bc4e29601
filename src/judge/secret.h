#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moviechat::judge {

/// Key that was sent to a server, found in its replies in any spelling: in any case, with other
/// marks or escapes (%2D, \u002d, &#45;) between its letters, backwards, in hexadecimal or base64.
class Secret {
 public:
  /// An empty key is found nowhere.
  explicit Secret(const std::string& key);

  /// Linear in the text's length.
  bool is_in(std::string_view text) const;

 private:
  std::string key_;
  std::vector<std::string> spellings_;  // letters and digits, in lower case
};

}  // namespace moviechat::judge
