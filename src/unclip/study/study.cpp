#include "unclip/study/study.h"

#include <algorithm>

#include "unclip/io/file.h"
#include "unclip/metrics/fid.h"
#include "unclip/study/claims.h"
#include "unclip/study/speeds.h"

namespace unclip::study {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMaxJson = int64_t{1} << 20;

/// What finished pieces depend on; with another one they are another study's.
struct Settings {
  std::string model, configs, features, dtype;
  std::vector<std::string> data, validation, test;
  double hours = 0;
  int64_t seed = 0;

  static void fields(auto& self, auto&& field) {
    field("model", self.model, "the examined model: its files, their sizes and times");
    field("configs", self.configs, "of the study's own models, likewise");
    field("features", self.features, "the judge, likewise");
    field("dtype", self.dtype, "type of activations");
    field("data", self.data, "training pictures");
    field("validation", self.validation, "held-out pictures that runs look at");
    field("test", self.test, "test pictures");
    field("hours", self.hours, "the budget");
    field("seed", self.seed, "of training and drawings");
  }
};

std::string settings_text(const StudyRequest& request, const Lab& lab) {
  return config_to_json(Settings{.model = eval::folder_identity(request.model),
                                 .configs = eval::folder_identity(request.configs),
                                 .features = lab.judge().identity(),
                                 .dtype = c10::toString(request.dtype),
                                 .data = request.data,
                                 .validation = request.validation,
                                 .test = request.test,
                                 .hours = request.hours,
                                 .seed = static_cast<int64_t>(request.seed)});
}

/// Makes the folder a study's of these settings, or finds that it is one.
void claim_folder(const StudyRequest& request, const std::string& settings) {
  const fs::path file = request.folder / "settings.json";
  if (fs::exists(file)) {
    check(io::read_text(file, kMaxJson) == settings, ErrorKind::io, "'", request.folder.string(),
          "' holds a study of another model, budget or data: name another folder with -o");
    return;
  }
  fs::create_directories(request.folder);
  io::write_file_atomically(file, settings);
}

/// Made once, so that an interrupted study goes on with the same numbers.
Plan find_plan(Lab& lab) {
  const fs::path file = lab.path("plan.json");
  if (!fs::exists(file)) {
    const Plan plan = make_plan(measure_speeds(lab), lab.request().hours, lab.test().size());
    io::write_file_atomically(file, config_to_json(plan));
  }
  return config_from_json<Plan>(io::read_text(file, kMaxJson), file.string());
}

bool is_asked_for(const StudyRequest& request, const std::string& id) {
  return request.claims.empty() || std::ranges::find(request.claims, id) != request.claims.end();
}

}  // namespace

Study run_study(const StudyRequest& request, Progress& progress) {
  check(request.hours > 0, ErrorKind::usage, "the budget is ", request.hours, " hours, expected more than 0");
  for (const std::string& id : request.claims) {
    const auto ids = claim_ids();
    check(std::ranges::find(ids, id) != ids.end(), ErrorKind::usage, "there is no claim '", id, "'");
  }
  Lab lab(request, progress);
  claim_folder(request, settings_text(request, lab));
  Study study{.plan = find_plan(lab), .judge = lab.judge().name(), .test_pictures = lab.test().size()};
  study.is_biased = metrics::is_biased(study.plan.pictures, study.test_pictures, lab.judge().width());
  lab.set_plan(study.plan);
  for (const Claim& claim : claims()) {
    if (!is_asked_for(request, claim.id)) continue;
    std::optional<Finding> finding = load_finding(claim.id, lab.path("findings"));
    if (!finding) {
      finding = claim.examine(lab);
      save_finding(*finding, lab.path("findings"));
    }
    study.findings.push_back(std::move(*finding));
  }
  return study;
}

}  // namespace unclip::study
