#include "base/case_fold.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "moviechat/error.h"

namespace moviechat {

std::string case_folded(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(status);
  const icu::UnicodeString text =
      icu::UnicodeString::fromUTF8({utf8.data(), static_cast<int32_t>(utf8.size())});
  const icu::UnicodeString result = U_FAILURE(status) ? text : nfkc->normalize(text, status);
  if (U_FAILURE(status)) throw Error(std::string("ICU: ") + u_errorName(status));
  std::string folded;
  return result.toUTF8String(folded);
}

}  // namespace moviechat
