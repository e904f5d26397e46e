#include "unclip/model/formats/diffusers_configs.h"
#include "unclip/model/formats/hugging_face_clip.h"
#include "unclip/model/formats/karlo.h"

namespace unclip::model::karlo {
namespace {

// What the pipelines do unless they are told otherwise.
constexpr int64_t kPriorSteps = 25, kDecoderSteps = 25, kSuperResolutionSteps = 7;
constexpr double kPriorGuidance = 4.0, kDecoderGuidance = 8.0;

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

class Assembly {
 public:
  Assembly(const ConfigSource& configs, std::filesystem::path folder)
      : configs_(configs), folder_(std::move(folder)) {}

  Model build(const Parts& parts);

 private:
  /// Reads the configuration of a component and notes its unknown keys.
  template <class Read>
  auto with(const std::string& name, const Read& read) {
    ForeignConfig config = configs_(name);
    where_[name] = config.where();
    auto result = read(config);
    for (const std::string& key : config.unknown_keys()) {
      const auto file = std::filesystem::path(config.where()).lexically_relative(folder_);
      model_.unknown_keys.push_back(join_text(file.string(), ": '", key, "'"));
    }
    return result;
  }
  /// Values in two files that must agree.
  template <class T>
  void agree(
      const std::string& name, const char* key, const T& value, const T& other, const char* what) const {
    check(value == other, ErrorKind::config, where_.at(name), ": '", key, "' is ", value, ", expected ",
          other, ": ", what);
  }
  /// What a configuration as a whole forbids, said of the file it came from.
  template <class Config>
  void validate(const std::string& name, const Config& config) const {
    try {
      config.validate();
    } catch (const Error& error) {
      fail(ErrorKind::config, where_.at(name), " describes no model of this program: ", error.what());
    }
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
  StoredNetwork<upsampler::UpsamplerConfig> read_super_resolution_net(const std::string& name,
                                                                      const diffusers::Scheduler& scheduler);

  const ConfigSource& configs_;
  std::filesystem::path folder_;
  std::map<std::string, std::string> where_{};  // the file of each component
  Model model_{};
};

void Assembly::read_text() {
  const clip::ClipConfig config = with("text_encoder", read_text_tower);
  validate("text_encoder", config);
  model_.text_encoder = {config, {}};
  const int64_t positions = config.text.context_length;
  ForeignConfig tokenizer = configs_("tokenizer");
  model_.text.context_length = tokenizer.count("model_max_length", positions);
  check(model_.text.context_length >= 2 && model_.text.context_length <= positions, ErrorKind::config,
        tokenizer.where(), ": 'model_max_length' is ", model_.text.context_length, ", expected 2 to ",
        positions, ", the positions of the text encoder");
}

void Assembly::read_image() {
  clip::ClipConfig config = with("image_encoder", read_image_tower);
  validate("image_encoder", config);
  model_.preprocessing = with("feature_extractor", [&config](ForeignConfig& processor) {
    return read_image_processor(processor, config.vision.image_size);
  });
  const image::Normalization& statistics = model_.preprocessing.normalization;
  config.vision.mean.assign(statistics.mean.begin(), statistics.mean.end());
  config.vision.std.assign(statistics.std.begin(), statistics.std.end());
  agree("image_encoder", "projection_dim", config.embed_dim, model_.text_encoder->config.embed_dim,
        "both encoders have one embedding space");
  model_.image_encoder = {config, {}};
}

void Assembly::read_prior() {
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
  model_.prior = {config, {}};
}

void Assembly::read_text_projection(decoder::DecoderConfig& config) {
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
  config.text = {.source = decoder::DecoderText::clip,
                 .vocab_size = text.text.vocab_size,
                 .context_length = model_.text.context_length,
                 .clip_width = config.embed_dim,
                 .add_z_t = true};
}

void Assembly::read_decoder() {
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
  model_.decoder = {config, {}};
}

StoredNetwork<upsampler::UpsamplerConfig> Assembly::read_super_resolution_net(
    const std::string& name, const diffusers::Scheduler& scheduler) {
  upsampler::UpsamplerConfig config{.unet = with(name, diffusers::read_plain_unet),
                                    .diffusion = scheduler.diffusion,
                                    .sampler = scheduler.sampler,
                                    .low_size = model_.decoder->config.unet.size,
                                    .enlarge = upsampler::Enlarge::bicubic};
  validate(name, config);
  return {config, {}};
}

void Assembly::read_super_resolution() {
  const diffusers::Scheduler scheduler = this->scheduler("super_res_scheduler", kSuperResolutionSteps);
  auto first = read_super_resolution_net("super_res_first", scheduler);
  auto last = read_super_resolution_net("super_res_last", scheduler);
  const int64_t size = first.config.unet.size;
  agree("super_res_last", "sample_size", last.config.unet.size, size, "that of super_res_first");
  model_.upsamplers.push_back({upsampler_name(size), std::move(first), std::move(last)});
}

Model Assembly::build(const Parts& parts) {
  model_.path = folder_;
  model_.manifest.name = "Karlo";
  model_.rules = {.step_spacing = "linspace", .shared_guidance = true};
  read_text();
  if (parts.image_encoder) read_image();
  if (parts.prior) read_prior();
  read_decoder();
  read_super_resolution();
  return std::move(model_);
}

}  // namespace

Model assemble(const ConfigSource& configs, const Parts& parts, const std::filesystem::path& folder) {
  return Assembly(configs, folder).build(parts);
}

std::string upsampler_name(int64_t size) { return "upsampler_" + std::to_string(size); }

}  // namespace unclip::model::karlo
