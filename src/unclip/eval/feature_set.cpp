#include "unclip/eval/feature_set.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <iomanip>
#include <numeric>

#include "unclip/base/error.h"
#include "unclip/base/noise.h"
#include "unclip/data/picture.h"
#include "unclip/image/decode.h"
#include "unclip/io/safetensors.h"

namespace unclip::eval {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kPart = 256;  // pictures whose features are kept together
constexpr int64_t kBatch = 32;  // pictures that the network sees at once
constexpr const char* kFormat = "unclip.features.1";

/// Features of a part's usable pictures, which are numbered within the part.
struct Part {
  torch::Tensor features, usable, sides;
};

class Extraction {
 public:
  Extraction(const PictureSource& source, const FeatureExtractor& extractor, const ExtractOptions& options)
      : source_(source), extractor_(extractor), options_(options) {}

  FeatureSet run(Progress& progress) {
    std::vector<torch::Tensor> features, sides;
    FeatureSet result{.made_by = extractor_.name(), .features = {}, .samples = {}, .damage = {}};
    progress.begin(options_.stage, source_.size);
    for (int64_t first = 0; first < source_.size; first += kPart) {
      progress.throw_if_stopped();
      const int64_t last = std::min(first + kPart, source_.size);
      const Part part = kept_or_made(first, last, progress);
      features.push_back(part.features);
      sides.push_back(part.sides);
      for (int64_t i = 0; i < part.usable.size(0); ++i)
        result.samples.push_back(first + part.usable.data_ptr<int64_t>()[i]);
    }
    progress.end();
    check(!result.samples.empty(), ErrorKind::data, "none of the ", source_.size, " pictures can be used",
          damage_.count() > 0 ? ": " + damage_.entries().front().reason : std::string());
    result.features = torch::cat(features);
    const torch::Tensor all_sides = torch::cat(sides);
    result.smallest_side = all_sides.min().item<int64_t>();
    result.largest_side = all_sides.max().item<int64_t>();
    result.damage = damage_.entries();
    result.damaged = damage_.count();
    return result;
  }

 private:
  /// Names a part by all that its features depend on.
  fs::path kept_file(const std::vector<data::Bytes>& pictures) const {
    uint64_t key = stream_id(join_text(extractor_.identity(), options_.size.value_or(0)));
    for (const data::Bytes& picture : pictures)
      key = stream_id(join_text(key, ' ', picture.data.size(), ' ', stream_id(picture.text())));
    return options_.cache / join_text(std::hex, std::setw(16), std::setfill('0'), key, ".safetensors");
  }

  Part kept_or_made(int64_t first, int64_t last, Progress& progress) {
    std::vector<data::Bytes> pictures;
    for (int64_t i = first; i < last; ++i) pictures.push_back(source_.picture(i));
    if (options_.cache.empty()) return make(pictures, first, progress);
    const fs::path file = kept_file(pictures);
    if (fs::exists(file)) {
      const io::SafetensorsFile kept(file);
      Part part{kept.tensor("features"), kept.tensor("usable"), kept.tensor("sides")};
      name_damage_again(pictures, first, part.usable);
      progress.advance(last - first);
      return part;
    }
    Part part = make(pictures, first, progress);
    fs::create_directories(options_.cache);
    io::write_safetensors(file,
                          {{"features", part.features}, {"usable", part.usable}, {"sides", part.sides}});
    return part;
  }

  void name_damage_again(const std::vector<data::Bytes>& pictures,
                         int64_t first,
                         const torch::Tensor& usable) {
    std::vector<bool> is_usable(pictures.size());
    for (int64_t i = 0; i < usable.size(0); ++i) is_usable[size_t(usable.data_ptr<int64_t>()[i])] = true;
    for (size_t i = 0; i < pictures.size(); ++i) {
      if (!is_usable[i]) prepared(pictures[i], first + int64_t(i));
    }
  }

  struct Prepared {
    torch::Tensor input;  // undefined if the picture is damaged
    int64_t side = 0;
  };

  Prepared prepared(const data::Bytes& picture, int64_t number) {
    const std::string name = source_.name(number);
    try {
      torch::Tensor pixels = image::flatten_on(image::decode(picture.data, name).pixels);
      const int64_t side = std::min(pixels.size(0), pixels.size(1));
      if (options_.size) pixels = data::square_picture(pixels, *options_.size);
      return {extractor_.prepare(pixels), side};
    } catch (const Error& error) {
      damage_.add(name, error.what());
      return {};
    }
  }

  Part make(const std::vector<data::Bytes>& pictures, int64_t first, Progress& progress) {
    std::vector<torch::Tensor> features{torch::empty({0, extractor_.width()})};
    std::vector<int64_t> usable, sides;
    const auto count = static_cast<int64_t>(pictures.size());
    for (int64_t begin = 0; begin < count; begin += kBatch) {
      progress.throw_if_stopped();
      const int64_t end = std::min(begin + kBatch, count);
      std::vector<Prepared> batch(static_cast<size_t>(end - begin));
      at::parallel_for(begin, end, 1, [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; ++i)
          batch[size_t(i - begin)] = prepared(pictures[size_t(i)], first + i);
      });
      std::vector<torch::Tensor> inputs;
      for (int64_t i = begin; i < end; ++i) {
        const Prepared& one = batch[size_t(i - begin)];
        if (!one.input.defined()) continue;
        inputs.push_back(one.input);
        usable.push_back(i);
        sides.push_back(one.side);
      }
      if (!inputs.empty()) features.push_back(extractor_.features(torch::cat(inputs)));
      progress.advance(end - begin);
    }
    return {torch::cat(features), torch::tensor(usable, torch::kInt64), torch::tensor(sides, torch::kInt64)};
  }

  const PictureSource& source_;
  const FeatureExtractor& extractor_;
  const ExtractOptions& options_;
  data::DamageLog damage_;
};

}  // namespace

PictureSource pictures_of(const data::Dataset& dataset) {
  return {dataset.size(), [&dataset](int64_t i) { return dataset.picture(i); },
          [&dataset](int64_t i) { return dataset.key(i); }};
}

FeatureSet extract(const PictureSource& source,
                   const FeatureExtractor& extractor,
                   const ExtractOptions& options,
                   Progress& progress) {
  return Extraction(source, extractor, options).run(progress);
}

bool is_feature_file(const std::string& source) { return source.ends_with(".safetensors"); }

FeatureSet load_features(const fs::path& file) {
  const io::SafetensorsFile stored(file);
  const auto format = stored.metadata().find("format");
  check(format != stored.metadata().end() && format->second == kFormat && stored.contains("features"),
        ErrorKind::checkpoint, file.string(), " is no feature file of this program");
  FeatureSet set{.made_by = stored.metadata().at("made_by"),
                 .features = stored.tensor("features"),
                 .samples = {},
                 .damage = {}};
  check(set.features.dim() == 2 && set.features.scalar_type() == torch::kFloat32 && set.count() > 0,
        ErrorKind::checkpoint, file.string(), " holds features of type ", set.features.scalar_type(),
        " and shape ", set.features.sizes(), ", expected float32 [N, D]");
  set.samples.resize(static_cast<size_t>(set.count()));
  std::iota(set.samples.begin(), set.samples.end(), 0);
  return set;
}

void save_features(const fs::path& file, const FeatureSet& set) {
  io::write_safetensors(file, {{"features", set.features}}, {{"format", kFormat}, {"made_by", set.made_by}});
}

void check_comparable(const FeatureSet& a, const FeatureSet& b) {
  check(a.made_by == b.made_by && a.features.size(1) == b.features.size(1), ErrorKind::data, "features of '",
        a.made_by, "' (width ", a.features.size(1), ") cannot be compared with features of '", b.made_by,
        "' (width ", b.features.size(1), "): make both with the same --features");
}

}  // namespace unclip::eval
