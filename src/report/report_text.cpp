#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/report_tables.h"

namespace moviechat::report {

using namespace score;  // what is reported

namespace {

std::string padded(const std::string& text, size_t width) {
  const size_t taken = width_of(text);
  return text + std::string(width > taken ? width - taken : 0, ' ');
}

std::string table_text(const Table& table) {
  std::vector<size_t> widths;
  for (const std::string& cell : table.header) widths.push_back(width_of(cell));
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(one_line(row[i])));
    }
  }
  const auto line = [&](const std::vector<std::string>& row) {
    std::string text;
    for (size_t i = 0; i < row.size(); ++i) text += padded(one_line(row[i]), widths[i] + 2);
    while (text.ends_with(' ')) text.pop_back();
    return text + "\n";
  };
  std::string text = fmt::format("\n{}\n{}", table.title, line(table.header));
  for (const auto& row : table.rows) text += line(row);
  return text;
}

/// Markdown that shows a text from data as it is: nothing in it becomes a table bar, tag, picture,
/// link, address or emphasis.
std::string markdown_text(const std::string& text) {
  constexpr std::string_view kMarks = "\\`*_{}[]<>()!|~&:@#$";
  std::string safe;
  for (const char c : one_line(text)) {
    const bool address = c == '.' && (safe.ends_with("www") || safe.ends_with("WWW"));
    if (address || kMarks.find(c) != std::string_view::npos) safe += '\\';
    safe += c;
  }
  return safe;
}

}  // namespace

std::string report_text(const ScoreReport& report) {
  std::string text;
  size_t width = 0;
  const auto facts = facts_of(report);
  for (const auto& [name, value] : facts) width = std::max(width, name.size());
  for (const auto& [name, value] : facts) {
    text += fmt::format("{}{}\n", padded(name, width + 2), one_line(value));
  }
  for (const Table& table : tables_of(report)) text += table_text(table);
  return text;
}

std::string report_markdown(const ScoreReport& report) {
  std::string text;
  for (const Table& table : tables_of(report)) {
    text += fmt::format("### {}\n\n", table.title);
    // The first cell is a name from data, the others are numbers.
    const auto line = [&](const std::vector<std::string>& row) {
      text += fmt::format("| {} |", markdown_text(row[0]));
      for (size_t i = 1; i < row.size(); ++i) text += fmt::format(" {} |", row[i]);
      text += "\n";
    };
    line(table.header);
    text += "|---|";
    for (size_t i = 1; i < table.header.size(); ++i) text += "---:|";
    text += "\n";
    for (const auto& row : table.rows) line(row);
    text += "\n";
  }
  for (const auto& [name, value] : facts_of(report)) {
    text += fmt::format("* {}: {}\n", name, markdown_text(value));
  }
  return text;
}

}  // namespace moviechat::report
