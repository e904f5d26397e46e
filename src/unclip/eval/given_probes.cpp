#include "unclip/eval/given_probes.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "unclip/base/error.h"
#include "unclip/base/noise.h"
#include "unclip/data/table.h"
#include "unclip/io/file.h"
#include "unclip/metrics/resample.h"

namespace unclip::eval {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMaxTable = int64_t{256} << 20, kMaxPicture = int64_t{256} << 20;
constexpr int64_t kFewestToHoldOut = 10, kHeldOutShare = 5;  // one in five

using Table = std::vector<std::vector<std::string>>;

Table read_table(const fs::path& csv, const std::vector<std::string>& columns) {
  const Table rows = data::read_csv_columns(io::read_text(csv, kMaxTable), columns, csv.string());
  check(!rows.empty(), ErrorKind::data, csv.string(), " has no rows");
  return rows;
}

/// The picture's number among the names of a table, each of which is looked at once.
int64_t number_of_name(const std::string& name,
                       std::vector<std::string>& names,
                       std::map<std::string, int64_t>& known) {
  const auto [place, is_new] = known.emplace(name, std::ssize(names));
  if (is_new) names.push_back(name);
  return place->second;
}

PictureSource source_of(const GivenTable& table) {
  return {std::ssize(table.names),
          [&table](int64_t i) {
            auto bytes = std::make_shared<std::vector<uint8_t>>(
                io::read_file(table.folder / table.names[size_t(i)], kMaxPicture));
            const std::span<const uint8_t> view(*bytes);
            return data::Bytes{std::move(bytes), view};
          },
          [&table](int64_t i) { return table.names[size_t(i)]; }};
}

/// By picture number. A damaged picture is an error: whoever rated it meant it to count.
torch::Tensor features_of(const GivenTable& table,
                          const FeatureExtractor& extractor,
                          const ExtractOptions& options,
                          Progress& progress) {
  const FeatureSet set = extract(source_of(table), extractor, options, progress);
  check(set.damaged == 0, ErrorKind::data, "a picture of the table cannot be used: ",
        set.damaged == 0 ? std::string() : set.damage.front().reason);
  return set.features;
}

double number_of(const std::string& text, const fs::path& csv) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size() && std::isfinite(value), ErrorKind::data,
        csv.string(), ": the rating '", text, "' is no number");
  return value;
}

/// Quality on a random fifth of a probe fitted to the rest; NaN if there are too few examples.
template <class Judge>
double held_out_quality(int64_t examples, const Judge& judge) {
  if (examples < kFewestToHoldOut) return std::numeric_limits<double>::quiet_NaN();
  const torch::Tensor order = metrics::random_subset(examples, examples, {0, stream_id("probe"), 0});
  const int64_t held_out = examples / kHeldOutShare;
  return judge(order.slice(0, held_out), order.slice(0, 0, held_out));
}

}  // namespace

GivenTable read_ratings(const fs::path& csv) {
  GivenTable table{.folder = csv.parent_path()};
  std::map<std::string, int64_t> known;
  for (const auto& row : read_table(csv, {"file_name", "rating"})) {
    table.first.push_back(number_of_name(row[0], table.names, known));
    table.ratings.push_back(number_of(row[1], csv));
  }
  return table;
}

GivenTable read_comparisons(const fs::path& csv) {
  GivenTable table{.folder = csv.parent_path()};
  std::map<std::string, int64_t> known;
  for (const auto& row : read_table(csv, {"better", "worse"})) {
    table.first.push_back(number_of_name(row[0], table.names, known));
    table.second.push_back(number_of_name(row[1], table.names, known));
  }
  return table;
}

GivenProbe fit_given_ratings(const GivenTable& table,
                             const FeatureExtractor& extractor,
                             const ExtractOptions& options,
                             Progress& progress) {
  const torch::Tensor x =
      features_of(table, extractor, options, progress).index_select(0, torch::tensor(table.first));
  const torch::Tensor y = torch::tensor(table.ratings, torch::kFloat64);
  const double quality =
      held_out_quality(x.size(0), [&](const torch::Tensor& seen, const torch::Tensor& unseen) {
        const metrics::LinearProbe probe =
            metrics::fit_ratings(x.index_select(0, seen), y.index_select(0, seen));
        return metrics::r_squared(probe, x.index_select(0, unseen), y.index_select(0, unseen));
      });
  return {"rating", metrics::fit_ratings(x, y), x.size(0), quality};
}

GivenProbe fit_given_comparisons(const GivenTable& table,
                                 const FeatureExtractor& extractor,
                                 const ExtractOptions& options,
                                 Progress& progress) {
  const torch::Tensor all = features_of(table, extractor, options, progress);
  const torch::Tensor x = all.index_select(0, torch::tensor(table.first));
  const torch::Tensor y = all.index_select(0, torch::tensor(table.second));
  const double quality =
      held_out_quality(x.size(0), [&](const torch::Tensor& seen, const torch::Tensor& unseen) {
        const metrics::LinearProbe probe =
            metrics::fit_preferences(x.index_select(0, seen), y.index_select(0, seen));
        return metrics::preference_accuracy(probe, x.index_select(0, unseen), y.index_select(0, unseen));
      });
  return {"preference", metrics::fit_preferences(x, y), x.size(0), quality};
}

}  // namespace unclip::eval
