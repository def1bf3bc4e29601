#pragma once

#include <string_view>

namespace moviechat::judge {

/// report.html, which CMake puts into the program; its REPORT_DATA stands for a report's JSON.
extern const std::string_view kPage;

}  // namespace moviechat::judge
