#include "unclip/study/finding.h"

#include <nlohmann/json.hpp>

#include "unclip/image/decode.h"
#include "unclip/image/encode.h"
#include "unclip/io/file.h"

namespace unclip::study {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMaxJson = int64_t{1} << 28;

Json to_json(const metrics::Estimate& e) { return {{"value", e.value}, {"low", e.low}, {"high", e.high}}; }

metrics::Estimate estimate_of(const Json& json) {
  return {json.at("value").get<double>(), json.at("low").get<double>(), json.at("high").get<double>()};
}

Json to_json(const Plot& plot) {
  Json series = Json::array();
  for (const eval::report::Series& s : plot.series) {
    series.push_back(
        {{"name", s.name}, {"x", s.x}, {"y", s.y}, {"low", s.low}, {"high", s.high}, {"labels", s.labels}});
  }
  return {{"title", plot.axes.title}, {"x", plot.axes.x}, {"y", plot.axes.y}, {"series", series}};
}

Plot plot_of(const Json& json) {
  Plot plot{{json.at("title"), json.at("x"), json.at("y")}, {}};
  for (const Json& s : json.at("series")) {
    plot.series.push_back({.name = s.at("name"),
                           .x = s.at("x").get<std::vector<double>>(),
                           .y = s.at("y").get<std::vector<double>>(),
                           .low = s.at("low").get<std::vector<double>>(),
                           .high = s.at("high").get<std::vector<double>>(),
                           .labels = s.at("labels").get<std::vector<std::string>>()});
  }
  return plot;
}

std::string picture_name(const std::string& id, size_t index) {
  return join_text(id, '-', index + 1, ".png");
}

Json as_json(const Finding& f) {
  Json json{{"id", f.id},
            {"title", f.title},
            {"claim", f.claim},
            {"measured", f.measured},
            {"verdict", enum_name(f.verdict)},
            {"reason", f.reason},
            {"figures", Json::object()},
            {"plots", Json::array()},
            {"pictures", Json::array()},
            {"commands", f.commands}};
  for (const auto& [name, estimate] : f.figures) json["figures"][name] = to_json(estimate);
  for (const Plot& plot : f.plots) json["plots"].push_back(to_json(plot));
  for (size_t i = 0; i < f.grids.size(); ++i)
    json["pictures"].push_back({{"file", picture_name(f.id, i)}, {"caption", f.grids[i].caption}});
  return json;
}

Finding from_json(const Json& json, const fs::path& folder) {
  Finding f{.id = json.at("id"),
            .title = json.at("title"),
            .claim = json.at("claim"),
            .measured = json.at("measured"),
            .verdict = enum_from_name<Verdict>(json.at("verdict").get<std::string>(), "the verdict"),
            .reason = json.at("reason"),
            .figures = {},
            .plots = {},
            .grids = {},
            .commands = json.at("commands").get<std::vector<std::string>>()};
  for (const auto& [name, estimate] : json.at("figures").items())
    f.figures.emplace_back(name, estimate_of(estimate));
  for (const Json& plot : json.at("plots")) f.plots.push_back(plot_of(plot));
  for (const Json& picture : json.at("pictures")) {
    const fs::path file = folder / picture.at("file").get<std::string>();
    f.grids.push_back({image::read_picture(file).pixels, picture.at("caption")});
  }
  return f;
}

}  // namespace

Verdict verdict_on_sign(const metrics::Estimate& difference) {
  if (difference.low > 0) return Verdict::holds;
  return difference.high < 0 ? Verdict::does_not_hold : Verdict::undecided;
}

void add_point(eval::report::Series& series, double x, const metrics::Estimate& y) {
  series.x.push_back(x);
  series.y.push_back(y.value);
  series.low.push_back(y.low);
  series.high.push_back(y.high);
}

std::string with_interval(const metrics::Estimate& e) {
  using eval::report::number_text;
  return join_text(number_text(e.value, 3), " (", number_text(e.low, 3), " … ", number_text(e.high, 3), ")");
}

std::string finding_json(const Finding& finding) {
  return as_json(finding).dump(2, ' ', false, Json::error_handler_t::replace);
}

void save_finding(const Finding& finding, const fs::path& folder) {
  fs::create_directories(folder);
  for (size_t i = 0; i < finding.grids.size(); ++i)
    image::write_picture(folder / picture_name(finding.id, i), finding.grids[i].pixels, {.force = true});
  io::write_file_atomically(folder / (finding.id + ".json"), finding_json(finding) + "\n");
}

std::optional<Finding> load_finding(const std::string& id, const fs::path& folder) {
  const fs::path file = folder / (id + ".json");
  if (!fs::exists(file)) return std::nullopt;
  try {
    return from_json(Json::parse(io::read_text(file, kMaxJson)), folder);
  } catch (const Json::exception& error) {
    fail(ErrorKind::data, file.string(), " is damaged, remove it: ", error.what());
  }
}

}  // namespace unclip::study
