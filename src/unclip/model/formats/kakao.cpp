// Karlo as Kakao released it: checkpoints of PyTorch Lightning for prior, decoder and super-resolution,
// OpenAI's CLIP and the statistics of its embeddings. There is no configuration; shapes are read off the
// tensors, and schedules are those of the folder that diffusers made of these files.
#include "unclip/clip/key_map.h"
#include "unclip/decoder/key_map.h"
#include "unclip/io/file.h"
#include "unclip/io/weights.h"
#include "unclip/model/folder_licence.h"
#include "unclip/model/formats/clip_files.h"
#include "unclip/model/formats/diffusers_write.h"
#include "unclip/model/formats/hugging_face_clip.h"
#include "unclip/model/formats/kakao_shapes.h"
#include "unclip/model/formats/karlo.h"
#include "unclip/model/formats/layouts.h"
#include "unclip/prior/key_map.h"
#include "unclip/upsampler/key_map.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSettings = "karlo.json";
constexpr const char* kFirstSteps = "model_first_steps.";
constexpr const char* kLastStep = "model_last_step.";

/// The files of a set; those of networks carry their training step in the name.
struct Files {
  std::string prior, decoder, super_resolution, clip, statistics;
};

/// The name in `folder` that begins with `begin` and ends in .ckpt; if there is none, a name that says so.
std::string checkpoint_in(const fs::path& folder, const std::string& begin) {
  std::string found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(".ckpt")) continue;
    check(found.empty(), ErrorKind::io, "'", folder.string(), "' has both '", std::min(found, name),
          "' and '", std::max(found, name), "', expected one: move the other away");
    found = name;
  }
  return found.empty() ? begin + "*.ckpt" : found;
}

Files files_of(const fs::path& folder) {
  return {.prior = checkpoint_in(folder, "prior-ckpt"),
          .decoder = checkpoint_in(folder, "decoder-ckpt"),
          .super_resolution = checkpoint_in(folder, "improved-sr-ckpt"),
          .clip = "ViT-L-14.pt",
          .statistics = "ViT-L-14_stats.th"};
}

kakao::Settings read_settings(const fs::path& folder) {
  const fs::path file = folder / kSettings;
  if (!fs::exists(file)) return {};
  const auto settings = config_from_json<kakao::Settings>(read_config_text(file), file.string());
  for (const int64_t value : {settings.head_channels, settings.clip_head_channels, settings.groups,
                              settings.size, settings.large_size}) {
    check(value > 0, ErrorKind::config, file.string(), " has the value ", value, ", expected 1 or more");
  }
  return settings;
}

/// What UnCLIPScheduler of the released folder says of each stage.
diffusion::DiffusionConfig schedule(diffusion::Parameterization parameterization, double bound) {
  return {.parameterization = parameterization,
          .threshold = {.kind = diffusion::Threshold::clamp, .bound = bound}};
}

/// A set of files as the configurations that diffusers' folder would have.
class Set {
 public:
  Set(fs::path folder, const fs::path& vocabulary)
      : folder_(std::move(folder)),
        vocabulary_(vocabulary),
        files_(files_of(folder_)),
        settings_(read_settings(folder_)) {}

  Model open();

 private:
  WeightsSource source(const std::string& file, const std::string& prefix = "") const {
    return {.folder = folder_, .prefix = prefix, .file = file};
  }
  /// The configuration that `write` makes of the shapes in a file.
  template <class Write>
  ForeignConfig from(const std::string& file, const char* what, const Write& write) const {
    const std::string where = file_of(source(file)).string();
    const io::NamedTensors tensors = io::read_weights(where);
    return {write(io::TensorShapes(tensors, where, what)), where};
  }
  ForeignConfig scheduler(const diffusion::DiffusionConfig& diffusion) const {
    return {diffusers::write_unclip_scheduler(diffusion), folder_.string()};
  }
  ForeignConfig super_resolution(const char* net) const;
  ForeignConfig config(const std::string& component) const;
  void read_clip();
  void add_weights(Model& model) const;

  fs::path folder_;
  fs::path vocabulary_;
  Files files_;
  kakao::Settings settings_;
  clip::ClipConfig clip_{};
};

void Set::read_clip() {
  const std::string where = file_of(source(files_.clip)).string();
  const io::NamedTensors ours = clip::openai_key_map().map_to_ours(io::read_weights(where), where);
  clip_ = clip::shape_of(ours, where, settings_.clip_head_channels);
}

ForeignConfig Set::super_resolution(const char* net) const {
  return from(files_.super_resolution, "is no super-resolution of Karlo",
              [&](const io::TensorShapes& shapes) {
                return diffusers::write_plain_unet(kakao::super_resolution_shape(shapes, net, settings_));
              });
}

ForeignConfig Set::config(const std::string& component) const {
  using enum diffusion::Parameterization;
  const std::string clip_file = (folder_ / files_.clip).string();
  if (component == "text_encoder") return {write_text_config(clip_), clip_file};
  if (component == "image_encoder") return {write_vision_config(clip_), clip_file};
  if (component == "tokenizer") return {"{}", clip_file};
  if (component == "feature_extractor") {
    const int64_t size = clip_.vision.image_size;
    const image::Preprocessing square{.shorter_side = size, .height = size, .width = size};
    return {write_image_processor(square, clip_.vision), clip_file};
  }
  if (component == "prior_scheduler") return scheduler(schedule(x_0, 5.0));
  if (component == "super_res_scheduler") return scheduler(schedule(epsilon, 1.0));
  if (component == "decoder_scheduler") {
    diffusion::DiffusionConfig learned = schedule(epsilon, 1.0);
    learned.learn_sigma = true;
    return scheduler(learned);
  }
  if (component == "super_res_first") return super_resolution(kFirstSteps);
  if (component == "super_res_last") return super_resolution(kLastStep);
  if (component == "prior") {
    return from(files_.prior, "is no prior of Karlo", [&](const io::TensorShapes& shapes) {
      return diffusers::write_prior(kakao::prior_shape(shapes, settings_));
    });
  }
  return from(files_.decoder, "is no decoder of Karlo", [&](const io::TensorShapes& shapes) {
    const decoder::DecoderConfig shape = kakao::decoder_shape(shapes, settings_);
    return component == "text_proj" ? diffusers::write_text_projection(shape)
                                    : diffusers::write_conditional_unet(shape.unet);
  });
}

void Set::add_weights(Model& model) const {
  model.clip = {clip_, {{source(files_.clip)}, clip::openai_key_map()}};
  model.text_encoder->weights = {{source(files_.clip)},
                                 clip::one_tower(clip::openai_key_map(), clip::Towers::text)};
  model.image_encoder->weights = {{source(files_.clip)},
                                  clip::one_tower(clip::openai_key_map(), clip::Towers::image)};
  if (model.prior) {
    model.prior->weights = {{source(files_.prior), source(files_.statistics, "stats.")},
                            prior::kakao_key_map(model.prior->config.transformer.heads)};
  }
  model.decoder->weights = {{source(files_.decoder)}, decoder::kakao_key_map(model.decoder->config)};
  StoredUpsampler& upsampler = model.upsamplers.front();
  using enum upsampler::KakaoNet;
  upsampler.net.weights = {{source(files_.super_resolution)},
                           upsampler::kakao_key_map(upsampler.net.config, first_steps)};
  upsampler.last_step->weights = {{source(files_.super_resolution)},
                                  upsampler::kakao_key_map(upsampler.last_step->config, last_step)};
}

Model Set::open() {
  read_clip();
  const bool has_prior = fs::exists(folder_ / files_.prior);  // without one it can still vary pictures
  Model model = karlo::assemble([this](const std::string& name) { return config(name); },
                                {.prior = has_prior, .image_encoder = true}, folder_);
  model.kind = "Karlo (Kakao's own files)";
  model.manifest.licence = licence_of(folder_);
  for (const char* stage : {"text_encoder", "image_encoder", "decoder", "super_res"})
    model.manifest.stages[stage] = "";
  if (has_prior) model.manifest.stages["prior"] = "";
  model.preprocessing.fit = image::Fit::crop_rounded;  // as torchvision, which CLIP's own code uses
  model.text.tokenizer = find_tokenizer({folder_}, vocabulary_, clip_.text.vocab_size);
  model.text.rules = text::TokenRules::openai;
  add_weights(model);
  return model;
}

bool recognises(const fs::path& folder) {
  return fs::is_directory(folder) && fs::exists(folder / checkpoint_in(folder, "decoder-ckpt"));
}

Model open(const fs::path& folder, const fs::path& vocabulary) { return Set(folder, vocabulary).open(); }

std::vector<Component> components(const fs::path& folder) {
  const Files files = files_of(folder);
  std::vector<Component> result;
  for (const auto& [name, file] :
       {std::pair("prior", files.prior), std::pair("statistics", files.statistics),
        std::pair("decoder", files.decoder), std::pair("super_res", files.super_resolution),
        std::pair("clip", files.clip)}) {
    result.push_back({name, {.folder = folder, .file = file}});
  }
  return result;
}

}  // namespace

const Layout kKakaoLayout{recognises, open, components};

}  // namespace unclip::model
