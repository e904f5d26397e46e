// What the first principal components of z_i keep: a picture's identity appears with their number (unCLIP §4,
// Fig. 7).
#include <algorithm>
#include <cmath>

#include "unclip/base/shell_words.h"
#include "unclip/data/picture.h"
#include "unclip/manipulate/principal_components.h"
#include "unclip/pipeline/manipulations.h"
#include "unclip/study/claims.h"
#include "unclip/study/statistics.h"
#include "unclip/study/subjects.h"

namespace unclip::study {
namespace {

constexpr int64_t kFitPictures = 4096;
constexpr int64_t kAtOnce = 256;
constexpr int64_t kCounts = 7;

/// Of training pictures, evenly from all of them.
prior::PrincipalComponents fit(Lab& lab) {
  const data::Dataset training = data::Dataset::open(lab.request().data);
  const int64_t count = std::min(kFitPictures, training.size());
  std::vector<torch::Tensor> parts;
  for (int64_t first = 0; first < count; first += kAtOnce) {
    lab.progress().throw_if_stopped();
    std::vector<torch::Tensor> pictures;
    for (int64_t i = first; i < std::min(first + kAtOnce, count); ++i) {
      const int64_t index = i * training.size() / count;
      pictures.push_back(data::square_picture(training.picture(index).data, training.key(index), lab.side()));
    }
    parts.push_back(lab.model().clip().embed_pictures(pictures));
  }
  return manipulate::fit_principal_components(torch::cat(parts));
}

/// 2 … all, in about equal ratios, each once.
std::vector<int64_t> counts_up_to(int64_t all) {
  std::vector<int64_t> counts;
  for (int64_t i = 0; i < kCounts; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(kCounts - 1);
    counts.push_back(std::min<int64_t>(all, std::llround(2 * std::pow(static_cast<double>(all) / 2, share))));
  }
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

/// Pictures from the first k components of each z_i, with one x_T for all k ("fixed-seed DDIM", Fig. 7).
torch::Tensor drawn_from(Lab& lab, const std::vector<Subject>& subjects, const torch::Tensor& z_i) {
  const pipeline::Plan plan = pipeline::make_plan(
      lab.model().model(),
      {.prior = pipeline::PriorKind::text, .sampler = diffusion::Sampler::ddim, .size = lab.side()});
  return lab.model()
      .draw({z_i, nn::repeat_text(lab.model().clip().null_text(), std::ssize(subjects)),
             seeds_of(lab, subjects)},
            plan, lab.progress())
      .pictures;
}

/// What is examined, without any result.
Finding described() {
  return {.id = "principal-components",
          .title = "A picture's identity appears with the number of principal components",
          .claim =
              "The first components of z_i hold coarse meaning, later ones finer detail such as the "
              "exact form (§4, Fig. 7).",
          .measured =
              "Test pictures are drawn from the first k principal components of their z_i (fitted to "
              "training pictures), x_T fixed. The verdict is on how often the original is the nearest "
              "of all pictures that are manipulated, with all components less with the fewest."};
}

}  // namespace

Finding examine_principal_components(Lab& lab) {
  const uint64_t seed = lab.request().seed;
  const std::vector<Subject> subjects = choose_subjects(lab);
  const torch::Tensor originals = lab.embed(pixels_of(subjects));
  const torch::Tensor z_i = lab.model().clip().embed_pictures(pixels_of(subjects));
  const prior::PrincipalComponents components = fit(lab);

  Finding finding = described();
  eval::report::Series cosine{.name = "cosine", .x = {}, .y = {}}, found{.name = "found", .x = {}, .y = {}};
  std::vector<Column> columns;
  torch::Tensor first, last;
  for (const int64_t k : counts_up_to(manipulate::count(components))) {
    const torch::Tensor drawn = drawn_from(lab, subjects, manipulate::project(z_i, components, k));
    const torch::Tensor z = lab.embed_drawn(drawn);
    last = finds_own(z, originals);
    if (!first.defined()) first = last;
    const std::string label = "k=" + std::to_string(k);
    const double share = 1 - prior::reconstruction_error(components.eigenvalues, k);
    add_point(cosine, std::log2(static_cast<double>(k)), mean(row_cosines(z, originals), seed));
    add_point(found, std::log2(static_cast<double>(k)), mean(last, seed));
    finding.figures.emplace_back("share of the variance of z_i, " + label, exactly(share));
    finding.figures.emplace_back("cosine with the original, " + label, mean(row_cosines(z, originals), seed));
    finding.figures.emplace_back("original found among all, " + label, mean(last, seed));
    columns.push_back({label, drawn.slice(0, 0, grid_rows(subjects))});
  }
  const metrics::Estimate gain = mean_difference(last, first, seed);
  finding.verdict = verdict_on_sign(gain);
  finding.reason = join_text("With all ", manipulate::count(components),
                             " components the original is found more often than with "
                             "2 by ",
                             with_interval(gain), ".");
  finding.figures.emplace_back("gain of identity", gain);
  finding.plots = {{{"Identity against components", "log₂ of the components kept",
                     "original found (share), cosine with it"},
                    {found, cosine}}};
  finding.grids.push_back(grid(subjects, columns, "Not chosen. Left: the original."));
  finding.commands = {join_text("unclip probe PICTURE", flag_text("--data", lab.request().data), " --size ",
                                lab.side(), " --model ", quoted(lab.request().model.string()))};
  return finding;
}

}  // namespace unclip::study
