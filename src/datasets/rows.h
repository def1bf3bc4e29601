#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/json.h"

#include "moviechat/time.h"

namespace moviechat::eval {

/// Names of one field, likeliest first.
using FieldNames = std::initializer_list<std::string_view>;

/// Entry of an annotation file: its fields, and its place in the file for messages.
class Row {
 public:
  /// `where`: "'test.json' row 3". InputError unless `fields` is an object.
  Row(nlohmann::json fields, std::string where);

  const nlohmann::json& fields() const { return fields_; }
  const std::string& where() const { return where_; }

  /// Trimmed text that must be there; numbers count as text. InputError names row and field.
  std::string text(FieldNames names) const;
  /// Text that may be missing, null or blank.
  std::optional<std::string> optional_text(FieldNames names) const;
  /// A whole number from 0 on, of a frame or of frames, given as a number or as text; nullopt when
  /// missing, null, blank or not a number (nan, which tables have where there is none).
  std::optional<int64_t> count(FieldNames names) const;
  /// A number from 0 on, of frames a second, under the same rules.
  std::optional<double> amount(FieldNames names) const;
  /// A time, under the same rules; text may be a clock's, too: 12:34.
  std::optional<Seconds> moment(FieldNames names) const;

  [[noreturn]] void refuse(std::string_view field, const std::string& why) const;

 private:
  struct Found {
    std::string_view name;
    const nlohmann::json* value = nullptr;
  };
  std::optional<Found> find(FieldNames names) const;
  struct Number {
    std::string field;     // with the row, for errors
    nlohmann::json value;  // a number where it is one or reads as one
  };
  std::optional<Number> find_number(FieldNames names) const;

  nlohmann::json fields_;
  std::string where_;
};

/// A JSON list or object, JSON lines, CSV or TSV with a header (by the file's name) → rows. A byte
/// order mark and CRLF line ends are no part of it. InputError names file and line.
std::vector<Row> read_rows(const std::filesystem::path& file);

/// Contents of a JSON file, without its byte order mark.
nlohmann::json read_json(const std::filesystem::path& file);

}  // namespace moviechat::eval
