// Diffusion prior against autoregressive prior: quality and compute (unCLIP §2.2, §5.1, Tab. 2).
#include <algorithm>
#include <functional>
#include <numeric>

#include "unclip/clip/clip.h"
#include "unclip/io/safetensors.h"
#include "unclip/metrics/fid.h"
#include "unclip/study/claims.h"
#include "unclip/study/compute.h"
#include "unclip/study/grids.h"
#include "unclip/study/statistics.h"
#include "unclip/study/training.h"
#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/prior_stage.h"

namespace unclip::study {
namespace fs = std::filesystem;
namespace {

/// Shares of the longest run: each is a run of its own with its whole course of the learning rate.
constexpr std::array<double, 3> kLengths{0.25, 0.5, 1.0};

/// One trained prior, the z_i that it draws, and the pictures drawn from those.
struct Point {
  fs::path model;
  std::string command;
  double flops = 0, seconds = 0;
  double z_i_distance = 0;      // Fréchet, of drawn z_i to real ones
  torch::Tensor cosines;        // of each drawn z_i with the real one [N]
  eval::Evaluation pictures{};  // has one point

  const eval::Point& drawn() const { return pictures.points.front(); }
  double picture_distance() const { return drawn().comparison.frechet_distance; }
};

struct Contender {
  const char* name;
  const char* stage;  // of its configuration and in a model directory
  pipeline::PriorKind kind;
  int64_t steps = 0;
};

/// Captions of the test pictures and their real z_i, rows of unit length.
struct Pairs {
  std::vector<std::string> captions;
  torch::Tensor z_i;
};

Pairs test_pairs(Lab& lab) {
  const int64_t count = std::min(lab.plan().pictures, lab.test().size());
  Pairs pairs;
  std::vector<torch::Tensor> pictures;
  for (int64_t i = 0; i < count; ++i) {
    pairs.captions.push_back(lab.test().captions(i).front());
    pictures.push_back(lab.test_picture(i));
  }
  pairs.z_i = clip::normalized(lab.model().clip().embed_pictures(pictures));
  return pairs;
}

template <class Run>
Run read_run(const fs::path& run) {
  const fs::path file = run / "config.json";
  return config_from_json<Run>(model::read_config_text(file), file.string());
}

/// Multiplications and additions of the whole run.
double flops_of(const Lab& lab, const Contender& contender, const fs::path& run, const fs::path& model) {
  if (contender.kind == pipeline::PriorKind::diffusion) {
    const auto config = read_run<train::PriorRun>(run);
    return training_flops(config.model) *
           static_cast<double>(config.data.batch_size * config.train.accumulation * config.train.steps);
  }
  const auto config = read_run<train::ArPriorRun>(run);
  const io::SafetensorsFile stored(model / "ar_prior" / "model.safetensors");
  const auto components = stored.tensor("stats.components").item<double>();
  return training_flops(config.model, std::llround(components), lab.clip_config().text.context_length) *
         static_cast<double>(config.data.batch_size * config.train.accumulation * config.train.steps);
}

torch::Tensor draw_z_i(const Lab& lab,
                       const fs::path& folder,
                       const Contender& contender,
                       const Pairs& pairs) {
  pipeline::Unclip model(folder, lab.request().dtype);
  const pipeline::Plan plan =
      pipeline::make_plan(model.model(), {.prior = contender.kind, .size = lab.side()});
  std::vector<uint64_t> seeds(pairs.captions.size());
  std::iota(seeds.begin(), seeds.end(), lab.request().seed);
  return clip::normalized(
      model.draw_z_i(model.clip().encode_text(pairs.captions), seeds, plan, lab.progress()));
}

Point measure(const Lab& lab, const Contender& contender, double length, const Pairs& pairs) {
  const auto steps = std::max<int64_t>(2, std::llround(length * static_cast<double>(contender.steps)));
  const std::string name = join_text(contender.stage, '-', steps);
  const TrainedRun run = train(lab, {.name = name, .stage = contender.stage, .steps = steps});
  Point point{
      .model = assemble(lab, name, run, {"clip", "decoder"}), .command = run.command, .seconds = run.seconds};
  point.flops = flops_of(lab, contender, run.run, point.model);
  const torch::Tensor z_i = draw_z_i(lab, point.model, contender, pairs);
  point.z_i_distance =
      metrics::frechet_distance(metrics::fit_gaussian(z_i), metrics::fit_gaussian(pairs.z_i));
  point.cosines = row_cosines(z_i, pairs.z_i);
  point.pictures = lab.evaluate(point.model, contender.kind);
  return point;
}

std::vector<Point> measure_all(const Lab& lab, const Contender& contender, const Pairs& pairs) {
  std::vector<Point> points;
  points.reserve(kLengths.size());
  for (const double length : kLengths) points.push_back(measure(lab, contender, length, pairs));
  return points;
}

/// A figure of a prior's runs against what they cost.
eval::report::Series series(const std::string& name,
                            const std::vector<Point>& points,
                            const std::function<double(const Point&)>& cost,
                            const std::function<metrics::Estimate(const Point&)>& figure) {
  eval::report::Series result{.name = name, .x = {}, .y = {}};
  for (const Point& point : points) add_point(result, cost(point), figure(point));
  return result;
}

void add_curves(Finding& finding,
                const std::vector<Point>& diffusion,
                const std::vector<Point>& ar,
                uint64_t seed) {
  const auto plot = [&](const eval::report::Axes& axes, const auto& cost, const auto& figure) {
    finding.plots.push_back(
        {axes, {series("diffusion", diffusion, cost, figure), series("autoregressive", ar, cost, figure)}});
  };
  const auto arithmetic = [](const Point& point) { return point.flops / 1e12; };
  const auto time = [](const Point& point) { return point.seconds; };
  const auto of_pictures = [](const Point& point) { return exactly(point.picture_distance()); };
  const auto of_z_i = [](const Point& point) { return exactly(point.z_i_distance); };
  const auto cosine = [seed](const Point& point) { return mean(point.cosines, seed); };
  const char* operations = "training, 10¹² floating-point operations";
  plot({"Pictures against arithmetic", operations, "Fréchet distance of pictures"}, arithmetic, of_pictures);
  plot({"Pictures against time", "training, seconds", "Fréchet distance of pictures"}, time, of_pictures);
  plot({"Distribution of z_i against arithmetic", operations, "Fréchet distance of z_i"}, arithmetic, of_z_i);
  plot({"Fit of z_i against arithmetic", operations, "cosine of drawn and real z_i"}, arithmetic, cosine);
}

/// What a kind of prior costs, and how near its pictures come, run by run.
struct Course {
  const char* name;
  std::vector<double> costs, distances;
};

Course course(const char* name, const std::vector<Point>& points, double Point::*cost) {
  Course result{.name = name, .costs = {}, .distances = {}};
  for (const Point& point : points) {
    result.costs.push_back(point.*cost);
    result.distances.push_back(point.picture_distance());
  }
  return result;
}

/// Which share of the worse prior's longest training the better one needs to be as good.
void add_cost_to_equal(Finding& finding, const char* what, const Course& a, const Course& b) {
  const bool a_is_better = a.distances.back() <= b.distances.back();
  const Course &better = a_is_better ? a : b, &worse = a_is_better ? b : a;
  const double needed =
      crossing(better.costs, better.distances, worse.distances.back()).value_or(better.costs.back());
  finding.figures.emplace_back(
      join_text("share of the ", worse.name, "'s training ", what, " that the ", better.name,
                " needs for the same Fréchet distance of pictures",
                needed == better.costs.front() ? " (at most: its shortest run has it)" : ""),
      exactly(needed / worse.costs.back()));
}

void add_figures(Finding& finding, const Point& point, const char* name, uint64_t seed) {
  const auto add = [&](const char* what, const metrics::Estimate& estimate) {
    finding.figures.emplace_back(join_text(what, ", ", name), estimate);
  };
  add("Fréchet distance of pictures", exactly(point.picture_distance()));
  add("Fréchet distance of z_i", exactly(point.z_i_distance));
  add("cosine of drawn and real z_i", mean(point.cosines, seed));
  if (point.drawn().comparison.captions) add("CLIP score", point.drawn().comparison.captions->clip_score);
  add("training arithmetic, 10¹² operations", exactly(point.flops / 1e12));
  add("training seconds", exactly(point.seconds));
}

/// What is examined, without any result.
Finding described() {
  return {.id = "priors",
          .title = "The diffusion prior beats the autoregressive prior, with less compute",
          .claim =
              "The diffusion prior is more compute-efficient than the autoregressive one and gives better "
              "samples "
              "(abstract, §5.1; MS-COCO FID 10.39 against 10.63, Tab. 2).",
          .measured =
              "Both priors, transformers of one width and depth, are trained on the same pairs for "
              "the same seconds, in runs of three lengths. z_i that they draw for test captions are "
              "compared with the real ones, and so are the pictures that the examined model's decoder draws "
              "from them. The verdict is on the Fréchet distance of pictures, longest runs."};
}

}  // namespace

Finding examine_priors(Lab& lab) {
  using pipeline::PriorKind;
  const uint64_t seed = lab.request().seed;
  const Pairs pairs = test_pairs(lab);
  const std::vector<Point> diffusion =
      measure_all(lab, {"diffusion", "prior", PriorKind::diffusion, lab.plan().prior_steps}, pairs);
  const std::vector<Point> ar =
      measure_all(lab, {"autoregressive", "ar_prior", PriorKind::ar, lab.plan().ar_prior_steps}, pairs);
  const Point &a = diffusion.back(), &b = ar.back();
  const metrics::Estimate difference =
      frechet_difference(b.drawn().set.features, a.drawn().set.features, a.pictures.real.features, seed);

  Finding finding = described();
  finding.verdict = verdict_on_sign(difference);
  finding.reason = join_text(
      "After equal training time the autoregressive prior's Fréchet distance less the "
      "diffusion prior's is ",
      with_interval(difference), "; the diffusion prior took ",
      eval::report::number_text(a.flops / b.flops, 2), " times the arithmetic.");
  const char *by_diffusion = "diffusion prior", *by_ar = "autoregressive prior";
  add_figures(finding, a, by_diffusion, seed);
  add_figures(finding, b, by_ar, seed);
  finding.figures.emplace_back("Fréchet distance of pictures, autoregressive less diffusion", difference);
  for (const auto& [what, cost] :
       {std::pair("arithmetic", &Point::flops), std::pair("time", &Point::seconds)})
    add_cost_to_equal(finding, what, course(by_diffusion, diffusion, cost), course(by_ar, ar, cost));
  add_curves(finding, diffusion, ar, seed);
  finding.grids.push_back(example_grid(a.pictures, {{by_diffusion, &a.drawn()}, {by_ar, &b.drawn()}}));
  for (const auto& [points, kind] :
       {std::pair(&diffusion, PriorKind::diffusion), std::pair(&ar, PriorKind::ar)}) {
    for (const Point& point : *points) {
      finding.commands.push_back(point.command);
      finding.commands.push_back(lab.evaluate_command(point.model, kind));
    }
  }
  return finding;
}

}  // namespace unclip::study
