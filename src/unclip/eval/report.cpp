#include <cmath>
#include <functional>

#include "unclip/eval/evaluation.h"
#include "unclip/eval/report/page.h"
#include "unclip/eval/report/plot.h"
#include "unclip/image/sheet.h"

namespace unclip::eval {
namespace {

using report::number_text;
using report::Page;
using report::Row;
using report::Series;

std::string with_interval(const metrics::Estimate& e) {
  return join_text(number_text(e.value), " (", number_text(e.low), " … ", number_text(e.high), ")");
}

/// A figure of the table: its name, and how it reads for one comparison ("" if it has none).
struct Figure {
  const char* name;
  std::function<std::string(const Comparison&)> text;
};

Figure estimate(const char* name, metrics::Estimate Comparison::*member) {
  return {name, [member](const Comparison& c) { return with_interval(c.*member); }};
}

Figure of_captions(const char* name, metrics::Estimate CaptionMetrics::*member) {
  return {name, [member](const Comparison& c) {
            return c.captions ? with_interval((*c.captions).*member) : std::string();
          }};
}

const std::vector<Figure>& figures() {
  static const std::vector<Figure> list{
      {"pictures", [](const Comparison& c) { return std::to_string(c.drawn); }},
      {"Fréchet distance (FID) ↓", [](const Comparison& c) { return number_text(c.frechet_distance); }},
      {"kernel distance (KID) × 1000 ↓",
       [](const Comparison& c) {
         return join_text(number_text(1000 * c.kernel_distance.value), " ± ",
                          number_text(1000 * c.kernel_distance.standard_error, 2));
       }},
      estimate("precision ↑", &Comparison::precision),
      estimate("recall ↑", &Comparison::recall),
      estimate("density ↑", &Comparison::density),
      estimate("coverage ↑", &Comparison::coverage),
      {"pairwise distance", [](const Comparison& c) { return number_text(c.pairwise_distance); }},
      of_captions("CLIP score (100 cos) ↑", &CaptionMetrics::clip_score),
      of_captions("CLIPScore (2.5 max(cos, 0)) ↑", &CaptionMetrics::hessel_score),
      of_captions("picture finds its caption, R@1 ↑", &CaptionMetrics::caption_r1),
      of_captions("R@5", &CaptionMetrics::caption_r5),
      of_captions("R@10", &CaptionMetrics::caption_r10),
      of_captions("caption finds its picture, R@1 ↑", &CaptionMetrics::picture_r1),
      of_captions("R@5", &CaptionMetrics::picture_r5),
      of_captions("R@10", &CaptionMetrics::picture_r10),
  };
  return list;
}

void add_table(Page& page, const Evaluation& evaluation) {
  Row header{""};
  for (const Point& point : evaluation.points) header.push_back(point.name);
  std::vector<Row> rows;
  for (const Figure& figure : figures()) {
    Row row{figure.name};
    for (const Point& point : evaluation.points) row.push_back(figure.text(point.comparison));
    if (!row.back().empty()) rows.push_back(std::move(row));
  }
  for (size_t i = 0; i < evaluation.probes.size(); ++i) {
    Row row{"mean " + evaluation.probes[i].name + " of the linear probe"};
    for (const Point& point : evaluation.points)
      row.push_back(with_interval(point.comparison.probes[i].second));
    rows.push_back(std::move(row));
  }
  page.table(header, rows);
}

/// A figure of every point against guidance.
Series against_guidance(const Evaluation& evaluation,
                        const std::string& name,
                        const std::function<metrics::Estimate(const Comparison&)>& of) {
  Series series{.name = name, .x = {}, .y = {}};
  for (const Point& point : evaluation.points) {
    const metrics::Estimate e = of(point.comparison);
    series.x.push_back(point.guidance.value_or(0));
    series.y.push_back(e.value);
    series.low.push_back(e.low);
    series.high.push_back(e.high);
  }
  return series;
}

metrics::Estimate plain(double value) { return {value, value, value}; }

std::vector<std::string> sweep_plots(const Evaluation& evaluation) {
  const auto series = [&](const char* name, const std::function<metrics::Estimate(const Comparison&)>& of) {
    return against_guidance(evaluation, name, of);
  };
  const auto plot = [](const char* title, const char* y, const std::vector<Series>& lines) {
    return report::line_plot({title, "guidance scale", y}, lines);
  };
  std::vector<std::string> plots{
      plot("Fréchet distance against guidance", "FID",
           {series("FID", [](const Comparison& c) { return plain(c.frechet_distance); })}),
      plot("Precision and recall against guidance", "share",
           {series("precision", [](const Comparison& c) { return c.precision; }),
            series("recall", [](const Comparison& c) { return c.recall; })})};
  Series trade{.name = "points", .x = {}, .y = {}};
  for (const Point& point : evaluation.points) {
    trade.x.push_back(point.comparison.recall.value);
    trade.y.push_back(point.comparison.precision.value);
    trade.labels.push_back(point.guidance ? number_text(*point.guidance) : point.name);
  }
  plots.push_back(report::line_plot({"Diversity against fidelity", "recall", "precision"}, {trade}));
  if (evaluation.points.front().comparison.captions) {
    plots.push_back(plot("CLIP score against guidance", "100 cos",
                         {series("CLIP score", [](const Comparison& c) { return c.captions->clip_score; })}));
  }
  for (size_t i = 0; i < evaluation.probes.size(); ++i) {
    const std::string& name = evaluation.probes[i].name;
    plots.push_back(plot("Linear probe against guidance", name.c_str(),
                         {series(name.c_str(), [i](const Comparison& c) { return c.probes[i].second; })}));
  }
  return plots;
}

std::vector<std::string> caption_histogram(const Evaluation& evaluation) {
  std::vector<Series> series;
  for (const Point& point : evaluation.points) {
    if (!point.comparison.captions) return {};
    const torch::Tensor scores = point.comparison.captions->clip_scores.contiguous();
    const auto* first = scores.data_ptr<double>();
    series.push_back({.name = point.name, .x = {}, .y = {first, first + scores.numel()}});
  }
  return {report::histogram({"CLIP scores of single pictures", "100 cos", "share of pictures"}, series)};
}

/// Rows: real pictures, then each point's. With captions, a column has one caption.
void add_examples(Page& page, const Evaluation& evaluation) {
  std::vector<torch::Tensor> tiles = evaluation.real_examples;
  const size_t columns = evaluation.real_examples.empty() ? evaluation.points.front().examples.size()
                                                          : evaluation.real_examples.size();
  std::string rows = tiles.empty() ? "" : "real";
  for (const Point& point : evaluation.points) {
    if (point.examples.empty()) continue;
    rows += (rows.empty() ? "" : "; ") + point.name;
    tiles.insert(tiles.end(), point.examples.begin(), point.examples.end());
    while (tiles.size() % columns != 0) tiles.push_back(torch::full_like(tiles.front(), 255));
  }
  if (tiles.empty()) return;
  page.heading("Examples");
  std::string captions;
  for (const std::string& caption : evaluation.example_captions)
    captions += (captions.empty() ? "" : " | ") + caption;
  if (!captions.empty()) page.paragraph("Captions of the columns: " + captions);
  page.picture(image::contact_sheet(tiles, {.columns = static_cast<int64_t>(columns)}),
               "Not chosen. Rows from above: " + rows);
}

}  // namespace

std::string report_html(const Evaluation& evaluation, const std::string& command) {
  Page page("Evaluation");
  page.code(command);
  const FeatureSet& real = evaluation.real;
  page.paragraph(join_text("Against ", real.count(), " real pictures, by features of: ", evaluation.features,
                           " (", real.features.size(1),
                           " dimensions). In parentheses: 95 % bootstrap intervals over "
                           "pictures; ± is a standard error."));
  if (evaluation.points.front().comparison.captions)
    page.paragraph("Captions are judged by: " + evaluation.clip);
  for (const std::string& warning : evaluation.warnings) page.warning(warning);
  add_table(page, evaluation);
  for (const GivenProbe& given : evaluation.probes) {
    page.paragraph(
        join_text("Linear probe of ", given.name, ": ", given.examples, " examples",
                  std::isnan(given.quality)
                      ? std::string(", too few to hold some out")
                      : join_text("; on a held-out fifth, ", given.name == "rating" ? "R² " : "accuracy ",
                                  number_text(given.quality, 3))));
  }
  std::vector<std::string> plots =
      evaluation.points.size() > 1 ? sweep_plots(evaluation) : std::vector<std::string>();
  for (const std::string& plot : caption_histogram(evaluation)) plots.push_back(plot);
  if (!plots.empty()) page.plots(plots);
  add_examples(page, evaluation);
  return page.html();
}

}  // namespace unclip::eval
