// `unclip train STAGE`: from a configuration file and data to a run folder.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/train/trainer.h"

namespace unclip::train {

struct RunRequest {
  std::filesystem::path config;         // configs/emoji/clip.json
  std::vector<std::string> overrides;   // "train.steps=100": as on the command line
  std::vector<std::string> data;        // shards, folders or patterns
  std::vector<std::string> validation;  // the same, held out; may be empty
  bool hold_out = false;                // without `validation`: evaluate on one of twenty of `data`, held out
  std::filesystem::path tokenizer;      // `train clip`: a folder with vocab.json and merges.txt
  std::filesystem::path teacher;        // `train clip`: a teacher's texts and embeddings; may be empty
  std::filesystem::path clip;           // priors and decoder: a run of `train clip` or a model of any layout
  std::filesystem::path from;           // weights to start from, the same; may be empty
  std::filesystem::path vocabulary;     // CLIP's own tokens, for models that come without any
  std::filesystem::path out;            // the run folder
  bool resume = false;
  std::string command;             // for command.txt
  std::string label = "training";  // of the progress bar
  EvaluationObserver on_evaluation = nullptr;
};

/// Learns a byte-pair vocabulary of `vocab_size` tokens from the captions of `data`, which may be text
/// files too (each line a caption), and writes it to `out`.
void train_tokenizer(const std::vector<std::string>& data,
                     int64_t vocab_size,
                     const std::filesystem::path& out);
void train_clip(const RunRequest& request, Progress& progress);
void train_prior(const RunRequest& request, Progress& progress);
void train_ar_prior(const RunRequest& request, Progress& progress);
void train_decoder(const RunRequest& request, Progress& progress);
void train_upsampler(const RunRequest& request, Progress& progress);

}  // namespace unclip::train
