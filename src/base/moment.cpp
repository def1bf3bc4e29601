#include "base/moment.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "base/message.h"
#include "base/text.h"

namespace moviechat {
namespace {

constexpr size_t kShown = 100;  // bytes of a value in a message

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

std::optional<int64_t> frame_index_of(const std::string& text) {
  int64_t index = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), index);
  if (!digits_only(text) || end.ec != std::errc()) return std::nullopt;
  return index;
}

std::optional<int64_t> frame_index_of(const nlohmann::json& value) {
  constexpr uint64_t kLast = std::numeric_limits<int64_t>::max();
  constexpr double kLastExact = 1LL << 53;  // doubles leave out whole numbers from here on
  if (value.is_string()) return frame_index_of(value.get_ref<const std::string&>());
  if (value.is_number_unsigned() && value.get<uint64_t>() <= kLast) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const auto number = value.get<double>();
  if (!(number >= 0 && number < kLastExact) || number != std::floor(number)) return std::nullopt;
  return static_cast<int64_t>(number);
}

/// A value in an error: lists and objects by their kind alone, as they may be of any size.
std::string shown(const nlohmann::json& value) {
  return value.is_structured() ? "an " + std::string(value.type_name())
                               : shortened(value.dump(), kShown);
}

}  // namespace

Seconds parse_moment(const std::string& name, const std::string& text) {
  const auto refuse = [&](const std::string& why) -> InputError {
    return input_error("{} must be a time like 754.2, 12:34 or 1:02:03.5, got '{}'{}", name,
                       shortened(text, kShown), why);
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

Seconds moment_from_json(const std::string& name, const nlohmann::json& value) {
  if (value.is_string()) return parse_moment(name, value.get<std::string>());
  const double seconds = value.is_number() ? value.get<double>() : -1;
  if (!std::isfinite(seconds) || seconds < 0) {
    throw input_error("{} must be a time from 0 on, like 754.2 or \"12:34\", got {}", name,
                      shown(value));
  }
  return Seconds(seconds);
}

int64_t parse_frame_index(const std::string& name, const std::string& text) {
  if (const auto index = frame_index_of(text)) return *index;
  throw input_error("{} must be a frame index, a whole number from 0 on, got '{}'", name,
                    shortened(text, kShown));
}

int64_t frame_index_from_json(const std::string& name, const nlohmann::json& value) {
  if (const auto index = frame_index_of(value)) return *index;
  throw input_error("{} must be a whole number from 0 on, got {}", name, shown(value));
}

std::string clock_text(Seconds time, char millisecond_mark) {
  constexpr double kLongest = 1e12;  // seconds; more cannot be counted in milliseconds
  const auto total =
      static_cast<int64_t>(std::llround(std::clamp(time.count(), 0.0, kLongest) * 1000));
  return fmt::format("{}:{:02}:{:02}{}{:03}", total / 3600000, total / 60000 % 60,
                     total / 1000 % 60, millisecond_mark, total % 1000);
}

}  // namespace moviechat
