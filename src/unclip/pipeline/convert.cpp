#include "unclip/pipeline/convert.h"

#include <algorithm>
#include <array>

#include "unclip/pipeline/clip_layouts/hugging_face.h"
#include "unclip/pipeline/clip_layouts/own.h"
#include "unclip/pipeline/clip_model.h"
#include "unclip/pipeline/convert_karlo.h"
#include "unclip/pipeline/convert_parts.h"
#include "unclip/pipeline/model_directory.h"

namespace unclip::pipeline {
namespace fs = std::filesystem;
namespace {

/// A kind of model and how it is written in either layout.
struct Converter {
  bool (*recognises)(const fs::path& path);
  void (*to_unclip)(const ConvertRequest& request, const fs::path& out);
  void (*to_hugging_face)(const ConvertRequest& request, const fs::path& out);
};

struct OpenedClip {
  ClipModel model;
  io::NamedTensors weights;
};

OpenedClip open_whole_clip(const ConvertRequest& request) {
  ClipModel model = open_clip(request.from, request.vocabulary);
  check(model.towers == clip::Towers::both, ErrorKind::config, request.from.string(),
        " holds one tower of a CLIP, expected both: only whole models are converted");
  io::NamedTensors weights = read_clip_weights(model);
  return {std::move(model), converted(std::move(weights), request.dtype)};
}

void clip_to_unclip(const ConvertRequest& request, const fs::path& out) {
  const OpenedClip opened = open_whole_clip(request);
  copy_own_tokenizer(opened.model.tokenizer, opened.model.token_rules, out / "tokenizer");
  write_own_stage(opened.model, opened.weights, out / "clip");
  write_manifest(out, {.name = request.to.filename().string(),
                       .version = "1",
                       .licence = "",
                       .card = "converted from " + opened.model.kind,
                       .attribution = {},
                       .trained_on = {},
                       .stages = {{"clip", "clip"}}});
}

void clip_to_hugging_face(const ConvertRequest& request, const fs::path& out) {
  const OpenedClip opened = open_whole_clip(request);
  copy_tokenizer(opened.model.tokenizer, opened.model.token_rules, out);
  write_hugging_face_clip(opened.model, opened.weights, out);
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

}  // namespace unclip::pipeline
