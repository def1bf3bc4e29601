#pragma once

#include "base/json.h"

#include "base/files.h"
#include "support_for_tests/paths.h"

namespace moviechat::score::testing {

/// What other libraries made of small inputs (tests/data/score/record.py).
inline nlohmann::json references(const std::string& key) {
  const auto path = moviechat::testing::data("score/references.json");
  return nlohmann::json::parse(read_file(path, "references")).at(key);
}

}  // namespace moviechat::score::testing
