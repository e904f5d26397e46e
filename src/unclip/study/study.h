// `unclip study`: the paper's claims, examined one by one at the scale of the given data.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/study/finding.h"
#include "unclip/study/plan.h"

namespace unclip::study {

struct StudyRequest {
  std::filesystem::path model;    // with clip, prior and decoder: what is examined, and what small models use
  std::filesystem::path configs;  // a folder with prior.json, ar_prior.json and decoder.json
  std::vector<std::string> data;  // captioned pictures that the study's own models learn from
  std::vector<std::string> validation;    // the same, held out, that runs look at; empty: `test`
  std::vector<std::string> test;          // the same, that nothing was trained on
  std::filesystem::path features = {};    // a CLIP that judges; empty: that of `model`
  std::filesystem::path vocabulary = {};  // CLIP's own tokens, for judges that come without any
  double hours = 3;
  uint64_t seed = 0;
  torch::ScalarType dtype = torch::kFloat32;
  std::filesystem::path folder;     // of everything: a second call with the same request goes on there
  std::vector<std::string> claims;  // ids of those to examine; empty: all
  std::string command;              // for the records
};

struct Study {
  Plan plan;
  std::string judge;       // whose features figures are about
  bool is_biased = false;  // too few pictures for the Fréchet distance (metrics::is_biased)
  int64_t test_pictures = 0;
  std::vector<Finding> findings = {};
};

/// Ids of all claims, in the order of the report.
std::vector<std::string> claim_ids();

/// Examines what is not examined yet. Error(io) if the folder holds a study of other settings.
Study run_study(const StudyRequest& request, Progress& progress);

/// All figures as JSON, and as one HTML page that needs nothing else.
std::string results_json(const Study& study, const std::string& command);
std::string report_html(const Study& study, const std::string& command);

}  // namespace unclip::study
