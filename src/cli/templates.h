#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moviechat::cli {

/// Files of src/cli/templates, as they are: @NAME@ stands for what is made of commands and flags.
extern const std::string_view kBashTemplate;
extern const std::string_view kZshTemplate;
extern const std::string_view kManTemplate;

/// Text with every occurrence of each `first` replaced by its `second`, one pair after the other.
std::string replaced(std::string text,
                     const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace moviechat::cli
