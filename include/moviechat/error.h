#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace moviechat {

/// A failure. The message is one line: what, found, expected, and the way out. Exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A failure that the user can fix: a file, an option, a question, a bundle. Exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

/// Memory, address space or threads ran out. Exit code 1; says nothing about the input, so that it
/// is never taken for a fault of it.
class OutOfResources : public Error {
 public:
  using Error::Error;
};

/// True when a library's message, in whatever words, says that memory could not be had.
bool tells_of_memory(std::string_view message);

/// The user asked to stop (Ctrl-C). Not a failure of anything.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace moviechat
