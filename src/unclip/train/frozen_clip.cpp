#include "unclip/train/frozen_clip.h"

#include "unclip/pipeline/model_directory.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/run_folder.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

clip::Clip load_from_run(const RunFolder& run) {
  const fs::path config = run.path() / "config.json";
  clip::Clip model(config_from_json<ClipRun>(pipeline::read_config_text(config), config.string()).model);
  const fs::path weights = run.require_latest() / "ema.safetensors";
  io::load_state(*model, io::SafetensorsFile(weights).tensors(), weights.string());
  return model;
}

}  // namespace

FrozenClip load_frozen_clip(const fs::path& folder, torch::ScalarType compute_dtype) {
  if (fs::exists(folder / "model.json")) return pipeline::load_frozen_clip(folder, compute_dtype);
  check(fs::exists(folder / "config.json"), ErrorKind::io, "'", folder.string(),
        "' is neither a run of `train clip` nor a model directory");
  return pipeline::freeze(load_from_run(RunFolder(folder)), text::Tokenizer::load(folder / "tokenizer"),
                          compute_dtype);
}

void check_is_clips(const char* key, int64_t width, int64_t clips) {
  check(width == clips, ErrorKind::config, key, " is ", width, ", but CLIP's is ", clips);
}

}  // namespace unclip::train
