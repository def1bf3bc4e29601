#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace moviechat {

/// The folder that holds configs/ and models/: MOVIECHAT_HOME, else share/moviechat of the prefix
/// that the program, or the library, is installed in, else the source tree that it was built from.
std::filesystem::path home_folder();

/// The mini bundle that came with the program.
std::filesystem::path default_bundle();

/// "paper, uniform": of the YAML files in folders.
std::string profile_names(const std::vector<std::filesystem::path>& folders);

}  // namespace moviechat
