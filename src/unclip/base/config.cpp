#include "unclip/base/config.h"

#include <nlohmann/json.hpp>

#include "unclip/base/json_keys.h"

namespace unclip {
namespace {

using Json = nlohmann::ordered_json;

template <class... Lambdas>
struct Overloaded : Lambdas... {
  using Lambdas::operator()...;
};

std::vector<std::string> names_of(const std::vector<Field>& fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  return names;
}

const Field& find_field(const std::vector<Field>& fields, const std::string& name, const std::string& where) {
  for (const Field& field : fields) {
    if (field.name == name) return field;
  }
  const std::string near = nearest_name(name, names_of(fields));
  fail(ErrorKind::config, where, ": unknown setting '", name, "'",
       near.empty() ? "" : ", did you mean '" + near + "'?");
}

template <class T>
void assign(T& target, const Json& json, const std::string& where) {
  try {
    target = json.get<T>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::config, where, " has the wrong type: got ", json.dump());
  }
}

void assign(int64_t& target, const Json& json, const std::string& where) {
  check(json.is_number_integer(), ErrorKind::config, where, " has the wrong type: got ", json.dump(),
        ", expected a whole number");
  target = json.get<int64_t>();
}

void assign(double& target, const Json& json, const std::string& where) {
  check(json.is_number(), ErrorKind::config, where, " has the wrong type: got ", json.dump(),
        ", expected a number");
  target = json.get<double>();
}

template <class T>
void assign(std::optional<T>& target, const Json& json, const std::string& where) {
  if (json.is_null()) {
    target.reset();
  } else {
    assign(target.emplace(), json, where);
  }
}

void set_from(const std::vector<Field>& fields, const Json& json, const std::string& where) {
  check(json.is_object(), ErrorKind::config, where, " must be a JSON object {…}, got ",
        std::string(json.type_name()));
  for (const auto& [key, value] : json.items()) {
    const Field& field = find_field(fields, key, where);
    const std::string path = join_text(where, ": '", key, "'");
    std::visit(Overloaded{[&](auto* target) { assign(*target, value, path); },
                          [&](const EnumField& target) {
                            check(value.is_string(), ErrorKind::config, path, " must be text, got ",
                                  value.dump());
                            target.set(target.value, value.get<std::string>(), path);
                          },
                          [&](const std::vector<Field>& nested) { set_from(nested, value, path); }},
               field.value);
  }
}

Json to_json(const std::vector<Field>& fields) {
  Json json = Json::object();
  for (const Field& field : fields) {
    std::visit(
        Overloaded{[&](auto* value) { json[field.name] = *value; },
                   [&](std::optional<int64_t>* value) { json[field.name] = *value ? Json(**value) : Json(); },
                   [&](std::optional<double>* value) { json[field.name] = *value ? Json(**value) : Json(); },
                   [&](const EnumField& value) { json[field.name] = value.get(value.value); },
                   [&](const std::vector<Field>& nested) { json[field.name] = to_json(nested); }},
        field.value);
  }
  return json;
}

}  // namespace

void set_fields_from_json(const std::vector<Field>& fields, std::string_view text, const std::string& where) {
  constexpr int kMaxDepth = 64;
  check_json_keys(text, where);
  Json json;
  try {
    json = Json::parse(text, [](int level, Json::parse_event_t, Json&) {
      check(level <= kMaxDepth, ErrorKind::config, "nested too deeply");
      return true;
    });
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::config, where, " is not valid JSON: ", error.what());
  } catch (const Error& error) {
    fail(ErrorKind::config, where, " is not a configuration: ", error.what());
  }
  set_from(fields, json, where);
}

std::string fields_to_json(const std::vector<Field>& fields) { return to_json(fields).dump(2) + "\n"; }

void set_field(const std::vector<Field>& fields, const std::string& name, const std::string& text) {
  const size_t dot = name.find('.');
  const Field& field = find_field(fields, name.substr(0, dot), "settings");
  if (const auto* nested = std::get_if<std::vector<Field>>(&field.value)) {
    check(dot != std::string::npos, ErrorKind::config, "'", name, "' is a group of settings: write ", name,
          ".NAME=VALUE");
    return set_field(*nested, name.substr(dot + 1), text);
  }
  check(dot == std::string::npos, ErrorKind::config, "'", field.name, "' has no setting '",
        name.substr(dot + 1), "'");
  const bool is_text =
      std::holds_alternative<std::string*>(field.value) || std::holds_alternative<EnumField>(field.value);
  const bool is_list = std::holds_alternative<std::vector<int64_t>*>(field.value) ||
                       std::holds_alternative<std::vector<double>*>(field.value);
  Json value;
  if (is_text) {
    value = text;
  } else if (std::holds_alternative<std::vector<std::string>*>(field.value)) {
    value = Json::array();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      value.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  } else {
    value = Json::parse(is_list && !text.starts_with("[") ? "[" + text + "]" : text, nullptr, false);
    check(!value.is_discarded(), ErrorKind::config, "'", name, "' cannot be read from '", text, "'");
  }
  Json object = Json::object();
  object[field.name] = value;
  set_from({field}, object, "settings");
}

std::string fields_help(const std::vector<Field>& fields) {
  std::string help;
  const Json values = to_json(fields);
  for (const Field& field : fields) {
    if (const auto* nested = std::get_if<std::vector<Field>>(&field.value)) {
      std::istringstream lines(fields_help(*nested));
      for (std::string line; std::getline(lines, line);) help += field.name + "." + line + "\n";
    } else {
      help += join_text(field.name, " = ", values[field.name].dump(), "  ", field.help, "\n");
    }
  }
  return help;
}

}  // namespace unclip
