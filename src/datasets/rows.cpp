#include "datasets/rows.h"

#include <algorithm>

#include "base/files.h"
#include "base/message.h"
#include "base/moment.h"
#include "base/text.h"
#include "base/utf8.h"
#include "datasets/readers.h"
#include "moviechat/fields.h"

namespace moviechat::eval {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string joined(FieldNames names) {
  std::string all;
  for (const std::string_view name : names) all += (all.empty() ? "" : " or ") + std::string(name);
  return all;
}

/// The file's text without a byte order mark; InputError when it is not UTF-8.
std::string read_text(const fs::path& file) {
  std::string text = read_file(file, "annotations");
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.erase(0, kMark.size());
  if (const size_t bad = first_invalid_utf8(text); bad != std::string::npos) {
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
    throw input_error("{} line {} is not UTF-8; save the file as UTF-8", quoted(file), line + 1);
  }
  return text;
}

json whole_json(const std::string& text, const fs::path& file) {
  if (is_nested_too_deep(text)) throw input_error("{} {}", quoted(file), json_fault(text));
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    throw input_error("{} is not valid JSON at line {}", quoted(file),
                      std::count(text.begin(), end, '\n') + 1);
  }
}

/// The word that Python writes for a missing number: NaN, nan.
bool is_nan(std::string_view text) { return case_folded(text) == "nan"; }

/// Python's json writes NaN for a missing number, which JSON has no word for: it becomes null.
std::string without_nan(const std::string& text) {
  constexpr std::string_view kNan = "NaN";
  std::string result;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (!quoted && text.compare(at, kNan.size(), kNan) == 0) {
      result += "null";
      at += kNan.size() - 1;
      continue;
    }
    result += c;
    if (quoted && c == '\\' && at + 1 < text.size()) result += text[++at];
    if (c == '"') quoted = !quoted;
    if (c == '\n') quoted = false;  // no text of JSON holds one: the line is not valid
  }
  return result;
}

/// Records of comma- or tab-separated values. Fields in double quotes may hold separators, line
/// ends, and quotes written twice (RFC 4180).
class SeparatedValues {
 public:
  SeparatedValues(std::string_view text, char separator) : text_(text), separator_(separator) {}

  struct Record {
    std::vector<std::string> values;
    int line = 1;
  };

  /// nullopt at the end. Blank lines are skipped.
  std::optional<Record> next() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) step();
    if (at_ == text_.size()) return std::nullopt;
    Record record{{}, line_};
    for (;;) {
      record.values.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted_value() : value());
      if (at_ == text_.size()) return record;
      const char end = text_[at_];
      step();
      if (end == '\r' && at_ < text_.size() && text_[at_] == '\n') step();
      if (end != separator_) return record;
    }
  }

  bool unclosed() const { return unclosed_; }

 private:
  void step() { line_ += text_[at_++] == '\n' ? 1 : 0; }

  bool at_end_of_value() const {
    return at_ == text_.size() || text_[at_] == separator_ || text_[at_] == '\n' ||
           text_[at_] == '\r';
  }

  std::string value() {
    std::string result;
    for (; !at_end_of_value(); step()) result += text_[at_];
    return result;
  }

  std::string quoted_value() {
    std::string result;
    step();
    while (at_ < text_.size()) {
      if (text_[at_] == '"') {
        step();
        if (at_ == text_.size() || text_[at_] != '"') return result + value();
      }
      result += text_[at_];
      step();
    }
    unclosed_ = true;
    return result;
  }

  std::string_view text_;
  char separator_;
  size_t at_ = 0;
  int line_ = 1;
  bool unclosed_ = false;
};

std::vector<Row> separated_rows(const std::string& text, char separator, const fs::path& file) {
  SeparatedValues records(text, separator);
  const auto header = records.next();
  if (!header) throw InputError(quoted(file) + " is empty; expected a header and rows");
  std::vector<Row> rows;
  while (const auto record = records.next()) {
    const std::string where = fmt::format("{} line {}", quoted(file), record->line);
    if (records.unclosed()) throw InputError(where + ": a quoted value does not end");
    if (record->values.size() != header->values.size()) {
      throw input_error("{} has {} values, expected {} like the header", where,
                        record->values.size(), header->values.size());
    }
    json fields = json::object();
    for (size_t i = 0; i < header->values.size(); ++i) {
      fields[std::string(trim(header->values[i]))] = record->values[i];
    }
    rows.emplace_back(std::move(fields), where);
  }
  return rows;
}

std::vector<Row> json_lines(const std::string& text, const fs::path& file) {
  std::vector<Row> rows;
  for_each_line(text, [&](int64_t number, std::string_view whole) {
    const std::string_view line = trim(whole);
    if (line.empty()) return;
    const std::string where = fmt::format("{} line {}", quoted(file), number);
    json fields = parse_json(line);
    if (fields.is_discarded()) throw input_error("{} {}", where, json_fault(line));
    rows.emplace_back(std::move(fields), where);
  });
  return rows;
}

}  // namespace

Row::Row(json fields, std::string where) : fields_(std::move(fields)), where_(std::move(where)) {
  if (!fields_.is_object()) {
    throw input_error("{} must be an object with named fields, got {}", where_,
                      fields_.type_name());
  }
}

void Row::refuse(std::string_view field, const std::string& why) const {
  constexpr size_t kLongest = 300;  // bytes: values stand in it
  throw input_error("{}: {} {}", where_, field, shortened(why, kLongest));
}

std::optional<Row::Found> Row::find(FieldNames names) const {
  for (const std::string_view name : names) {
    const auto entry = fields_.find(name);
    if (entry == fields_.end() || entry->is_null()) continue;
    if (entry->is_string() && trim(entry->get_ref<const std::string&>()).empty()) continue;
    return Found{name, &*entry};
  }
  return std::nullopt;
}

std::optional<std::string> Row::optional_text(FieldNames names) const {
  const auto found = find(names);
  if (!found) return std::nullopt;
  if (found->value->is_string()) {
    return std::string(trim(found->value->get_ref<const std::string&>()));
  }
  if (!found->value->is_primitive()) {
    refuse(found->name, "must be text, got " + std::string(found->value->type_name()));
  }
  return found->value->dump();
}

std::string Row::text(FieldNames names) const {
  if (auto found = optional_text(names)) return *std::move(found);
  refuse(joined(names), "is missing or blank; expected text");
}

std::optional<Row::Number> Row::find_number(FieldNames names) const {
  for (const std::string_view name : names) {
    const auto found = find({name});
    if (!found) continue;
    Number number{fmt::format("{}: {}", where_, name), *found->value};
    if (!number.value.is_string()) return number;
    const std::string text(trim(number.value.get_ref<const std::string&>()));
    if (is_nan(text)) continue;
    number.value = text;
    try {
      double value = 0;
      from_text(number.field, text, value);
      number.value = value;
    } catch (const InputError&) {  // text that is no number may be a clock's
    }
    return number;
  }
  return std::nullopt;
}

std::optional<int64_t> Row::count(FieldNames names) const {
  const auto found = find_number(names);
  if (!found) return std::nullopt;
  return frame_index_from_json(found->field, found->value);
}

std::optional<double> Row::amount(FieldNames names) const {
  const auto found = find_number(names);
  if (!found) return std::nullopt;
  if (!found->value.is_number() || found->value < 0) {
    throw input_error("{} must be a number from 0 on, got {}", found->field, found->value.dump());
  }
  return found->value.get<double>();
}

std::optional<Seconds> Row::moment(FieldNames names) const {
  const auto found = find_number(names);
  if (!found) return std::nullopt;
  return moment_from_json(found->field, found->value);
}

json read_json(const fs::path& file) { return whole_json(without_nan(read_text(file)), file); }

std::vector<Row> read_rows(const fs::path& file) {
  const std::string extension = extension_of(file);
  if (extension == ".parquet") {
    throw input_error(
        "{} is Parquet; make JSON lines of it first: python "
        "scripts/parquet_to_jsonl.py FILE.parquet > FILE.jsonl",
        quoted(file));
  }
  std::string text = read_text(file);
  if (extension == ".csv") return separated_rows(text, ',', file);
  if (extension == ".tsv") return separated_rows(text, '\t', file);
  text = without_nan(text);
  if (extension == ".jsonl" || extension == ".ndjson") return json_lines(text, file);
  // A .json file may hold lines, too: published ones do.
  if (trim(text).starts_with("{") && json::accept(text.substr(0, text.find('\n')))) {
    return json_lines(text, file);
  }
  const json all = whole_json(text, file);
  if (all.is_object()) return {Row(all, quoted(file))};
  if (!all.is_array()) throw InputError(quoted(file) + " must hold a JSON list of rows");
  std::vector<Row> rows;
  for (const json& fields : all) {
    rows.emplace_back(fields, fmt::format("{} row {}", quoted(file), rows.size() + 1));
  }
  return rows;
}

}  // namespace moviechat::eval
