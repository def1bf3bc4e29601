#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "cli/program_settings.h"

namespace moviechat::cli {

/// A flag that is short for a setting, whose sentence is that of the setting's field.
struct SettingFlag {
  std::string_view name;
  std::string_view setting;
  std::string_view argument = "";  // "": a switch
  std::string_view example = "";
  std::string_view words = "";  // that it may be, where the field is no enum
};
inline constexpr std::array<SettingFlag, 18> kSettingFlags = {{
    {"--strict", "video.strict"},
    {"--allow-url", "video.allow_url"},
    {"--model", "model", "DIR", "models/mini"},
    {"--device", "runtime.device", "DEVICE", "cuda:1", "auto cpu cuda"},
    {"--dtype", "runtime.dtype", "DTYPE", "bf16", "auto fp32 fp16 bf16"},
    {"--threads", "runtime.threads", "N", "4"},
    {"--batch", "runtime.batch", "N", "8"},
    {"--verify", "runtime.verify", "HOW", "quick"},
    {"--profile", "profile", "NAME", "released", "paper released uniform text"},
    {"--max-new-tokens", "generation.max_new_tokens", "N", "60"},
    {"--min-new-tokens", "generation.min_new_tokens", "N", "5"},
    {"--temperature", "generation.temperature", "T", "0.7"},
    {"--top-p", "generation.top_p", "P", "0.9"},
    {"--top-k", "generation.top_k", "K", "50"},
    {"--seed", "generation.seed", "N", "7"},
    {"--beams", "generation.beams", "N", "3"},
    {"--repetition-penalty", "generation.repetition_penalty", "X", "1.2"},
    {"--length-penalty", "generation.length_penalty", "X", "1"},
}};

/// Adds flags that are short for settings, by their names. What they give is kept in the order of
/// the command line.
void add_setting_flags(CLI::App& command, std::vector<Assignment>& given,
                       std::initializer_list<std::string_view> names);
/// The headings "Model and machine" and "Settings" with their flags.
void add_model_and_settings(CLI::App& command, SettingsGiven& settings, bool batch);
/// The heading "Generation" with its flags.
void add_generation(CLI::App& command, SettingsGiven& settings);

/// Makes help show these values as the defaults of flags that are short for settings.
void show_defaults(CLI::App& program, const std::vector<FieldText>& settings);

}  // namespace moviechat::cli
