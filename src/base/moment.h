#pragma once

#include <cstdint>
#include <string>
#include "base/json.h"

#include "moviechat/time.h"

namespace moviechat {

/// Time from text: 754.2, 12:34 or 1:02:03.5. InputError says what `name` takes.
Seconds parse_moment(const std::string& name, const std::string& text);

/// Time from a JSON value: such a text, or a number of seconds.
Seconds moment_from_json(const std::string& name, const nlohmann::json& value);

/// Frame index from text. InputError when it is no whole number of at least 0.
int64_t parse_frame_index(const std::string& name, const std::string& text);

/// Frame index from a JSON value: such a text, or a number; 120.0 is whole, too.
int64_t frame_index_from_json(const std::string& name, const nlohmann::json& value);

/// Time as a clock shows it: 3723.5 → 1:02:03.500. `millisecond_mark` stands before the
/// milliseconds.
std::string clock_text(Seconds time, char millisecond_mark = '.');

}  // namespace moviechat
