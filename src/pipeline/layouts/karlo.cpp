// Karlo (kakaobrain, 2022), an unCLIP trained on 115 M pairs, as diffusers stores it: UnCLIPPipeline (text to
// image) and UnCLIPImageVariationPipeline. It differs from our own models in these points, all of them data:
// - prior and decoder read the outputs of CLIP's text tower, masked beyond the end of the text;
// - z_i is standardised by CLIP's statistics inside the prior, and enters the decoder as it is;
// - the learned null embedding replaces a dropped z_i, and z_t joins the timestep embedding;
// - schedulers compute in float32 tables and visit evenly spaced timesteps, both ends included;
// - the last of the super-resolution steps has a network of its own.
#include <algorithm>
#include <array>

#include "unclip/clip/key_map.h"
#include "unclip/decoder/key_map.h"
#include "unclip/pipeline/clip_layouts/hugging_face.h"
#include "unclip/pipeline/folder_licence.h"
#include "unclip/pipeline/layouts/diffusers_configs.h"
#include "unclip/pipeline/layouts/layouts.h"
#include "unclip/prior/key_map.h"
#include "unclip/upsampler/key_map.h"

namespace unclip::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr const char* kGenerates = "UnCLIPPipeline";
constexpr const char* kVaries = "UnCLIPImageVariationPipeline";
constexpr const char* kDiffusersStem = "diffusion_pytorch_model";

// What the pipelines do unless they are told otherwise.
constexpr int64_t kPriorSteps = 25, kDecoderSteps = 25, kSuperResolutionSteps = 7;
constexpr double kPriorGuidance = 4.0, kDecoderGuidance = 8.0;

struct KnownComponent {
  const char* name;
  const char* class_name;
  const char* config;  // its file
  const char* stem;    // of its weights, or none
};
constexpr std::array<KnownComponent, 12> kComponents{{
    {"prior", "PriorTransformer", "config.json", kDiffusersStem},
    {"decoder", "UNet2DConditionModel", "config.json", kDiffusersStem},
    {"text_proj", "UnCLIPTextProjModel", "config.json", kDiffusersStem},
    {"super_res_first", "UNet2DModel", "config.json", kDiffusersStem},
    {"super_res_last", "UNet2DModel", "config.json", kDiffusersStem},
    {"text_encoder", "CLIPTextModelWithProjection", "config.json", "model"},
    {"image_encoder", "CLIPVisionModelWithProjection", "config.json", "model"},
    {"tokenizer", "CLIPTokenizer", "tokenizer_config.json", nullptr},
    {"feature_extractor", "CLIPImageProcessor", "preprocessor_config.json", nullptr},
    {"prior_scheduler", "UnCLIPScheduler", "scheduler_config.json", nullptr},
    {"decoder_scheduler", "UnCLIPScheduler", "scheduler_config.json", nullptr},
    {"super_res_scheduler", "UnCLIPScheduler", "scheduler_config.json", nullptr},
}};

/// A tower's configuration, alone or inside of a CLIPConfig.
clip::ClipConfig read_text_tower(ForeignConfig& c) {
  clip::ClipConfig config;
  if (c.has("text_config")) {
    ForeignConfig inner = c.part("text_config");
    read_text_config(inner, config);
  } else {
    read_text_config(c, config);
  }
  return config;
}
clip::ClipConfig read_image_tower(ForeignConfig& c) {
  clip::ClipConfig config;
  if (c.has("vision_config")) {
    ForeignConfig inner = c.part("vision_config");
    read_vision_config(inner, config);
  } else {
    read_vision_config(c, config);
  }
  return config;
}

const KnownComponent& component(const std::string& name) {
  return *std::ranges::find(kComponents, name, [](const KnownComponent& c) { return std::string(c.name); });
}

std::vector<std::string> names_of_pipeline(bool varies) {
  std::vector<std::string> names;
  for (const KnownComponent& known : kComponents) {
    const std::string name = known.name;
    const bool only_generates = name.starts_with("prior");
    const bool only_varies = name == "image_encoder" || name == "feature_extractor";
    if (varies ? !only_generates : !only_varies) names.push_back(name);
  }
  return names;
}

/// model_index.json, checked. True for image variations.
bool read_index(const fs::path& folder) {
  ForeignConfig index(folder / "model_index.json");
  const std::string pipeline = index.text("_class_name");
  check(pipeline == kGenerates || pipeline == kVaries, ErrorKind::checkpoint, index.where(),
        ": '_class_name' is ", pipeline, ", expected ", kGenerates, " or ", kVaries);
  const bool varies = pipeline == kVaries;
  for (const std::string& name : names_of_pipeline(varies)) {
    const std::vector<std::string> entry = index.texts(name);
    const std::string expected = component(name).class_name;
    // Repositories of 2022 name the image processor by its old class.
    const bool is_known =
        entry.size() == 2 && (entry[1] == expected || entry[1] == expected + "Fast" ||
                              (name == "feature_extractor" && entry[1] == "CLIPFeatureExtractor"));
    if (!is_known) index.refuse(name, "a " + expected);
  }
  return varies;
}

class Reader {
 public:
  explicit Reader(fs::path folder) : folder_(std::move(folder)) {}

  Model read();

 private:
  /// Reads the configuration of a component and notes its unknown keys.
  template <class Read>
  auto with(const std::string& name, const Read& read) {
    ForeignConfig config(folder_ / name / component(name).config);
    auto result = read(config);
    for (const std::string& key : config.unknown_keys())
      model_.unknown_keys.push_back(join_text(name, "/", component(name).config, ": '", key, "'"));
    return result;
  }
  std::string file_of(const std::string& name) const {
    return (folder_ / name / component(name).config).string();
  }
  /// Values in two files that must agree.
  template <class T>
  void agree(
      const std::string& name, const char* key, const T& value, const T& other, const char* what) const {
    check(value == other, ErrorKind::config, file_of(name), ": '", key, "' is ", value, ", expected ", other,
          ": ", what);
  }
  /// What a configuration as a whole forbids, said of the file it came from.
  template <class Config>
  void validate(const std::string& name, const Config& config) const {
    try {
      config.validate();
    } catch (const Error& error) {
      fail(ErrorKind::config, file_of(name), " describes no model of this program: ", error.what());
    }
  }
  WeightsSource source(const std::string& name, const std::string& prefix = "") const {
    return {.folder = folder_ / name, .stem = component(name).stem, .prefix = prefix};
  }
  diffusers::Scheduler scheduler(const std::string& name, int64_t steps) {
    return with(name, [&](ForeignConfig& c) { return diffusers::read_unclip_scheduler(c, steps); });
  }

  void read_text();
  void read_image();
  void read_prior();
  void read_decoder();
  void read_text_projection(decoder::DecoderConfig& config);
  void read_super_resolution();
  Stage<upsampler::UpsamplerConfig> read_super_resolution_net(const std::string& name,
                                                              const diffusers::Scheduler& scheduler);

  fs::path folder_;
  Model model_;
};

void Reader::read_text() {
  const clip::ClipConfig config = with("text_encoder", read_text_tower);
  validate("text_encoder", config);
  model_.text_encoder = {config, {{source("text_encoder")}, clip::hugging_face_key_map()}};
  const int64_t positions = config.text.context_length;
  model_.text.tokenizer = folder_ / "tokenizer";
  ForeignConfig tokenizer(folder_ / "tokenizer" / "tokenizer_config.json");
  model_.text.context_length = tokenizer.count("model_max_length", positions);
  check(model_.text.context_length >= 2 && model_.text.context_length <= positions, ErrorKind::config,
        tokenizer.where(), ": 'model_max_length' is ", model_.text.context_length, ", expected 2 to ",
        positions, ", the positions of the text encoder");
}

void Reader::read_image() {
  const clip::ClipConfig config = with("image_encoder", read_image_tower);
  validate("image_encoder", config);
  model_.image_encoder = {config, {{source("image_encoder")}, clip::hugging_face_key_map()}};
  model_.preprocessing = with("feature_extractor", [&config](ForeignConfig& processor) {
    return read_image_processor(processor, config.vision.image_size);
  });
  agree("image_encoder", "projection_dim", config.embed_dim, model_.text_encoder->config.embed_dim,
        "both encoders have one embedding space");
}

void Reader::read_prior() {
  prior::DiffusionPriorConfig config = with("prior", diffusers::read_prior);
  const diffusers::Scheduler scheduler = this->scheduler("prior_scheduler", kPriorSteps);
  config.diffusion = scheduler.diffusion;
  config.sampling = {.sampler = scheduler.sampler, .guidance = kPriorGuidance, .candidates = 1};
  const clip::ClipConfig& text = model_.text_encoder->config;
  agree("prior", "embedding_dim", config.embed_dim, text.embed_dim, "that of the text encoder");
  agree("prior", "embedding_dim", config.text_width, text.text.width, "the width of the text encoder");
  agree("prior", "num_embeddings", config.text_context, model_.text.context_length,
        "'model_max_length' of the tokenizer");
  validate("prior", config);
  model_.prior = {config, {{source("prior")}, prior::diffusers_key_map()}};
}

void Reader::read_text_projection(decoder::DecoderConfig& config) {
  const clip::ClipConfig& text = model_.text_encoder->config;
  with("text_proj", [&](ForeignConfig& c) {
    config.image_tokens = c.count("clip_extra_context_tokens", 4);
    config.embed_dim = c.count("clip_embeddings_dim", 768);
    agree("text_proj", "clip_embeddings_dim", config.embed_dim, text.embed_dim, "that of the text encoder");
    agree("text_proj", "clip_embeddings_dim", config.embed_dim, text.text.width,
          "the width of the text encoder");
    agree("text_proj", "time_embed_dim", c.count("time_embed_dim"), config.unet.embed_width(),
          "four times the decoder's first width");
    agree("text_proj", "cross_attention_dim", c.count("cross_attention_dim"), config.unet.context_width,
          "that of the decoder");
    return true;
  });
  config.text = {.source = decoder::TextSource::clip,
                 .vocab_size = text.text.vocab_size,
                 .context_length = model_.text.context_length,
                 .clip_width = config.embed_dim,
                 .add_z_t = true};
}

void Reader::read_decoder() {
  decoder::DecoderConfig config{.unit_z_i = false, .null_image = decoder::NullImage::learned};
  config.unet = with("decoder", [](ForeignConfig& c) {
    nn::UNetConfig unet = diffusers::read_conditional_unet(c);
    if (c.text("class_embed_type", "") != "identity") c.refuse("class_embed_type", R"("identity")");
    return unet;
  });
  read_text_projection(config);
  const diffusers::Scheduler scheduler = this->scheduler("decoder_scheduler", kDecoderSteps);
  config.diffusion = scheduler.diffusion;
  config.sampling = {.sampler = scheduler.sampler, .guidance = kDecoderGuidance};
  validate("decoder", config);
  model_.decoder = {config,
                    {{source("decoder", "unet."), source("text_proj", "text_proj.")},
                     decoder::diffusers_key_map(config.image_tokens, config.unet.context_width)}};
}

Stage<upsampler::UpsamplerConfig> Reader::read_super_resolution_net(const std::string& name,
                                                                    const diffusers::Scheduler& scheduler) {
  upsampler::UpsamplerConfig config{.unet = with(name, diffusers::read_plain_unet),
                                    .diffusion = scheduler.diffusion,
                                    .sampler = scheduler.sampler,
                                    .low_size = model_.decoder->config.unet.size,
                                    .enlarge = upsampler::Enlarge::bicubic};
  validate(name, config);
  return {config, {{source(name)}, upsampler::diffusers_key_map()}};
}

void Reader::read_super_resolution() {
  const diffusers::Scheduler scheduler = this->scheduler("super_res_scheduler", kSuperResolutionSteps);
  auto first = read_super_resolution_net("super_res_first", scheduler);
  auto last = read_super_resolution_net("super_res_last", scheduler);
  const int64_t size = first.config.unet.size;
  agree("super_res_last", "sample_size", last.config.unet.size, size, "that of super_res_first");
  model_.upsamplers.push_back({"upsampler_" + std::to_string(size), std::move(first), std::move(last)});
}

Model Reader::read() {
  const bool varies = read_index(folder_);
  model_ = {.kind = varies ? "Karlo, image variations (diffusers' UnCLIPImageVariationPipeline)"
                           : "Karlo, text to image (diffusers' UnCLIPPipeline)",
            .path = folder_};
  model_.manifest.name = "Karlo";
  model_.manifest.licence = licence_of(folder_);
  model_.rules = {.step_spacing = "linspace", .shared_guidance = true};
  for (const std::string& name : names_of_pipeline(varies)) {
    if (component(name).stem != nullptr) model_.manifest.stages[name] = name;
  }
  read_text();
  varies ? read_image() : read_prior();
  read_decoder();
  read_super_resolution();
  return std::move(model_);
}

bool recognises(const fs::path& folder) { return fs::exists(folder / "model_index.json"); }

Model open(const fs::path& folder) { return Reader(folder).read(); }

std::vector<Component> components(const fs::path& folder) {
  std::vector<Component> result;
  for (const std::string& name : names_of_pipeline(read_index(folder))) {
    if (const char* stem = component(name).stem) result.push_back({name, {folder / name, stem}});
  }
  return result;
}

}  // namespace

const Layout kKarloLayout{recognises, open, components};

}  // namespace unclip::pipeline
