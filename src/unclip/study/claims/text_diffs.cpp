// Language-guided edits: text diffs move a picture toward a caption and keep the rest (unCLIP §3.3, Fig. 5).
#include "unclip/base/shell_words.h"
#include "unclip/manipulate/slerp.h"
#include "unclip/manipulate/text_diff.h"
#include "unclip/pipeline/manipulations.h"
#include "unclip/study/claims.h"
#include "unclip/study/statistics.h"
#include "unclip/study/subjects.h"

namespace unclip::study {
namespace {

constexpr double kTheta = 0.5;  // the paper: at most 0.25 to 0.5
constexpr int64_t kFrames = 5;

std::string label(double theta) { return "θ=" + eval::report::number_text(theta, 3); }

/// Pictures of each subject moved by θ along the text diff of its caption and its target's, x_T held.
torch::Tensor edited(Lab& lab,
                     const std::vector<Subject>& subjects,
                     const manipulate::Latent& latents,
                     double theta) {
  const torch::Tensor from = lab.model().clip().encode_text(captions_of(subjects)).z_t;
  const torch::Tensor to = lab.model().clip().encode_text(captions_of_next(subjects)).z_t;
  const manipulate::Latent moved{manipulate::edited(latents.z_i, manipulate::text_diff(to, from), theta),
                                 latents.x_T, latents.path};
  return pipeline::draw_latent(lab.model(), {moved, 0.0, seeds_of(lab, subjects), {.size = lab.side()}},
                               lab.progress())
      .pictures;
}

/// What is examined, without any result.
Finding described() {
  return {.id = "text-diffs",
          .title = "Text diffs move a picture toward a caption and keep the rest",
          .claim =
              "Rotating z_i toward the difference of two captions' embeddings, x_T held, changes what "
              "the captions differ in and preserves the picture's structure (§3.3, Fig. 5).",
          .measured =
              "Each test picture is moved from its own caption toward the next one's. Toward: the "
              "judge's cosine with the target caption. The rest: its cosine with the original, against "
              "that of the picture which the target caption belongs to. The verdict is on the gain "
              "toward the target at θ = 0.5, given that the rest is kept."};
}

/// What is drawn with one θ, and each picture's cosines with its target's caption and with its original [N].
struct Drawn {
  double theta = 0;
  torch::Tensor pictures, toward, kept;
};

std::vector<Drawn> draw_all(Lab& lab, const std::vector<Subject>& subjects, const torch::Tensor& originals) {
  const manipulate::Latent latents = latents_of(lab, subjects);
  const torch::Tensor targets = lab.embed_captions(captions_of_next(subjects));
  std::vector<Drawn> all;
  for (const double theta : manipulate::fractions(kFrames, kTheta)) {
    const torch::Tensor pictures = edited(lab, subjects, latents, theta), z = lab.embed_drawn(pictures);
    all.push_back({theta, pictures, row_cosines(z, targets), row_cosines(z, originals)});
  }
  return all;
}

void add_figures(Finding& finding, const std::vector<Drawn>& all, uint64_t seed) {
  eval::report::Series toward{.name = "target caption", .x = {}, .y = {}};
  eval::report::Series rest{.name = "original picture", .x = {}, .y = {}};
  for (const Drawn& drawn : all) {
    const metrics::Estimate target = mean(drawn.toward, seed), original = mean(drawn.kept, seed);
    add_point(toward, drawn.theta, target);
    add_point(rest, drawn.theta, original);
    finding.figures.emplace_back("cosine with the target caption, " + label(drawn.theta), target);
    finding.figures.emplace_back("cosine with the original picture, " + label(drawn.theta), original);
  }
  finding.plots = {{{"Toward the caption, and away from the picture", "θ", "cosine"}, {toward, rest}}};
}

Grid grid_of(const std::vector<Subject>& subjects, const std::vector<Drawn>& all) {
  std::vector<Column> columns;
  for (const Drawn& drawn : all)
    columns.push_back({label(drawn.theta), drawn.pictures.slice(0, 0, grid_rows(subjects))});
  const std::vector<std::string> from = captions_of(subjects), to = captions_of_next(subjects);
  std::string captions;
  for (size_t i = 0; i < size_t(grid_rows(subjects)); ++i)
    captions += join_text(i > 0 ? "; " : "", from[i], " → ", to[i]);
  return grid(subjects, columns, "Not chosen. Left: the original. Rows: " + captions);
}

}  // namespace

Finding examine_text_diffs(Lab& lab) {
  const uint64_t seed = lab.request().seed;
  const std::vector<Subject> subjects = choose_subjects(lab);
  const torch::Tensor originals = lab.embed(pixels_of(subjects));
  const torch::Tensor of_target =
      row_cosines(originals.roll(-1, 0), originals);  // of the target's own picture
  const std::vector<Drawn> all = draw_all(lab, subjects, originals);
  const metrics::Estimate gain = mean_difference(all.back().toward, all.front().toward, seed);
  const metrics::Estimate kept = mean_difference(all.back().kept, of_target, seed);

  Finding finding = described();
  finding.verdict = kept.low > 0 ? verdict_on_sign(gain) : verdict_on_sign(kept);
  finding.reason =
      join_text("From θ = 0 to 0.5 the cosine with the target caption changes by ", with_interval(gain),
                "; the edited picture is nearer to the original than the target's own picture by ",
                with_interval(kept), ".");
  add_figures(finding, all, seed);
  finding.figures.emplace_back("gain toward the target caption", gain);
  finding.figures.emplace_back("nearness to the original beyond the target's own picture", kept);
  finding.grids.push_back(grid_of(subjects, all));
  finding.commands = {join_text("unclip edit PICTURE --from CAPTION --to CAPTION --theta 0.5 --steps ",
                                latents_of(lab, subjects).path.timesteps, " --size ", lab.side(), " --model ",
                                quoted(lab.request().model.string()))};
  return finding;
}

}  // namespace unclip::study
