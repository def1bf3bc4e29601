#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "base/text.h"
#include "report/report_tables.h"

namespace moviechat::judge {
namespace {

/// Columns that a text takes on a terminal.
size_t width_of(const std::string& utf8) {
  const auto text = icu::UnicodeString::fromUTF8(utf8);
  size_t width = 0;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    const int32_t east_asian = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    const bool mark = (U_MASK(u_charType(c)) & (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK)) != 0;
    const bool wide = east_asian == U_EA_FULLWIDTH || east_asian == U_EA_WIDE;
    width += mark ? 0 : wide ? 2 : 1;
  }
  return width;
}

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
  std::string text = "\n" + table.title + "\n" + line(table.header);
  for (const auto& row : table.rows) text += line(row);
  return text;
}

/// Text from data in Markdown, as text: no bar of a table, tag, picture, link, address or emphasis.
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
    text += padded(name, width + 2) + one_line(value) + "\n";
  }
  for (const Table& table : tables_of(report)) text += table_text(table);
  return text;
}

std::string report_markdown(const ScoreReport& report) {
  std::string text;
  for (const Table& table : tables_of(report)) {
    text += "### " + table.title + "\n\n";
    // The first cell is a name from data, the others are numbers.
    const auto line = [&](const std::vector<std::string>& row) {
      text += "| " + markdown_text(row[0]) + " |";
      for (size_t i = 1; i < row.size(); ++i) text += " " + row[i] + " |";
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
    text += "* " + name + ": " + markdown_text(value) + "\n";
  }
  return text;
}

}  // namespace moviechat::judge
