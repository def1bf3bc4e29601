#pragma once

#include <string>
#include <string_view>

namespace moviechat::judge {

/// Text as HTML shows it, in elements and in quoted attributes, whatever is in it.
std::string escaped(std::string_view text);

/// "data:image/jpeg;base64,…".
std::string jpeg_address(const std::string& jpeg);

/// A whole page of text in <body>, which may load nothing and run nothing.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace moviechat::judge
