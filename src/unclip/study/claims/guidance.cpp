// Diversity and fidelity as guidance grows: unCLIP against a decoder that has the caption only (unCLIP §5.3,
// §5.5, Fig. 9 to 11). Both decoders are one network, trained on the same pictures in the same order: GLIDE's
// way is never to see z_i.
#include "unclip/metrics/manifold.h"
#include "unclip/study/claims.h"
#include "unclip/study/grids.h"
#include "unclip/study/statistics.h"
#include "unclip/study/training.h"

namespace unclip::study {
namespace {

const std::vector<double> kScales{1, 2, 4, 8};

struct Contender {
  std::string name;
  pipeline::PriorKind prior;
  TrainedRun run;
  std::filesystem::path model;
  eval::Evaluation evaluation{};
};

Contender make_contender(const Lab& lab,
                         const std::string& name,
                         pipeline::PriorKind prior,
                         const std::vector<std::string>& settings) {
  const bool is_unclip = prior == pipeline::PriorKind::diffusion;
  const std::string run_name = is_unclip ? "decoder-unclip" : "decoder-captions";
  Contender contender{.name = name, .prior = prior};
  contender.run = train(
      lab, {.name = run_name, .stage = "decoder", .steps = lab.plan().decoder_steps, .settings = settings});
  contender.model = assemble(lab, run_name, contender.run, {"clip", "prior"});
  contender.evaluation = lab.evaluate(contender.model, prior, kScales);
  return contender;
}

/// For each real picture: whether it is lost to recall between the lowest and the highest scale (1), found
/// (−1) or neither (0).
torch::Tensor lost_by_guidance(const eval::Evaluation& evaluation) {
  const auto recalled = [&](const eval::Point& point) {
    return metrics::compare_manifolds(point.set.features, evaluation.real.features).recalled;
  };
  return recalled(evaluation.points.front()) - recalled(evaluation.points.back());
}

using Of = metrics::Estimate (*)(const eval::Comparison&);

eval::report::Series series(const Contender& contender, Of of) {
  eval::report::Series result{.name = contender.name, .x = {}, .y = {}};
  for (const eval::Point& point : contender.evaluation.points)
    add_point(result, *point.guidance, of(point.comparison));
  return result;
}

void add_plots(Finding& finding, const Contender& unclip, const Contender& captions) {
  const auto plot = [&](const char* title, const char* y, Of of) {
    finding.plots.push_back({{title, "guidance scale", y}, {series(unclip, of), series(captions, of)}});
  };
  plot("Diversity: recall", "recall", [](const eval::Comparison& c) { return c.recall; });
  plot("Fidelity: precision", "precision", [](const eval::Comparison& c) { return c.precision; });
  plot("Diversity: how different drawings are", "mean of 1 − cos over pairs",
       [](const eval::Comparison& c) { return exactly(c.pairwise_distance); });
  plot("Fréchet distance", "FID", [](const eval::Comparison& c) { return exactly(c.frechet_distance); });
  plot("Fit of the caption", "CLIP score", [](const eval::Comparison& c) { return c.captions->clip_score; });
}

void add_figures(Finding& finding, const Contender& contender) {
  for (const eval::Point& point : contender.evaluation.points) {
    const std::string where = join_text(", ", contender.name, ", ", point.name);
    finding.figures.emplace_back("recall" + where, point.comparison.recall);
    finding.figures.emplace_back("precision" + where, point.comparison.precision);
    finding.figures.emplace_back("pairwise distance" + where, exactly(point.comparison.pairwise_distance));
    finding.figures.emplace_back("Fréchet distance" + where, exactly(point.comparison.frechet_distance));
  }
}

std::vector<ExampleRow> rows_of(const Contender& contender) {
  std::vector<ExampleRow> rows;
  for (const eval::Point& point : contender.evaluation.points)
    rows.emplace_back(contender.name + ", " + point.name, &point);
  return rows;
}

/// What is examined, without any result.
Finding described() {
  return {.id = "guidance",
          .title = "Under guidance unCLIP keeps more diversity than a decoder with captions only",
          .claim =
              "Guidance makes GLIDE's pictures for a caption alike; unCLIP's keep their content, which "
              "z_i fixes, so that fidelity rises at little cost of diversity and recall (§5.3, Fig. 9 "
              "to 11; §5.5).",
          .measured =
              "Two decoders of one size are trained on the same pictures for the same steps: unCLIP's "
              "(z_i of the examined model's prior) and one that never sees z_i, as GLIDE. Both draw "
              "for the same captions at guidance 1, 2, 4 and 8. The verdict is on recall: the share "
              "of test pictures lost between the lowest and the highest scale."};
}

}  // namespace

Finding examine_guidance(Lab& lab) {
  const uint64_t seed = lab.request().seed;
  const Contender unclip = make_contender(lab, "unCLIP", pipeline::PriorKind::diffusion, {});
  const Contender captions = make_contender(lab, "captions only", pipeline::PriorKind::none,
                                            {"model.image_drop=1", "model.text_drop=0.1"});
  const torch::Tensor lost = lost_by_guidance(unclip.evaluation);
  const torch::Tensor lost_captions = lost_by_guidance(captions.evaluation);
  const metrics::Estimate difference = mean_difference(lost_captions, lost, seed);

  Finding finding = described();
  finding.verdict = verdict_on_sign(difference);
  finding.reason =
      join_text("From guidance 1 to 8 recall falls by ", with_interval(mean(lost_captions, seed)),
                " with captions only and by ", with_interval(mean(lost, seed)),
                " with unCLIP; the difference is ", with_interval(difference), ".");
  finding.figures = {{"fall of recall, captions only less unCLIP", difference}};
  for (const Contender* contender : {&unclip, &captions}) add_figures(finding, *contender);
  add_plots(finding, unclip, captions);
  std::vector<ExampleRow> rows = rows_of(unclip);
  for (ExampleRow& row : rows_of(captions)) rows.push_back(std::move(row));
  finding.grids.push_back(example_grid(unclip.evaluation, rows));
  for (const Contender* contender : {&unclip, &captions}) {
    finding.commands.push_back(contender->run.command);
    finding.commands.push_back(lab.evaluate_command(contender->model, contender->prior, kScales));
  }
  return finding;
}

}  // namespace unclip::study
