// CLIP as OpenAI stores it: one TorchScript archive (ViT-L-14.pt) without a configuration. Its tensors are
// read, its code is not.
#include "unclip/clip/key_map.h"
#include "unclip/io/weights.h"
#include "unclip/pipeline/clip_layouts/layouts.h"

namespace unclip::pipeline {
namespace fs = std::filesystem;
namespace {

bool recognises(const fs::path& path) {
  return fs::is_regular_file(path) && path.extension() != ".safetensors";
}

ClipModel open(const fs::path& path, const fs::path& vocabulary) {
  ClipModel model{
      .kind = "CLIP (OpenAI)", .weights = path, .key_map = clip::openai_key_map(), .tokenizer = {}};
  const std::string where = path.string();
  model.config = clip::shape_of(model.key_map.map_to_ours(io::read_weights(path), where), where);
  const int64_t size = model.config.vision.image_size;
  model.preprocessing = {.shorter_side = size,
                         .height = size,
                         .width = size,
                         .normalization = {},
                         .fit = image::Fit::crop_rounded};
  model.tokenizer = find_tokenizer({folder_of_model(path)}, vocabulary, model.config.text.vocab_size);
  model.token_rules = text::TokenRules::openai;
  return model;
}

}  // namespace

const ClipLayout kOpenAiClip{recognises, open};

}  // namespace unclip::pipeline
