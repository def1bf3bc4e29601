#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "moviechat/fields.h"
#include "moviechat/time.h"

// Compiled once, in base/json.cpp, and not in each of the files that read or write JSON.
extern template class nlohmann::basic_json<>;

namespace moviechat {

/// Deepest nesting of JSON from elsewhere: code that copies, compares or prints it recurses once a
/// level.
constexpr size_t kDeepestJson = 100;

/// Depth check of JSON text: true when it is nested deeper than is read. Takes one pass.
bool is_nested_too_deep(std::string_view text);

/// Parsed JSON from elsewhere; all of it is read here. Discarded (json.is_discarded()) when the
/// text is no JSON or nested too deep.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text) {
  if (is_nested_too_deep(text)) return Json(nlohmann::detail::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

/// Reason why parse_json() discarded a text: "is not valid JSON", or that it is nested too deep.
std::string json_fault(std::string_view text);

/// JSON as text, on one line or indented. What is not UTF-8 in it becomes U+FFFD.
template <class Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

/// Message about a field that is missing or of another type, without the library's codes.
std::string json_fault(const nlohmann::json::exception& error);

// Structs are JSON objects by their fields, each named once (visit_fields, as of options):
//
//   template <class Visitor> void visit_fields(Counts& o, Visitor& field) {
//     field("seeks", o.seeks);
//     field.if_any("error", o.error);  // an optional whose key is left out where it has no value
//   }
//
// `Json json = counts` writes, `json.get<Counts>()` reads. Other optionals are null without a
// value, enums their names, times seconds.

/// Writes fields into an object.
template <class Json>
class JsonWriter {
 public:
  explicit JsonWriter(Json& object) : object_(object) {}

  template <class T>
  void operator()(std::string_view name, const T& value) {
    object_[std::string(name)] = value;
  }
  template <class T>
  void if_any(std::string_view name, const std::optional<T>& value) {
    if (value) (*this)(name, *value);
  }

 private:
  Json& object_;
};

/// Reads fields from an object. nlohmann::json::exception where one is missing, but for optionals,
/// or of another type; InputError for a name that an enum does not have.
template <class Json>
class JsonReader {
 public:
  explicit JsonReader(const Json& object) : object_(object) {}

  template <class T>
  void operator()(std::string_view name, T&& value) {
    const std::string key(name);
    read(key, object_.at(key), value);
  }
  template <class T>
  void operator()(std::string_view name, std::optional<T>& value) {
    const auto found = object_.find(std::string(name));
    value.reset();
    if (found != object_.end() && !found->is_null())
      read(std::string(name), *found, value.emplace());
  }
  template <class T>
  void if_any(std::string_view name, std::optional<T>& value) {
    (*this)(name, value);
  }

 private:
  template <class T>
  static void read(const std::string& key, const Json& json, T& value) {
    if constexpr (NamedEnum<T>) {
      from_text(key, json.template get<std::string>(), value);
    } else {
      json.get_to(value);
    }
  }
  const Json& object_;
};

template <class T>
concept WithFields = std::is_class_v<T> && !nlohmann::detail::is_basic_json<T>::value &&
                     requires(T & value, JsonWriter<nlohmann::json>& field) {
  visit_fields(value, field);
};

}  // namespace moviechat

template <moviechat::WithFields T>
struct nlohmann::adl_serializer<T> {
  template <class Json>
  static void to_json(Json& json, const T& value) {
    json = Json::object();
    moviechat::JsonWriter<Json> writer(json);
    visit_fields(const_cast<T&>(value), writer);  // which only reads it
  }
  template <class Json>
  static void from_json(const Json& json, T& value) {
    moviechat::JsonReader<Json> reader(json);
    visit_fields(value, reader);
  }
};

template <class T>
struct nlohmann::adl_serializer<std::optional<T>> {
  template <class Json>
  static void to_json(Json& json, const std::optional<T>& value) {
    json = value ? Json(*value) : Json(nullptr);
  }
};

template <moviechat::NamedEnum Enum>
struct nlohmann::adl_serializer<Enum> {
  template <class Json>
  static void to_json(Json& json, Enum value) {
    json = std::string(moviechat::name_of(value));
  }
};

template <>
struct nlohmann::adl_serializer<moviechat::Seconds> {
  template <class Json>
  static void to_json(Json& json, moviechat::Seconds value) {
    json = value.count();
  }
  template <class Json>
  static void from_json(const Json& json, moviechat::Seconds& value) {
    value = moviechat::Seconds(json.template get<double>());
  }
};
