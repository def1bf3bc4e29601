#pragma once

#include <filesystem>
#include <string>

#include "support_for_tests/paths.h"

namespace moviechat::cli::testing {

using moviechat::testing::ProgramResult;

/// One word of a shell command line, whatever is in it.
std::string shell_word(const std::string& word);

/// The program that was built, as a word.
std::string program();

/// Runs the program; `arguments` is shell text. The references' tiny bundle is its model unless
/// `environment` ("NAME=VALUE …") says otherwise.
ProgramResult moviechat(const std::string& arguments, const std::string& environment = "");

/// The ten-second film of the references.
std::string film();

/// The bundle that comes with the program, or the tiny one where it has not been built.
std::filesystem::path shipped_bundle();

}  // namespace moviechat::cli::testing
