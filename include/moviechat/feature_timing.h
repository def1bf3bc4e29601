#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "moviechat/fields.h"
#include "moviechat/seconds.h"

namespace moviechat {

/// Times of frames of features, where the file does not say or is wrong. At most one.
struct FeatureTiming {
  std::optional<double> fps;        // so many a second
  std::optional<Seconds> duration;  // evenly over a film of this length
};

/// Source of the times of frames of features.
enum class TimesFrom { given, file, nowhere };
template <>
struct EnumNames<TimesFrom> {
  static constexpr std::array values{std::pair{std::string_view("given"), TimesFrom::given},
                                     std::pair{std::string_view("file"), TimesFrom::file},
                                     std::pair{std::string_view("nowhere"), TimesFrom::nowhere}};
};

}  // namespace moviechat
