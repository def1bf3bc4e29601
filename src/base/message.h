#pragma once

#include <fmt/format.h>

#include <utility>

#include "moviechat/error.h"

namespace moviechat {

/// An InputError with a message of fmt's: throw input_error("'{}' is empty", path).
template <class... Values>
InputError input_error(fmt::format_string<Values...> text, Values&&... values) {
  return InputError(fmt::format(text, std::forward<Values>(values)...));
}

}  // namespace moviechat
