// CLIP as the Python library transformers stores it.
#pragma once
#include "unclip/model/foreign_config.h"
#include "unclip/model/model.h"

namespace unclip::model {

/// CLIPTextConfig into the text tower, and CLIPVisionConfig into the image tower, of `model`; the embedding's
/// width and the activation are the model's. Error(config) names a key that this program cannot follow.
void read_text_config(ForeignConfig& config, clip::ClipConfig& model);
void read_vision_config(ForeignConfig& config, clip::ClipConfig& model);
/// CLIPImageProcessor's preprocessor_config.json for a network of `image_size`.
image::Preprocessing read_image_processor(ForeignConfig& config, int64_t image_size);

/// The texts of those files again.
std::string write_text_config(const clip::ClipConfig& model);
std::string write_vision_config(const clip::ClipConfig& model);
std::string write_image_processor(const image::Preprocessing& preprocessing,
                                  const clip::VisionConfig& vision);

/// Writes a folder that CLIPModel.from_pretrained reads: config.json, preprocessor_config.json,
/// model.safetensors and, if they are not there yet, the settings of the tokenizer. `weights` have our names.
void write_hugging_face_clip(const Model& model,
                             const io::NamedTensors& weights,
                             const std::filesystem::path& folder);

}  // namespace unclip::model
