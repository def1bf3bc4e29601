#include "cli/moment.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

#include "moviechat/support/error.h"

namespace moviechat::cli {
namespace {

bool digits_only(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::vector<std::string_view> split_at_colons(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

}  // namespace

Seconds parse_moment(const std::string& name, const std::string& text) {
  const auto refuse = [&](const std::string& why) -> InputError {
    return InputError(name + " must be a time like 754.2, 12:34 or 1:02:03.5, got '" + text + "'" +
                      why);
  };
  const std::vector<std::string_view> parts = split_at_colons(text);
  if (parts.size() > 3) throw refuse("");
  double seconds = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    const bool last = i + 1 == parts.size();
    const size_t point = last ? part.find('.') : std::string_view::npos;
    const std::string_view whole = part.substr(0, point);
    if (!digits_only(whole) ||
        (point != std::string_view::npos && !digits_only(part.substr(point + 1)))) {
      throw refuse(text.starts_with("-") ? "; a film begins at 0" : "");
    }
    double value = 0;
    const auto end = std::from_chars(part.data(), part.data() + part.size(), value);
    if (end.ec != std::errc() || !std::isfinite(value)) throw refuse("");
    if (i > 0 && value >= 60) {
      throw refuse(std::string(last ? "; seconds" : "; minutes") + " must be below 60");
    }
    seconds = seconds * 60 + value;
  }
  return Seconds(seconds);
}

int64_t parse_frame_index(const std::string& name, const std::string& text) {
  int64_t index = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), index);
  if (!digits_only(text) || end.ec != std::errc()) {
    throw InputError(name + " must be a frame index, a whole number from 0 on, got '" + text + "'");
  }
  return index;
}

std::string clock_text(Seconds time, char millisecond_mark) {
  const auto total = static_cast<int64_t>(std::llround(std::max(0.0, time.count()) * 1000));
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld%c%03lld",
                static_cast<long long>(total / 3600000), static_cast<long long>(total / 60000 % 60),
                static_cast<long long>(total / 1000 % 60), millisecond_mark,
                static_cast<long long>(total % 1000));
  return text.data();
}

}  // namespace moviechat::cli
