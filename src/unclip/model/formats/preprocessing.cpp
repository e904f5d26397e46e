#include "unclip/model/formats/preprocessing.h"

#include "unclip/io/file.h"
#include "unclip/model/manifest.h"

template <>
struct unclip::EnumNames<unclip::image::Filter> {
  using F = image::Filter;
  static constexpr std::array<std::pair<F, std::string_view>, 4> value{
      {{F::box, "box"}, {F::bilinear, "bilinear"}, {F::bicubic, "bicubic"}, {F::lanczos, "lanczos"}}};
};

template <>
struct unclip::EnumNames<unclip::image::Fit> {
  using F = image::Fit;
  static constexpr std::array<std::pair<F, std::string_view>, 3> value{
      {{F::crop, "crop"}, {F::crop_rounded, "crop_rounded"}, {F::squash, "squash"}}};
};

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPreprocessing = "preprocessing.json";

/// preprocessing.json: what a released model does to a picture's size. Mean and standard deviation are the
/// network's own settings.
struct PreprocessingConfig {
  int64_t shorter_side = 224;
  image::Filter filter = image::Filter::bicubic;
  image::Fit fit = image::Fit::crop;

  static void fields(auto& self, auto&& field) {
    field("shorter_side", self.shorter_side, "of the picture before it is cropped");
    field("filter", self.filter, "box, bilinear, bicubic or lanczos");
    field("fit", self.fit, "crop, crop_rounded (as torchvision) or squash");
  }
};

image::Preprocessing with_statistics(image::Preprocessing preprocessing, const clip::VisionConfig& vision) {
  for (size_t i = 0; i < preprocessing.normalization.mean.size(); ++i) {
    preprocessing.normalization.mean[i] = static_cast<float>(vision.mean.at(i));
    preprocessing.normalization.std[i] = static_cast<float>(vision.std.at(i));
  }
  return preprocessing;
}

}  // namespace

image::Preprocessing read_preprocessing(const fs::path& folder, const clip::VisionConfig& vision) {
  PreprocessingConfig config{.shorter_side = vision.image_size};
  const fs::path file = folder / kPreprocessing;
  if (fs::exists(file)) config = config_from_json<PreprocessingConfig>(read_config_text(file), file.string());
  check(config.shorter_side >= vision.image_size, ErrorKind::config, file.string(), ": 'shorter_side' is ",
        config.shorter_side, ", expected the network's ", vision.image_size, " or more");
  return with_statistics({.shorter_side = config.shorter_side,
                          .filter = config.filter,
                          .height = vision.image_size,
                          .width = vision.image_size,
                          .normalization = {},
                          .fit = config.fit},
                         vision);
}

void write_preprocessing(const image::Preprocessing& preprocessing, const fs::path& folder) {
  io::write_file_atomically(folder / kPreprocessing,
                            config_to_json(PreprocessingConfig{.shorter_side = preprocessing.shorter_side,
                                                               .filter = preprocessing.filter,
                                                               .fit = preprocessing.fit}));
}

}  // namespace unclip::model
