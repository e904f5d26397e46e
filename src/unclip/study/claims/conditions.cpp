// What the decoder is told: the caption alone, z_t in place of z_i, or a z_i that the prior draws (unCLIP
// §5.1).
#include "unclip/study/claims.h"
#include "unclip/study/grids.h"
#include "unclip/study/statistics.h"

namespace unclip::study {

namespace {

/// What is examined, without any result.
Finding described() {
  return {.id = "conditions",
          .title = "A prior is better than z_t in place of z_i, and than no z_i",
          .claim =
              "Conditioned on the caption alone the decoder draws worst, with z_t in place of z_i "
              "reasonably, with a z_i from the prior best (§5.1, Fig. 8; FID 7.99 for the whole stack "
              "against 16.55 with z_t, guidance swept).",
          .measured =
              "The examined model draws for the same test captions with --prior none, text and "
              "diffusion. The verdict is on the Fréchet distance: the prior's must be lower than "
              "each of the others', so the difference whose interval starts lower decides."};
}

}  // namespace

Finding examine_conditions(Lab& lab) {
  using pipeline::PriorKind;
  const std::filesystem::path& model = lab.request().model;
  const uint64_t seed = lab.request().seed;
  const eval::Evaluation none = lab.evaluate(model, PriorKind::none),
                         text = lab.evaluate(model, PriorKind::text),
                         prior = lab.evaluate(model, PriorKind::diffusion);
  const eval::Point &a = none.points.front(), &b = text.points.front(), &c = prior.points.front();
  const torch::Tensor& real = prior.real.features;
  const metrics::Estimate over_text = frechet_difference(b.set.features, c.set.features, real, seed);
  const metrics::Estimate over_none = frechet_difference(a.set.features, c.set.features, real, seed);
  const bool text_is_nearer = over_text.low < over_none.low;

  Finding finding = described();
  finding.verdict = verdict_on_sign(text_is_nearer ? over_text : over_none);
  finding.reason =
      join_text("The Fréchet distance with z_t less that with the prior is ", with_interval(over_text),
                ", without z_i less that with the prior ", with_interval(over_none), ".");
  const std::vector<ExampleRow> points{{"caption alone", &a}, {"z_t as z_i", &b}, {"prior", &c}};
  for (const auto& [name, point] : points) {
    const eval::Comparison& figures = point->comparison;
    finding.figures.emplace_back(join_text("Fréchet distance, ", name), exactly(figures.frechet_distance));
    finding.figures.emplace_back(join_text("precision, ", name), figures.precision);
    finding.figures.emplace_back(join_text("recall, ", name), figures.recall);
    finding.figures.emplace_back(join_text("CLIP score, ", name), figures.captions->clip_score);
  }
  finding.figures.emplace_back("difference of Fréchet distances, z_t less prior", over_text);
  finding.figures.emplace_back("difference of Fréchet distances, caption alone less prior", over_none);
  finding.grids.push_back(example_grid(prior, points));
  for (const PriorKind kind : {PriorKind::none, PriorKind::text, PriorKind::diffusion})
    finding.commands.push_back(lab.evaluate_command(model, kind));
  return finding;
}

}  // namespace unclip::study
