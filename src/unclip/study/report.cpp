#include <nlohmann/json.hpp>

#include "unclip/eval/report/page.h"
#include "unclip/study/study.h"

namespace unclip::study {
namespace {

using eval::report::number_text;
using eval::report::Page;
using eval::report::Row;

constexpr const char* kHowToRead =
    "Each verdict is about the model, the data and the sample sizes of this report alone: it says whether "
    "the "
    "95 % confidence interval of a difference that the claim is about lies on the claimed side of 0 (holds), "
    "on "
    "the other one (does not hold here), or on both (undecided). Intervals are percentile bootstraps over "
    "captions or pictures. One training run stands for each small model, so differences between runs of "
    "other "
    "seeds are not in them.";

constexpr const char* kBiased =
    "There are fewer pictures for each setting than feature dimensions: Fréchet distances are then biased "
    "upwards. "
    "Compare them only within this report, and give a larger budget for verdicts that rest on them.";

std::string plan_text(const Plan& plan) {
  return join_text("Budget: ", number_text(plan.hours),
                   " hours, divided by how fast this machine is: ", number_text(plan.speeds.prior_step, 3),
                   " s, ", number_text(plan.speeds.ar_prior_step, 3), " s and ",
                   number_text(plan.speeds.decoder_step, 3),
                   " s for a training step of diffusion prior, autoregressive prior and decoder, ",
                   number_text(plan.speeds.picture, 3), " s for a picture. Thus ", plan.prior_steps, ", ",
                   plan.ar_prior_steps, " and ", plan.decoder_steps, " steps at most, ", plan.pictures,
                   " pictures for each setting, ", plan.subjects, " pictures that are manipulated.");
}

void add_summary(Page& page, const Study& study) {
  std::vector<Row> rows;
  for (const Finding& f : study.findings) rows.push_back({f.title, enum_name(f.verdict), f.reason});
  page.table({"claim", "verdict", "because"}, rows);
}

void add_finding(Page& page, const Finding& f) {
  page.heading(join_text(f.title, ": ", enum_name(f.verdict)));
  page.paragraph("The paper: " + f.claim);
  page.paragraph("Measured here: " + f.measured);
  page.paragraph("Verdict: " + enum_name(f.verdict) + ". " + f.reason);
  std::vector<Row> rows;
  for (const auto& [name, estimate] : f.figures) {
    const bool counted = estimate.low == estimate.high;
    rows.push_back({name, counted ? number_text(estimate.value) : with_interval(estimate)});
  }
  if (!rows.empty()) page.table({"figure", "value (95 % interval)"}, rows);
  std::vector<std::string> plots;
  for (const Plot& plot : f.plots) plots.push_back(eval::report::line_plot(plot.axes, plot.series));
  if (!plots.empty()) page.plots(plots);
  for (const Grid& grid : f.grids) page.picture(grid.pixels, grid.caption);
  std::string commands;
  for (const std::string& command : f.commands) commands += command + "\n";
  if (!commands.empty()) page.code(commands);
}

}  // namespace

std::string report_html(const Study& study, const std::string& command) {
  Page page("The paper's claims, examined");
  page.code(command);
  page.paragraph(join_text("Drawings are judged by: ", study.judge, ", against ", study.test_pictures,
                           " test pictures that nothing was trained on."));
  page.paragraph(plan_text(study.plan));
  page.paragraph(kHowToRead);
  if (study.is_biased) page.warning(kBiased);
  add_summary(page, study);
  for (const Finding& finding : study.findings) add_finding(page, finding);
  return page.html();
}

std::string results_json(const Study& study, const std::string& command) {
  nlohmann::ordered_json json{{"format", "unclip.study.1"},
                              {"command", command},
                              {"judge", study.judge},
                              {"test_pictures", study.test_pictures},
                              {"fid_biased", study.is_biased},
                              {"plan", nlohmann::ordered_json::parse(config_to_json(study.plan))},
                              {"findings", nlohmann::ordered_json::array()}};
  for (const Finding& finding : study.findings)
    json["findings"].push_back(nlohmann::ordered_json::parse(finding_json(finding)));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace unclip::study
