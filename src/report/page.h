#pragma once

#include <string_view>

namespace moviechat::report {

/// Contents of report.html, which CMake compiles into the program. REPORT_DATA in it marks the
/// place of the data that the page shows.
extern const std::string_view kPage;

}  // namespace moviechat::report
