// Variations of a picture keep what CLIP sees in it, the more of its details the smaller η is (unCLIP §3.1).
#include "unclip/base/shell_words.h"
#include "unclip/image/network.h"
#include "unclip/pipeline/manipulations.h"
#include "unclip/study/claims.h"
#include "unclip/study/statistics.h"
#include "unclip/study/subjects.h"

namespace unclip::study {
namespace {

constexpr std::array<double, 5> kEtas{0, 0.25, 0.5, 0.75, 1};
constexpr double kBestPsnr = 60;  // stands for pictures that are equal

/// Peak signal-to-noise ratio of each of N drawn pictures to its subject, in dB: float64 [N].
torch::Tensor psnr(const torch::Tensor& drawn, const std::vector<Subject>& subjects) {
  const torch::Tensor originals = torch::stack(pixels_of(subjects)).to(torch::kFloat64);
  const torch::Tensor error = image::to_pixels(drawn).to(torch::kFloat64) - originals;
  return (20 * std::log10(255.0) - 10 * error.square().mean({1, 2, 3}).log10()).clamp_max(kBestPsnr);
}

std::string label(double eta) { return "η=" + eval::report::number_text(eta); }

/// What is examined, without any result.
Finding described() {
  return {.id = "variations",
          .title = "Variations keep a picture's content",
          .claim =
              "Decoding (z_i, x_T) with η = 0 draws the picture again; the larger η, the more details "
              "change, while the content that z_i holds stays (§3.1, Fig. 3).",
          .measured =
              "Test pictures are inverted with the examined model and decoded at five η. Content: the "
              "judge's cosine with the original, and whether the original is the nearest of all test "
              "pictures that are manipulated. Details: PSNR. The verdict is on the cosine at η = 1 "
              "less that of unrelated pictures, given that PSNR falls from η = 0 to 1."};
}

/// What is drawn with one η.
struct Drawn {
  double eta = 0;
  torch::Tensor pictures;              // [N, 3, S, S]
  torch::Tensor cosines, found, psnr;  // of each with its original [N]
};

std::vector<Drawn> draw_all(Lab& lab,
                            const std::vector<Subject>& subjects,
                            const manipulate::Latent& latents,
                            const torch::Tensor& originals) {
  std::vector<Drawn> all;
  for (const double eta : kEtas) {
    const pipeline::LatentRequest request{latents, eta, seeds_of(lab, subjects), {.size = lab.side()}};
    const torch::Tensor pictures = pipeline::draw_latent(lab.model(), request, lab.progress()).pictures;
    const torch::Tensor z = lab.embed_drawn(pictures);
    all.push_back(
        {eta, pictures, row_cosines(z, originals), finds_own(z, originals), psnr(pictures, subjects)});
  }
  return all;
}

void add_figures(Finding& finding,
                 const std::vector<Drawn>& all,
                 const metrics::Estimate& unrelated,
                 uint64_t seed) {
  eval::report::Series content{.name = "variations", .x = {}, .y = {}}, details = content;
  eval::report::Series others{.name = "unrelated pictures", .x = {}, .y = {}};
  for (const Drawn& drawn : all) {
    const metrics::Estimate cosine = mean(drawn.cosines, seed), decibel = mean(drawn.psnr, seed);
    add_point(content, drawn.eta, cosine);
    add_point(details, drawn.eta, decibel);
    add_point(others, drawn.eta, unrelated);
    finding.figures.emplace_back("cosine with the original, " + label(drawn.eta), cosine);
    finding.figures.emplace_back("original found among all, " + label(drawn.eta), mean(drawn.found, seed));
    finding.figures.emplace_back("PSNR, dB, " + label(drawn.eta), decibel);
  }
  finding.figures.emplace_back("cosine of unrelated pictures", unrelated);
  finding.plots = {{{"Content against η", "η", "cosine with the original"}, {content, others}},
                   {{"Details against η", "η", "PSNR, dB"}, {details}}};
}

}  // namespace

Finding examine_variations(Lab& lab) {
  const uint64_t seed = lab.request().seed;
  const std::vector<Subject> subjects = choose_subjects(lab);
  const manipulate::Latent latents = latents_of(lab, subjects);
  const torch::Tensor originals = lab.embed(pixels_of(subjects));
  const torch::Tensor of_others = cosines_with_others(originals);
  const std::vector<Drawn> all = draw_all(lab, subjects, latents, originals);
  const metrics::Estimate kept = mean_difference(all.back().cosines, of_others, seed);
  const metrics::Estimate fall = mean_difference(all.front().psnr, all.back().psnr, seed);

  Finding finding = described();
  finding.verdict = fall.low > 0 ? verdict_on_sign(kept) : verdict_on_sign(fall);
  finding.reason =
      join_text("At η = 1 variations are nearer to their original than unrelated pictures by a cosine of ",
                with_interval(kept), "; from η = 0 to 1 PSNR falls by ", with_interval(fall), " dB.");
  add_figures(finding, all, mean(of_others, seed), seed);
  std::vector<Column> columns;
  for (const Drawn& drawn : all)
    columns.push_back({label(drawn.eta), drawn.pictures.slice(0, 0, grid_rows(subjects))});
  finding.grids.push_back(grid(subjects, columns, "Not chosen. Left: the original."));
  finding.commands = {join_text("unclip vary PICTURE --eta 0.5 --steps ", latents.path.timesteps, " --size ",
                                lab.side(), " --model ", quoted(lab.request().model.string()))};
  return finding;
}

}  // namespace unclip::study
