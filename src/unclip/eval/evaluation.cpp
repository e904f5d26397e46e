#include "unclip/eval/evaluation.h"

#include <algorithm>

#include "unclip/base/error.h"
#include "unclip/data/picture.h"
#include "unclip/eval/draw.h"
#include "unclip/eval/report/plot.h"
#include "unclip/metrics/manifold.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::eval {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kExamples = 8;
constexpr int64_t kLargestTile = 128;
constexpr int64_t kCaptionBatch = 128;

data::Dataset open_enough(const std::vector<std::string>& sources) {
  data::Dataset dataset = data::Dataset::open(sources, {.require_captions = false});
  check(dataset.size() >= kFewestPictures, ErrorKind::data, "there are ", dataset.size(),
        " pictures, expected at least ", kFewestPictures, ": the ", metrics::kNeighbours,
        " nearest neighbours of each are looked for");
  return dataset;
}

/// The first caption of each usable picture; empty unless all have one.
std::vector<std::string> captions_of(const data::Dataset& dataset, const FeatureSet& set) {
  std::vector<std::string> captions;
  for (const int64_t sample : set.samples) {
    const auto own = dataset.captions(sample);
    if (own.empty()) return {};
    captions.push_back(own.front());
  }
  return captions;
}

/// What all points have in common: extractor, real pictures, probes.
class Judge {
 public:
  /// Opens and checks all that is given; looks at no picture yet.
  Judge(const EvalReference& reference, Progress& progress)
      : reference_(reference),
        progress_(progress),
        extractor_(open_extractor(reference.features, reference.vocabulary, reference.dtype)) {
    if (!reference.clip.empty())
      caption_reader_ = open_extractor(reference.clip, reference.vocabulary, reference.dtype);
    check(!caption_reader_ || caption_reader_->clip() != nullptr, ErrorKind::data, "'",
          reference.clip.string(), "' is no CLIP, which reads captions");
    if (!reference.ratings.empty()) ratings_ = read_ratings(reference.ratings);
    if (!reference.comparisons.empty()) comparisons_ = read_comparisons(reference.comparisons);
    if (is_feature_file(reference.real.front())) {
      evaluation_.real = load_fitting(reference.real.front());
    } else {
      dataset_.emplace(open_enough(reference.real));
    }
  }

  const data::Dataset& dataset() const {
    check(dataset_.has_value(), ErrorKind::data,
          "captions are needed, but a feature file has none: give the pictures themselves");
    return *dataset_;
  }

  void look_at_real_pictures() {
    if (dataset_) {
      evaluation_.real = look_at(*dataset_, *extractor_, "real pictures");
      const std::vector<int64_t>& usable = evaluation_.real.samples;
      const auto shown = std::min<ptrdiff_t>(kExamples, std::ssize(usable));
      evaluation_.real_examples = tiles(*dataset_, {usable.begin(), usable.begin() + shown});
      warn_of_damage("real", evaluation_.real);
    }
    if (ratings_) {
      evaluation_.probes.push_back(
          fit_given_ratings(*ratings_, *extractor_, options("rated pictures"), progress_));
    }
    if (comparisons_) {
      evaluation_.probes.push_back(
          fit_given_comparisons(*comparisons_, *extractor_, options("compared pictures"), progress_));
    }
  }

  /// Of a set that was drawn: its features, or the pictures they come from.
  struct Drawn {
    std::optional<FeatureSet> set;
    std::optional<data::Dataset> dataset;
  };
  Drawn open_drawn(const std::vector<std::string>& sources) const {
    if (is_feature_file(sources.front())) return {load_fitting(sources.front()), std::nullopt};
    return {std::nullopt, open_enough(sources)};
  }

  void judge(Point point, const Drawn& opened) {
    if (opened.dataset) {
      const data::Dataset& dataset = *opened.dataset;
      point.set = look_at(dataset, *extractor_, point.name);
      const auto shown = std::min<ptrdiff_t>(kExamples, std::ssize(point.set.samples));
      point.examples = tiles(dataset, {point.set.samples.begin(), point.set.samples.begin() + shown});
      warn_of_damage(point.name, point.set);
    } else {
      point.set = *opened.set;
    }
    point.comparison = compare(point.set, evaluation_.real, reference_.seed, progress_.stop());
    if (opened.dataset) point.comparison.captions = judge_captions(*opened.dataset, point);
    for (const GivenProbe& given : evaluation_.probes) {
      point.comparison.probes.emplace_back(
          given.name, metrics::bootstrap_mean(given.probe(point.set.features), {.seed = reference_.seed}));
    }
    warn_of_sizes(point);
    evaluation_.points.push_back(std::move(point));
  }

  std::vector<torch::Tensor> tiles(const data::Dataset& dataset, const std::vector<int64_t>& samples) const {
    const int64_t side = std::min(reference_.size.value_or(kLargestTile), kLargestTile);
    std::vector<torch::Tensor> result;
    for (const int64_t sample : samples)
      result.push_back(data::square_picture(dataset.picture(sample).data, dataset.key(sample), side));
    return result;
  }

  Evaluation& evaluation() { return evaluation_; }

  Evaluation finish() {
    evaluation_.features = extractor_->name();
    const FeatureExtractor& reader = caption_reader_ ? *caption_reader_ : *extractor_;
    if (reader.clip() != nullptr) evaluation_.clip = reader.name();
    const Comparison& first = evaluation_.points.front().comparison;
    if (first.is_biased) {
      warn(join_text(
          "There are fewer pictures (", first.drawn, " drawn, ", first.real,
          " real) than feature dimensions (", first.width,
          "): the Fréchet distance is then biased upwards. Compare it only with distances of as many "
          "pictures, or use the kernel distance."));
    }
    return std::move(evaluation_);
  }

 private:
  FeatureSet load_fitting(const std::string& file) const {
    FeatureSet set = load_features(file);
    check(set.made_by == extractor_->name() && set.features.size(1) == extractor_->width(), ErrorKind::data,
          file, " holds features of '", set.made_by, "' (width ", set.features.size(1),
          "), expected those of '", extractor_->name(), "' (width ", extractor_->width(),
          "): name their network with --features");
    return set;
  }
  /// Features with all damage that is known of the pictures and the archives they lie in.
  FeatureSet look_at(const data::Dataset& dataset,
                     const FeatureExtractor& extractor,
                     const std::string& stage) {
    FeatureSet set = extract(pictures_of(dataset), extractor, options(stage), progress_);
    const auto known = dataset.damage().entries();
    set.damage.insert(set.damage.begin(), known.begin(), known.end());
    set.damaged += dataset.damage().count();
    return set;
  }
  /// None if no CLIP is at hand or a picture has no caption.
  std::optional<CaptionMetrics> judge_captions(const data::Dataset& dataset, const Point& point) {
    const FeatureExtractor& reader = caption_reader_ ? *caption_reader_ : *extractor_;
    if (reader.clip() == nullptr) return std::nullopt;
    const std::vector<std::string> captions = captions_of(dataset, point.set);
    if (captions.empty()) return std::nullopt;
    const torch::Tensor z_i =
        caption_reader_ ? look_at(dataset, reader, point.name + ", CLIP").features : point.set.features;
    const torch::Tensor z_t = reader.clip()->embed_captions(captions, kCaptionBatch, progress_);
    return compare_with_captions(z_i, z_t, reference_.seed, progress_.stop());
  }
  ExtractOptions options(const std::string& stage) const {
    return {.size = reference_.size, .cache = reference_.folder / "features", .stage = stage};
  }
  void warn(const std::string& sentence) { evaluation_.warnings.push_back(sentence); }
  void warn_of_damage(const std::string& what, const FeatureSet& set) {
    if (set.damaged == 0) return;
    std::string names;
    for (const auto& entry : set.damage) names += (names.empty() ? "" : ", ") + entry.name;
    warn(join_text(set.damaged, set.damaged == 1 ? " damaged picture was" : " damaged pictures were",
                   " left out (", what, "): ", names, set.damaged > std::ssize(set.damage) ? ", …" : ""));
  }
  void warn_of_sizes(const Point& point) {
    const FeatureSet &drawn = point.set, &real = evaluation_.real;
    if (reference_.size || drawn.largest_side == 0 || real.largest_side == 0) return;
    if (drawn.largest_side >= real.smallest_side && real.largest_side >= drawn.smallest_side) return;
    warn(join_text("The pictures (", point.name, ") have ", drawn.smallest_side, " to ", drawn.largest_side,
                   " pixels a side, the real ones ", real.smallest_side, " to ", real.largest_side,
                   ": their sharpness counts as a difference; --size brings all to one size first."));
  }

  const EvalReference& reference_;
  Progress& progress_;
  std::unique_ptr<FeatureExtractor> extractor_;
  std::unique_ptr<FeatureExtractor> caption_reader_;  // null: extractor_ reads captions if it can
  std::optional<GivenTable> ratings_, comparisons_;
  std::optional<data::Dataset> dataset_;
  Evaluation evaluation_;
};

void check_captions(const data::Dataset& dataset) {
  for (int64_t i = 0; i < dataset.size(); ++i) {
    check(!dataset.captions(i).empty(), ErrorKind::data, "'", dataset.key(i),
          "' has no caption, but pictures are to be drawn from captions");
  }
}

/// Whose captions are drawn: of `samples` in random order, again and again.
std::vector<int64_t> shuffled(const std::vector<int64_t>& samples, int64_t n, uint64_t seed) {
  const int64_t count = std::ssize(samples);
  const torch::Tensor order = metrics::random_subset(count, count, {seed, stream_id("eval.captions"), 0});
  std::vector<int64_t> result(static_cast<size_t>(n));
  for (int64_t k = 0; k < n; ++k) result[size_t(k)] = samples[size_t(order[k % count].item<int64_t>())];
  return result;
}

}  // namespace

Evaluation evaluate_pictures(const EvalReference& reference,
                             const std::vector<std::string>& pictures,
                             Progress& progress) {
  Judge judge(reference, progress);
  const Judge::Drawn drawn = judge.open_drawn(pictures);
  judge.look_at_real_pictures();
  judge.judge({.name = "pictures", .sources = pictures}, drawn);
  return judge.finish();
}

Evaluation evaluate_model(const EvalReference& reference, const EvalRun& run, Progress& progress) {
  pipeline::Unclip model(run.model, {.dtype = reference.dtype}, reference.vocabulary);
  pipeline::make_plan(model.model(), run.sampling);
  Judge judge(reference, progress);
  const data::Dataset& dataset = judge.dataset();
  check_captions(dataset);
  judge.look_at_real_pictures();
  const std::vector<int64_t> samples = shuffled(judge.evaluation().real.samples, run.n, reference.seed);
  DrawRequest request{.captions = {}, .seed = reference.seed, .sampling = run.sampling, .identity = {}};
  for (const int64_t sample : samples) request.captions.push_back(dataset.captions(sample).front());
  const auto shown = std::min<ptrdiff_t>(kExamples, std::ssize(samples));
  judge.evaluation().real_examples = judge.tiles(dataset, {samples.begin(), samples.begin() + shown});
  judge.evaluation().example_captions.assign(request.captions.begin(), request.captions.begin() + shown);
  std::vector<std::optional<double>> scales(run.guidance.begin(), run.guidance.end());
  if (scales.empty()) scales.push_back(run.sampling.guidance);
  for (const std::optional<double>& scale : scales) {
    request.sampling.guidance = scale;
    const std::string guidance = scale ? report::number_text(*scale, 6) : "of the model";
    request.identity = join_text(folder_identity(run.model), c10::toString(reference.dtype), '\n',
                                 run.settings, "\nguidance ", guidance);
    const fs::path drawn =
        draw_pictures(model, request, reference.folder / "drawn", "guidance " + guidance, progress);
    const std::vector<std::string> shards{drawn.string()};
    judge.judge({.name = "guidance " + guidance, .guidance = scale, .sources = shards},
                judge.open_drawn(shards));
  }
  return judge.finish();
}

}  // namespace unclip::eval
