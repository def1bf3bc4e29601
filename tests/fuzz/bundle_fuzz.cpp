// A bundle's model.yaml, and a file of settings, which is YAML, too.

#include "bundle/bundle.h"
#include "fuzz/fuzz.h"
#include "moviechat/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  const std::string text = fuzz::text_of(data, size);
  const auto apply = [](const auto& assignments) {
    Settings settings;
    for (const auto& [key, value] : assignments) set_field(settings, key, value);
    settings.check();
  };
  fuzz::try_to([&] { apply(parse_bundle_spec(text, "bundle").defaults); });
  fuzz::try_to([&] { apply(yaml_leaves(text, "config.yaml")); });
  return 0;
}
