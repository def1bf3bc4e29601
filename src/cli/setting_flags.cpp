#include "cli/setting_flags.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/message.h"
#include "cli/flags.h"
#include "cli/templates.h"

namespace moviechat::cli {
namespace {

/// The one of a list whose field is `name`.
template <class List, class Field>
const auto& find_by(const List& list, Field field, std::string_view name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.*field == name; });
  if (found == list.end()) throw Error(fmt::format("no setting or flag '{}'", name));
  return *found;
}

const std::vector<FieldText>& fields() {
  static const std::vector<FieldText> all = list_fields(ProgramSettings{});
  return all;
}

bool has_names(const FieldText& field) { return field.takes.find(", ") != std::string::npos; }

/// KEY= of every setting; KEY=VALUE for each of its values where they have names.
std::string words_of_settings() {
  std::string words;
  for (const FieldText& field : fields()) {
    const std::string key = " " + field.key + "=";
    words += key + (has_names(field) ? replaced(field.takes, {{", ", key}}) : "");
  }
  return words;
}

/// Adds a flag whose value is kept as `key`, in the order of the command line: CLI11 gives each
/// value as soon as it is read.
CLI::Option* add_assignment(CLI::App& command, std::vector<Assignment>& given,
                            const std::string& spec, const std::string& key,
                            const std::string& help, const std::string& example) {
  const auto read = [&given, key](const std::string& flag, const std::string& text) {
    for (const Assignment& one : given) {
      if (one.origin != flag) continue;
      throw input_error("{} is given twice ('{}' and '{}')", flag, one.text, text);
    }
    given.push_back({key, text, flag});
  };
  return add_reader(command, spec, read, help, example)->trigger_on_parse();
}

void add_setting_switch(CLI::App& command, std::vector<Assignment>& given, const SettingFlag& flag,
                        const std::string& help) {
  const std::string name(flag.name);
  const auto give = [&given, name, key = std::string(flag.setting)](int64_t /*count*/) {
    for (const Assignment& one : given) {
      if (one.origin == name) throw InputError(name + " is given twice");
    }
    given.push_back({key, "true", name});
  };
  command.add_flag_function(name, give, help)->trigger_on_parse();
}

}  // namespace

void add_setting_flags(CLI::App& command, std::vector<Assignment>& given,
                       std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const SettingFlag& flag = find_by(kSettingFlags, &SettingFlag::name, name);
    const FieldText& field = find_by(fields(), &FieldText::key, flag.setting);
    if (flag.argument.empty()) {
      add_setting_switch(command, given, flag, field.help);
      continue;
    }
    CLI::Option* option = add_assignment(command, given, fmt::format("{} {}", name, flag.argument),
                                         field.key, field.help, std::string(flag.example));
    set_words(option, has_names(field) ? field.takes : std::string(flag.words));
    option->default_str(field.value);
  }
}

void add_model_and_settings(CLI::App& command, SettingsGiven& settings, bool batch) {
  std::vector<Assignment>& given = settings.given;
  add_heading(command, "Model and machine");
  add_setting_flags(command, given, {"--model", "--device", "--dtype", "--threads"});
  if (batch) add_setting_flags(command, given, {"--batch"});
  add_setting_flags(command, given, {"--verify"});
  add_heading(command, "Settings");
  add_setting_flags(command, given, {"--profile"});
  add_value(command, "--config FILE", settings.config, "settings from a YAML file", "my.yaml");
  const auto set = [&given](const std::string& /*flag*/, const std::string& text) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw input_error("--set must be KEY=VALUE like memory.keep=3, got '{}'", text);
    }
    given.push_back({text.substr(0, equals), text.substr(equals + 1), "--set " + text});
  };
  set_words(add_reader(command, "--set KEY=VALUE", set,
                       "any setting by its dotted name; --print-config lists them", "memory.keep=3",
                       /*repeats=*/true),
            words_of_settings())
      ->trigger_on_parse();
  set_words(add_assignment(command, given, "--plan PLAN", "plan",
                           "which frames are read: clips, released, uniform:N (N frames), fps:R (R "
                           "a second) or none",
                           "uniform:32"),
            "clips released uniform: fps: none");
  add_switch(command, "--print-config", settings.print_config,
             "print all settings as --config reads them, and do nothing else");
}

void add_generation(CLI::App& command, SettingsGiven& settings) {
  add_heading(command, "Generation");
  add_setting_flags(command, settings.given,
                    {"--max-new-tokens", "--min-new-tokens", "--temperature", "--top-p", "--top-k",
                     "--seed", "--beams", "--repetition-penalty", "--length-penalty"});
}

void show_defaults(CLI::App& program, const std::vector<FieldText>& settings) {
  for (CLI::App* command : program.get_subcommands([](CLI::App*) { return true; })) {
    for (const SettingFlag& flag : kSettingFlags) {
      CLI::Option* option = command->get_option_no_throw(std::string(flag.name));
      if (option == nullptr || flag.argument.empty()) continue;
      option->default_str(find_by(settings, &FieldText::key, flag.setting).value);
    }
  }
}

}  // namespace moviechat::cli
