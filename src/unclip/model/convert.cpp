#include "unclip/model/convert.h"

#include <algorithm>
#include <array>

#include "unclip/io/file.h"
#include "unclip/model/convert_karlo.h"
#include "unclip/model/convert_parts.h"
#include "unclip/model/formats/hugging_face_clip.h"
#include "unclip/model/formats/preprocessing.h"
#include "unclip/model/weights.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

/// A kind of model and how it is written in either layout.
struct Converter {
  bool (*recognises)(const fs::path& path);
  void (*to_unclip)(const ConvertRequest& request, const fs::path& out);
  void (*to_hugging_face)(const ConvertRequest& request, const fs::path& out);
};

struct OpenedClip {
  Model model;
  io::NamedTensors weights;
};

OpenedClip open_whole_clip(const ConvertRequest& request) {
  Model model = open_model(request.from, request.vocabulary);
  check(model.clip.has_value(), ErrorKind::config, request.from.string(),
        " holds one tower of a CLIP, expected both: only whole models are converted");
  io::NamedTensors weights = read_tensors<clip::Clip>(*model.clip);
  return {std::move(model), converted(std::move(weights), request.dtype)};
}

void clip_to_unclip(const ConvertRequest& request, const fs::path& out) {
  const auto [model, weights] = open_whole_clip(request);
  const fs::path stage = out / "clip";
  fs::create_directories(stage);
  copy_own_tokenizer(model.text.tokenizer, load_tokenizer(model).rules(), out / "tokenizer");
  io::write_file_atomically(stage / "config.json", config_to_json(model.clip->config));
  write_preprocessing(model.preprocessing, stage);
  io::write_safetensors(stage / "model.safetensors", weights);
  write_manifest(out, {.name = request.to.filename().string(),
                       .version = "1",
                       .licence = "",
                       .card = "converted from " + model.kind,
                       .attribution = {},
                       .trained_on = {},
                       .stages = {{"clip", "clip"}}});
}

void clip_to_hugging_face(const ConvertRequest& request, const fs::path& out) {
  const auto [model, weights] = open_whole_clip(request);
  copy_tokenizer(model.text.tokenizer, load_tokenizer(model).rules(), out);
  write_hugging_face_clip(model, weights, out);
}

/// More special kinds come first; what is left must be a CLIP, or opening it says why not.
constexpr std::array<Converter, 2> kConverters{
    {{is_karlo, karlo_to_unclip, karlo_to_diffusers},
     {[](const fs::path&) { return true; }, clip_to_unclip, clip_to_hugging_face}}};

}  // namespace

void convert_model(const ConvertRequest& request) {
  check(!fs::exists(request.to), ErrorKind::io, request.to.string(), " exists already; choose another name");
  fs::path unfinished = request.to;
  unfinished += ".unfinished";
  std::error_code error;
  fs::remove_all(unfinished, error);
  check(fs::create_directory(unfinished, error), ErrorKind::io, request.to.string(),
        " cannot be made: ", error.message());
  try {
    const auto* const converter = std::ranges::find_if(
        kConverters, [&](const Converter& known) { return known.recognises(request.from); });
    const bool is_ours = request.layout == TargetLayout::unclip;
    (is_ours ? converter->to_unclip : converter->to_hugging_face)(request, unfinished);
    fs::rename(unfinished, request.to);
  } catch (...) {
    fs::remove_all(unfinished, error);
    throw;
  }
}

}  // namespace unclip::model
