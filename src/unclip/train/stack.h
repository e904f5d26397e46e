// The whole model from one folder of captioned pictures: tokenizer, CLIP, prior, decoder and upsamplers in
// turn.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/data/inspect.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/prior_stage.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip::train {

/// Settings of all stages. A preset is a folder with clip.json, prior.json, decoder.json and
/// upsampler_*.json; preset.json says what it is for.
struct Stack {
  ClipRun clip;
  PriorRun prior;
  DecoderRun decoder;
  std::vector<UpsamplerRun> upsamplers;  // by ascending size
};

struct PresetCard {
  std::string summary;
  double core_minutes = 0.0;  // of all stages on one core of a server processor with AVX-512; 0: not measured

  static void fields(auto& self, auto&& field) {
    field("summary", self.summary, "what the preset is for");
    field("core_minutes", self.core_minutes, "about how long all stages take one core");
  }
};

Stack read_stack(const std::filesystem::path& preset);
PresetCard read_preset_card(const std::filesystem::path& preset);

/// "tiny", "small" or "base", by the number of pictures; base needs many cores, too.
std::string preset_for(const data::DatasetReport& report, int64_t cores);

inline constexpr int64_t kSmallestSide = 32;  // pixels; less than that cannot teach 64

/// Pictures with a side of less than kSmallestSide.
int64_t count_too_small(const data::DatasetReport& report);

/// Error(data), in one sentence with what to do, if nothing can be learned from such pictures and captions:
/// too few, all alike, most too small, without captions or all with the same one.
void check_trainable(const data::DatasetReport& report);

/// Fits the settings to the data: no batch of CLIP holds a picture twice, no upsampler is larger than half of
/// the pictures. With `from`, a model of any layout or a run, each of its stages keeps its architecture, and
/// learning rates are a third; for `vocabulary` see model::open_model.
void fit_stack(Stack& stack,
               const data::DatasetReport& report,
               const std::filesystem::path& from,
               const std::filesystem::path& vocabulary = {});

/// Says what a figure of a running stage means.
using StackObserver = std::function<void(const std::string& stage, int64_t step, const std::string& verdict)>;

struct StackRequest {
  std::vector<std::string> data;
  std::vector<std::string> validation;  // empty: one picture in twenty is held out
  std::filesystem::path from;           // a model of any layout to start from; may be empty
  std::filesystem::path vocabulary;     // CLIP's own tokens, for models that come without any
  std::filesystem::path out;            // the model directory; runs lie in out/runs
  bool resume = false;                  // go on with the runs that are there
  std::string command;                  // for the records
  StackObserver observer;
};

/// Trains what is not yet trained and exports the model. Stages that are done are not touched.
void train_stack(Stack stack, const StackRequest& request, Progress& progress);

}  // namespace unclip::train
