// What one experiment of the study found: figures with confidence intervals, plots, pictures and a verdict.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unclip/base/config.h"
#include "unclip/eval/report/plot.h"
#include "unclip/metrics/resample.h"

namespace unclip::study {

/// Of a claim, at the scale of this study: whether its interval lies on the claimed side of 0, on the other
/// one, or on both.
enum class Verdict { holds, does_not_hold, undecided };

struct Plot {
  eval::report::Axes axes;
  std::vector<eval::report::Series> series;
};

struct Grid {
  torch::Tensor pixels;  // uint8 [H, W, 3]
  std::string caption;
};

struct Finding {
  std::string id;        // "guidance"
  std::string title;     // for people
  std::string claim;     // what the paper says, and where
  std::string measured;  // what stands for it here
  Verdict verdict = Verdict::undecided;
  std::string reason;  // of the verdict, with the figures that decide
  std::vector<std::pair<std::string, metrics::Estimate>> figures;  // by what they are
  std::vector<Plot> plots;
  std::vector<Grid> grids;
  std::vector<std::string> commands;  // that give the drawings and models again
};

/// The verdict on "this difference is positive".
Verdict verdict_on_sign(const metrics::Estimate& difference);
/// Another point of a line, with its error bar.
void add_point(eval::report::Series& series, double x, const metrics::Estimate& y);
/// "0.12 (0.05 … 0.20)"
std::string with_interval(const metrics::Estimate& estimate);
/// A value that is counted, not sampled.
inline metrics::Estimate exactly(double value) { return {value, value, value}; }

/// FOLDER/ID.json with pictures FOLDER/ID-1.png, …; the JSON is written last, so that it is whole or not
/// there.
void save_finding(const Finding& finding, const std::filesystem::path& folder);
/// None if it is not there yet. Error(data) if the file is damaged.
std::optional<Finding> load_finding(const std::string& id, const std::filesystem::path& folder);
/// The figures, verdict and plots as JSON, pictures by the names of their files.
std::string finding_json(const Finding& finding);

}  // namespace unclip::study

template <>
struct unclip::EnumNames<unclip::study::Verdict> {
  static constexpr std::array<std::pair<study::Verdict, std::string_view>, 3> value{
      {{study::Verdict::holds, "holds"},
       {study::Verdict::does_not_hold, "does not hold here"},
       {study::Verdict::undecided, "undecided"}}};
};
