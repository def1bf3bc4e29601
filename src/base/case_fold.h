#pragma once

#include <string>
#include <string_view>

namespace moviechat {

/// Text as it is compared without regard to case and to how its letters are composed: Unicode's
/// NFKC_Casefold. What is not UTF-8 becomes U+FFFD.
std::string case_folded(std::string_view utf8);

}  // namespace moviechat
