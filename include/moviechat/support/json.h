#pragma once

#include <nlohmann/json.hpp>

// Compiled once, in support/json.cpp, and not in each of the files that read or write JSON.
extern template class nlohmann::basic_json<>;
