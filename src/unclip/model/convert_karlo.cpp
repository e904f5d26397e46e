#include "unclip/model/convert_karlo.h"

#include <nlohmann/json.hpp>

#include "unclip/clip/key_map.h"
#include "unclip/decoder/decoder.h"
#include "unclip/decoder/key_map.h"
#include "unclip/io/file.h"
#include "unclip/model/convert_parts.h"
#include "unclip/model/formats/diffusers_write.h"
#include "unclip/model/formats/hugging_face_clip.h"
#include "unclip/model/formats/karlo.h"
#include "unclip/model/formats/karlo_components.h"
#include "unclip/model/formats/layouts.h"
#include "unclip/model/formats/preprocessing.h"
#include "unclip/model/weights.h"
#include "unclip/prior/diffusion_prior.h"
#include "unclip/prior/key_map.h"
#include "unclip/upsampler/key_map.h"
#include "unclip/upsampler/upsampler.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::string> kLegalFiles{"README.md", "LICENSE", "LICENSE.txt", "LICENSE.md"};

/// Calls visit(name, stage, tensors) for every network in turn, so that no more than one is in memory.
template <class Visit>
void for_each_stage(const Model& model, const Visit& visit) {
  using clip::Towers;
  const auto& text = required(model, model.text_encoder, "text_encoder");
  visit("text_encoder", text, read_tensors<clip::Clip>(text, Towers::text));
  if (model.image_encoder) {
    visit("image_encoder", *model.image_encoder,
          read_tensors<clip::Clip>(*model.image_encoder, Towers::image));
  }
  if (model.prior) visit("prior", *model.prior, read_tensors<prior::DiffusionPrior>(*model.prior));
  const auto& decoder = required(model, model.decoder, "decoder");
  visit("decoder", decoder, read_tensors<decoder::Decoder>(decoder));
  for (const StoredUpsampler& upsampler : model.upsamplers) {
    visit(upsampler.name, upsampler.net, read_tensors<upsampler::Upsampler>(upsampler.net));
    if (upsampler.last_step) {
      visit(upsampler.name + "_last_step", *upsampler.last_step,
            read_tensors<upsampler::Upsampler>(*upsampler.last_step));
    }
  }
}

// The layout of diffusers ---------------------------------------------------------------------------

class DiffusersFolder {
 public:
  DiffusersFolder(const Model& model, const ConvertRequest& request, fs::path out)
      : model_(model), request_(request), out_(std::move(out)) {}

  void write() {
    check(model_.upsamplers.size() == 1 && model_.upsamplers[0].last_step, ErrorKind::config,
          request_.from.string(), " has ", model_.upsamplers.size(),
          " upsamplers, expected Karlo's one with a net of its own for the last step");
    for_each_stage(model_, [this](const std::string& name, const auto& stage, io::NamedTensors tensors) {
      write_stage(name, stage.config, converted(std::move(tensors), request_.dtype));
    });
    put("decoder_scheduler", diffusers::write_unclip_scheduler(model_.decoder->config.diffusion));
    put("super_res_scheduler", diffusers::write_unclip_scheduler(model_.upsamplers[0].net.config.diffusion));
    if (model_.image_encoder)
      put("feature_extractor",
          write_image_processor(model_.preprocessing, model_.image_encoder->config.vision));
    write_tokenizer();
    write_index();
    copy_files(model_.path, kLegalFiles, out_);
    check_what_was_written();
  }

 private:
  void put(const std::string& component, const std::string& json) {
    fs::create_directories(out_ / component);
    io::write_file_atomically(out_ / component / karlo::component(component).config, json);
  }
  void put(const std::string& component, const std::string& json, const io::NamedTensors& tensors) {
    put(component, json);
    const std::string file = std::string(karlo::component(component).stem) + ".safetensors";
    io::write_safetensors(out_ / component / file, tensors, {{"format", "pt"}});
  }

  void write_stage(const std::string& name, const clip::ClipConfig& config, const io::NamedTensors& ours) {
    put(name, name == "text_encoder" ? write_text_config(config) : write_vision_config(config),
        clip::hugging_face_key_map().map_to_theirs(ours, name));
  }
  void write_stage(const std::string& name,
                   const prior::DiffusionPriorConfig& config,
                   const io::NamedTensors& ours) {
    put(name, diffusers::write_prior(config), prior::diffusers_key_map().map_to_theirs(ours, name));
    put("prior_scheduler", diffusers::write_unclip_scheduler(config.diffusion));
  }
  void write_stage(const std::string& name,
                   const decoder::DecoderConfig& config,
                   const io::NamedTensors& ours) {
    const auto map = decoder::diffusers_key_map(config.image_tokens, config.unet.context_width);
    const std::string unet = "unet.", projection = "text_proj.";
    io::NamedTensors of_unet, of_projection;
    for (const auto& [key, tensor] : map.map_to_theirs(ours, name)) {
      const bool is_unet = key.starts_with(unet);
      (is_unet ? of_unet : of_projection)[key.substr((is_unet ? unet : projection).size())] = tensor;
    }
    put("decoder", diffusers::write_conditional_unet(config.unet), of_unet);
    put("text_proj", diffusers::write_text_projection(config), of_projection);
  }
  void write_stage(const std::string& name,
                   const upsampler::UpsamplerConfig& config,
                   const io::NamedTensors& ours) {
    put(name == model_.upsamplers[0].name ? "super_res_first" : "super_res_last",
        diffusers::write_plain_unet(config.unet), upsampler::diffusers_key_map().map_to_theirs(ours, name));
  }

  void write_tokenizer() {
    const fs::path folder = out_ / "tokenizer";
    copy_tokenizer(model_.text.tokenizer, load_tokenizer(model_).rules(), folder);
    Json roles{{"bos_token", text::kStartOfText},
               {"eos_token", text::kEndOfText},
               {"pad_token", "!"},  // in all released folders of Karlo
               {"unk_token", text::kEndOfText}};
    if (!fs::exists(folder / "special_tokens_map.json"))
      io::write_file_atomically(folder / "special_tokens_map.json", roles.dump(2) + "\n");
    if (fs::exists(folder / "tokenizer_config.json")) return;
    roles["tokenizer_class"] = "CLIPTokenizer";
    roles["model_max_length"] = model_.text.context_length;
    roles["do_lower_case"] = true;
    io::write_file_atomically(folder / "tokenizer_config.json", roles.dump(2) + "\n");
  }

  void write_index() {
    const bool varies = !model_.prior;
    Json index{{"_class_name", varies ? karlo::kVaries : karlo::kGenerates},
               {"_diffusers_version", "0.36.0"}};
    for (const std::string& name : karlo::names_of_pipeline(varies))
      index[name] = {karlo::component(name).library, karlo::component(name).class_name};
    io::write_file_atomically(out_ / karlo::kIndex, index.dump(2) + "\n");
  }

  template <class Config>
  void check_same(const char* stage, const Config& wanted, const Config& written) const {
    check(config_to_json(wanted) == config_to_json(written), ErrorKind::config, request_.from.string(),
          " cannot be written in diffusers' layout, whose configurations cannot say all of its stage '",
          stage, "'");
  }
  /// Settings of ours that the other layout has no words for would be lost without a sign.
  void check_what_was_written() const {
    const Model written = open_model(out_);
    check_same("text_encoder", model_.text_encoder->config, written.text_encoder->config);
    if (model_.image_encoder)
      check_same("image_encoder", model_.image_encoder->config, written.image_encoder->config);
    if (model_.prior) check_same("prior", model_.prior->config, written.prior->config);
    check_same("decoder", model_.decoder->config, written.decoder->config);
    const StoredUpsampler &wanted = model_.upsamplers[0], &again = written.upsamplers[0];
    check_same(wanted.name.c_str(), wanted.net.config, again.net.config);
    check_same(wanted.name.c_str(), wanted.last_step->config, again.last_step->config);
  }

  const Model& model_;
  const ConvertRequest& request_;
  fs::path out_;
};

}  // namespace

bool is_karlo(const fs::path& path) {
  if (!fs::exists(path / "model.json"))
    return fs::is_directory(path) && (kKarloLayout.recognises(path) || kKakaoLayout.recognises(path));
  const ModelDirectory directory(path);
  return directory.has("text_encoder") && directory.has("decoder");
}

void karlo_to_unclip(const ConvertRequest& request, const fs::path& out) {
  const Model model = open_model(request.from, request.vocabulary);
  Manifest manifest{.name = request.to.filename().string(),
                    .version = "1",
                    .licence = model.manifest.licence,
                    .card = "converted from " + model.kind,
                    .attribution = model.manifest.attribution,
                    .trained_on = model.manifest.trained_on,
                    .stages = {},
                    .sampling = model.rules,
                    .context_length = model.text.context_length};
  for_each_stage(model, [&](const std::string& name, const auto& stage, io::NamedTensors tensors) {
    fs::create_directories(out / name);
    io::write_file_atomically(out / name / "config.json", config_to_json(stage.config));
    io::write_safetensors(out / name / "model.safetensors", converted(std::move(tensors), request.dtype));
    manifest.stages[name] = name;
  });
  if (model.image_encoder) write_preprocessing(model.preprocessing, out / "image_encoder");
  copy_own_tokenizer(model.text.tokenizer, load_tokenizer(model).rules(), out / "tokenizer");
  copy_files(request.from, kLegalFiles, out);
  write_manifest(out, manifest);
}

void karlo_to_diffusers(const ConvertRequest& request, const fs::path& out) {
  const Model model = open_model(request.from, request.vocabulary);
  DiffusersFolder(model, request, out).write();
}

}  // namespace unclip::model
