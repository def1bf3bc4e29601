#pragma once

#include <filesystem>
#include <string>

namespace moviechat::cli {

/// The folder that holds configs/ and models/: MOVIECHAT_HOME, else share/moviechat of the prefix
/// that the program is installed in, else the source tree that it was built from.
std::filesystem::path home_folder();

/// The mini bundle that came with the program.
std::filesystem::path default_bundle();

/// configs/NAME.yaml as text. InputError lists the profiles there are.
std::string read_profile(const std::string& name);

}  // namespace moviechat::cli
