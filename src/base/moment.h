#pragma once

#include <cstdint>
#include <string>
#include "base/json.h"

#include "moviechat/seconds.h"

namespace moviechat {

/// 754.2, 12:34 or 1:02:03.5 → seconds. InputError says what `name` takes.
Seconds parse_moment(const std::string& name, const std::string& text);

/// The same of a JSON value: such a text, or a number of seconds.
Seconds moment_from_json(const std::string& name, const nlohmann::json& value);

/// A frame index. InputError when it is no whole number of at least 0.
int64_t parse_frame_index(const std::string& name, const std::string& text);

/// The same of a JSON value: such a text, or a number; 120.0 is whole, too.
int64_t frame_index_from_json(const std::string& name, const nlohmann::json& value);

/// 3723.5 → 1:02:03.500; `millisecond_mark` stands before the milliseconds.
std::string clock_text(Seconds time, char millisecond_mark = '.');

}  // namespace moviechat
