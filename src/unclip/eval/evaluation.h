// What `unclip eval` does: pictures from files, or drawn by a model at several guidance scales, against real
// ones.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unclip/eval/comparison.h"
#include "unclip/eval/given_probes.h"
#include "unclip/pipeline/plan.h"

namespace unclip::eval {

/// What drawn pictures are held against, and by which features.
struct EvalReference {
  std::vector<std::string> real;   // shards, folders or patterns; or one feature file
  std::filesystem::path features;  // see open_extractor
  std::filesystem::path clip =
      {};  // of any layout: judges captions; empty: features do, if they are a CLIP's
  std::filesystem::path vocabulary = {};  // CLIP's own tokens, for models that come without any
  torch::ScalarType dtype = torch::kFloat32;
  std::optional<int64_t> size = {};        // all pictures are brought to squares of this side first
  std::filesystem::path ratings = {};      // see read_ratings; empty: none
  std::filesystem::path comparisons = {};  // see read_comparisons; empty: none
  uint64_t seed = 0;                       // of subsets, the bootstrap, captions and drawings
  std::filesystem::path folder;            // for finished parts
};

/// What a model draws in order to be judged.
struct EvalRun {
  std::filesystem::path model;
  int64_t n = 1000;  // pictures, for captions of the data in random order, again and again if there are fewer
  std::vector<double> guidance;  // decoder guidance scales; empty: the model's own
  pipeline::SamplingOptions sampling;
  std::string settings;  // all of the drawing's settings as text: part of what finished drawings are known by
};

/// One set of drawn pictures.
struct Point {
  std::string name;  // "guidance 3" or "pictures"
  std::optional<double> guidance = {};
  std::vector<std::string> sources = {};  // where the pictures lie
  FeatureSet set = {};
  Comparison comparison = {};
  std::vector<torch::Tensor> examples = {};  // uint8 [S, S, 3]
};

struct Evaluation {
  std::string features;  // the extractor's name
  std::string clip;      // the name of who judged captions; "" if nobody did
  std::vector<Point> points;
  std::vector<GivenProbe> probes;
  std::vector<std::string> warnings;          // one sentence each
  std::vector<std::string> example_captions;  // of the rows of examples; empty if there are none
  std::vector<torch::Tensor> real_examples;
  FeatureSet real;
};

/// Whatever can be wrong but damaged pictures is an Error before anything is drawn or written.
Evaluation evaluate_pictures(const EvalReference& reference,
                             const std::vector<std::string>& pictures,
                             Progress& progress);
Evaluation evaluate_model(const EvalReference& reference, const EvalRun& run, Progress& progress);

/// All figures as JSON, and as one HTML page with plots and examples. `command` is how to get them again.
std::string results_json(const Evaluation& evaluation, const std::string& command);
std::string report_html(const Evaluation& evaluation, const std::string& command);

}  // namespace unclip::eval
