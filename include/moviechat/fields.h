#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "moviechat/error.h"

namespace moviechat {

// Options are plain structs whose fields are each named once:
//
//   template <class Visitor> void visit_fields(MemoryOptions& o, Visitor& field) {
//     field("short_capacity", o.short_capacity, {2, 65536}, "blocks in short-term memory (K)");
//     field("similarity", o.similarity, "how alike two blocks are");   // an enum with EnumNames
//   }
//
// Setting by dotted name, checking, printing, and documenting all come from that one function. A
// number has its range beside its name; whatever way it comes in, it is checked there.

/// Specialise with `static constexpr std::array values{std::pair{std::string_view, Enum}…}`.
template <class Enum>
struct EnumNames;

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires {
  EnumNames<T>::values;
};

template <NamedEnum Enum>
std::string_view name_of(Enum value) {
  for (const auto& [name, candidate] : EnumNames<Enum>::values) {
    if (candidate == value) return name;
  }
  throw Error("an enum value without a name");
}

template <class Enum>
std::string names_of() {
  std::string all;
  for (const auto& [name, value] : EnumNames<Enum>::values) {
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return all;
}

/// The shortest text that reads back as the same value.
std::string to_text(double value);
std::string to_text(int64_t value);
std::string to_text(bool value);
std::string to_text(const std::string& value);
template <NamedEnum Enum>
std::string to_text(Enum value) {
  return std::string(name_of(value));
}

/// Text → value; InputError says what `key` takes. Numbers must be finite and used up whole.
void from_text(const std::string& key, const std::string& text, double& value);
void from_text(const std::string& key, const std::string& text, int64_t& value);
void from_text(const std::string& key, const std::string& text, bool& value);
void from_text(const std::string& key, const std::string& text, std::string& value);
template <NamedEnum Enum>
void from_text(const std::string& key, const std::string& text, Enum& value) {
  for (const auto& [name, candidate] : EnumNames<Enum>::values) {
    if (text == name) {
      value = candidate;
      return;
    }
  }
  throw InputError(key + " must be one of " + names_of<Enum>() + ", got '" + text + "'");
}

/// The values that a number may have: from `least` to `greatest`, or all above `least`.
template <class Number>
struct Range {
  Number least;
  Number greatest = std::numeric_limits<Number>::max();
  bool includes_least = true;

  /// "1 to 64", "at least 1", "over 0 and at most 1"
  std::string text() const {
    const bool bounded = greatest != std::numeric_limits<Number>::max();
    if (includes_least && bounded) return shown(least) + " to " + shown(greatest);
    return (includes_least ? "at least " : "over ") + shown(least) +
           (bounded ? " and at most " + shown(greatest) : "");
  }
  bool contains(Number value) const {  // NaN is in no range
    return (includes_least ? value >= least : value > least) && value <= greatest;
  }
  /// InputError names `key`, the range and the value when that is outside.
  void check(std::string_view key, Number value) const {
    if (contains(value)) return;
    throw InputError(std::string(key) + " must be " + text() + ", got " + to_text(value));
  }

 private:
  /// 1000000 rather than 1e+06.
  static std::string shown(Number bound) {
    const bool whole = bound > -1e15 && bound < 1e15 && std::trunc(bound) == bound;
    return whole ? to_text(static_cast<int64_t>(bound)) : to_text(bound);
  }
};

template <class T>
concept RangedNumber = std::same_as<T, int64_t> || std::same_as<T, double>;
template <RangedNumber Number>
using RangeOf = Range<std::type_identity_t<Number>>;  // {1, 64} is one where it is asked for

/// Text → a number of a range.
template <RangedNumber Number>
void from_text(const std::string& key, const std::string& text, Number& value,
               const RangeOf<Number>& range) {
  Number parsed = 0;
  from_text(key, text, parsed);
  if (!range.contains(parsed)) {
    throw InputError(key + " must be " + range.text() + ", got " + text);
  }
  value = parsed;
}

/// Former names of values of a setting → their names now.
using FormerValues = std::map<std::string_view, std::string_view>;

/// One field seen from outside: its dotted name, its value as text, what it takes, and one
/// sentence.
struct FieldText {
  std::string key;
  std::string value;
  std::string takes;
  std::string help;
};

/// Lists the fields of nested options under dotted names.
class FieldLister {
 public:
  explicit FieldLister(std::string prefix = "") : prefix_(std::move(prefix)) {}

  template <class T>
  requires(!RangedNumber<T>) void operator()(std::string_view name, T& value,
                                             std::string_view help) {
    fields_.push_back({prefix_ + std::string(name), to_text(value), takes<T>(), std::string(help)});
  }
  template <RangedNumber Number>
  void operator()(std::string_view name, Number& value, const RangeOf<Number>& range,
                  std::string_view help) {
    fields_.push_back(
        {prefix_ + std::string(name), to_text(value), range.text(), std::string(help)});
  }
  template <class Group>
  void group(std::string_view name, Group& options) {
    FieldLister inner(prefix_ + std::string(name) + ".");
    visit_fields(options, inner);
    for (FieldText& field : inner.fields_) fields_.push_back(std::move(field));
  }
  void former(std::string_view, auto&, const FormerValues&) {}
  std::vector<FieldText> take() { return std::move(fields_); }

 private:
  template <class T>
  static std::string takes() {
    if constexpr (NamedEnum<T>) {
      return names_of<T>();
    } else if constexpr (std::same_as<T, bool>) {
      return "true, false";
    } else {
      static_assert(std::same_as<T, std::string>);
      return "text";
    }
  }
  std::string prefix_;
  std::vector<FieldText> fields_;
};

/// Sets the one field with a dotted name from text.
class FieldSetter {
 public:
  FieldSetter(std::string key, std::string text) : key_(std::move(key)), text_(std::move(text)) {}

  template <class T>
  requires(!RangedNumber<T>) void operator()(std::string_view name, T& value,
                                             std::string_view /*help*/) {
    if (prefix_ + std::string(name) != key_) return;
    from_text(key_, text_, value);
    found_ = true;
  }
  template <RangedNumber Number>
  void operator()(std::string_view name, Number& value, const RangeOf<Number>& range,
                  std::string_view /*help*/) {
    if (prefix_ + std::string(name) != key_) return;
    from_text(key_, text_, value, range);
    found_ = true;
  }
  template <class Group>
  void group(std::string_view name, Group& options) {
    const std::string outer = prefix_;
    prefix_ += std::string(name) + ".";
    visit_fields(options, *this);
    prefix_ = outer;
  }
  /// An earlier name of a field, and of some of its values.
  template <class T>
  void former(std::string_view name, T& value, const FormerValues& values) {
    if (prefix_ + std::string(name) != key_) return;
    const auto renamed = values.find(text_);
    from_text(key_, renamed == values.end() ? text_ : std::string(renamed->second), value);
    found_ = true;
  }
  bool found() const { return found_; }

 private:
  std::string key_;
  std::string text_;
  std::string prefix_;
  bool found_ = false;
};

/// Refuses the first number that is outside its range.
class RangeChecker {
 public:
  explicit RangeChecker(std::string prefix) : prefix_(std::move(prefix)) {}

  template <class T>
  requires(!RangedNumber<T>) void operator()(std::string_view /*name*/, T& /*value*/,
                                             std::string_view /*help*/) {}
  template <RangedNumber Number>
  void operator()(std::string_view name, Number& value, const RangeOf<Number>& range,
                  std::string_view /*help*/) {
    range.check(prefix_ + std::string(name), value);
  }
  template <class Group>
  void group(std::string_view name, Group& options) {
    RangeChecker inner(prefix_ + std::string(name) + ".");
    visit_fields(options, inner);
  }
  void former(std::string_view, auto&, const FormerValues&) {}

 private:
  std::string prefix_;
};

/// InputError for the first number of options that a program set outside its range. `prefix` stands
/// before the fields' names in messages: "memory.".
template <class Options>
void check_ranges(const Options& options, const std::string& prefix = "") {
  Options copy = options;
  RangeChecker checker(prefix);
  visit_fields(copy, checker);
}

/// All fields of options in the order of visit_fields.
template <class Options>
std::vector<FieldText> list_fields(const Options& options) {
  Options copy = options;
  FieldLister lister;
  visit_fields(copy, lister);
  return lister.take();
}

/// The known key nearest to a mistyped one, or "" when none is near.
std::string nearest_key(const std::string& key, const std::vector<FieldText>& known);

/// Sets one field by its dotted name; unknown keys are refused with the nearest known one.
template <class Options>
void set_field(Options& options, const std::string& key, const std::string& text) {
  FieldSetter setter(key, text);
  visit_fields(options, setter);
  if (setter.found()) return;
  const std::string near = nearest_key(key, list_fields(options));
  throw InputError(
      "unknown setting '" + key + "'" +
      (near.empty() ? "; --print-config lists all settings" : "; did you mean '" + near + "'?"));
}

/// YAML text of all fields, nested by dotted name; set_yaml reads it back.
std::string to_yaml(const std::vector<FieldText>& fields);

/// The leaves of a YAML mapping as (dotted key, text). `origin` names the file in errors.
std::vector<std::pair<std::string, std::string>> yaml_leaves(const std::string& yaml,
                                                             const std::string& origin);

}  // namespace moviechat
