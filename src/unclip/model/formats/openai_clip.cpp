// CLIP as OpenAI stores it: one TorchScript archive (ViT-L-14.pt) without a configuration. Its tensors are
// read, its code is not.
#include "unclip/clip/key_map.h"
#include "unclip/io/weights.h"
#include "unclip/model/formats/clip_files.h"
#include "unclip/model/formats/layouts.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

bool recognises(const fs::path& path) {
  return fs::is_regular_file(path) && path.extension() != ".safetensors";
}

Model open(const fs::path& path, const fs::path& vocabulary) {
  StoredClip clip;
  clip.weights = path;
  clip.key_map = clip::openai_key_map();
  const std::string where = path.string();
  clip.config = clip::shape_of(clip.key_map.map_to_ours(io::read_weights(path), where), where);
  Model model{.kind = "CLIP (OpenAI)"};
  add_clip(clip, path, model);
  const int64_t size = clip.config.vision.image_size;
  model.preprocessing = {.shorter_side = size,
                         .height = size,
                         .width = size,
                         .normalization = {},
                         .fit = image::Fit::crop_rounded};
  model.text.tokenizer = find_tokenizer({folder_of_model(path)}, vocabulary, clip.config.text.vocab_size);
  model.text.rules = text::TokenRules::openai;
  return model;
}

}  // namespace

const Layout kOpenAiLayout{recognises, open, nullptr};

}  // namespace unclip::model
