// One list of fields per configuration struct gives JSON in both directions, help and overrides by name.
//
//   struct PriorConfig {
//     int64_t width = 2048;                                     // the default is the member's initialiser
//     static void fields(auto& self, auto&& field) { field("width", self.width, "residual stream width"); }
//   };
//   auto config = config_from_json<PriorConfig>(text, "models/emoji/prior/config.json");
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "unclip/base/error.h"

namespace unclip {

/// The names of an enum's values: specialise with `static constexpr std::array<std::pair<E,
/// std::string_view>, N> value`.
template <class E>
struct EnumNames;

template <class E>
std::string enum_name(E value) {
  for (const auto& [known, name] : EnumNames<E>::value) {
    if (known == value) return std::string(name);
  }
  fail(ErrorKind::config, "an enum has a value without a name");
}

/// The value called `name`; `what` is how the error names the setting.
template <class E>
E enum_from_name(std::string_view name, std::string_view what) {
  std::string known_names;
  for (const auto& [known, known_name] : EnumNames<E>::value) {
    if (known_name == name) return known;
    known_names += (known_names.empty() ? "" : ", ") + std::string(known_name);
  }
  fail(ErrorKind::config, what, " is '", name, "', expected one of: ", known_names);
}

/// An enum field without its type.
struct EnumField {
  void* value = nullptr;
  std::string (*get)(const void*) = nullptr;
  void (*set)(void*, std::string_view name, std::string_view what) = nullptr;
};

struct Field;
using FieldValue = std::variant<bool*,
                                int64_t*,
                                double*,
                                std::string*,
                                std::vector<int64_t>*,
                                std::vector<double>*,
                                std::vector<std::string>*,
                                std::optional<int64_t>*,
                                std::optional<double>*,
                                EnumField,
                                std::vector<Field>>;

/// One named setting of a configuration, pointing into the struct it came from.
struct Field {
  std::string name;
  std::string help;
  FieldValue value;
};

template <class Config>
std::vector<Field> fields_of(Config& config);

namespace detail {

template <class T>
FieldValue field_value(T& value) {
  if constexpr (std::is_enum_v<T>) {
    return EnumField{&value, [](const void* p) { return enum_name(*static_cast<const T*>(p)); },
                     [](void* p, std::string_view name, std::string_view what) {
                       *static_cast<T*>(p) = enum_from_name<T>(name, what);
                     }};
  } else if constexpr (requires { FieldValue{&value}; }) {
    return FieldValue{&value};
  } else {
    return fields_of(value);  // a nested configuration
  }
}

}  // namespace detail

template <class Config>
std::vector<Field> fields_of(Config& config) {
  std::vector<Field> result;
  Config::fields(config, [&result](std::string name, auto& value, std::string help) {
    result.push_back({std::move(name), std::move(help), detail::field_value(value)});
  });
  return result;
}

/// Sets fields from a JSON object. An unknown key, a wrong type or a damaged text is an Error that names
/// `where`.
void set_fields_from_json(const std::vector<Field>& fields, std::string_view json, const std::string& where);
std::string fields_to_json(const std::vector<Field>& fields);
/// Sets one field, nested ones as "unet.channels", from text as written on a command line (lists with
/// commas).
void set_field(const std::vector<Field>& fields, const std::string& name, const std::string& text);
/// One line per field: name, value, help.
std::string fields_help(const std::vector<Field>& fields);

template <class Config>
Config config_from_json(std::string_view json, const std::string& where) {
  Config config;
  set_fields_from_json(fields_of(config), json, where);
  return config;
}

template <class Config>
std::string config_to_json(Config config) {
  return fields_to_json(fields_of(config));
}

}  // namespace unclip
