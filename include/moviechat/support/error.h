#pragma once

#include <stdexcept>
#include <string>

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

/// The user asked to stop (Ctrl-C). Not a failure of anything.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace moviechat
