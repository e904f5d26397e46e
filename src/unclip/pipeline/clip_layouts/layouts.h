// The layouts of CLIP models that this program knows: one file each in this folder, one line in
// clip_model.cpp.
#pragma once
#include "unclip/pipeline/clip_model.h"
#include "unclip/pipeline/foreign_config.h"

namespace unclip::pipeline {

struct ClipLayout {
  bool (*recognises)(const std::filesystem::path& path);
  ClipModel (*open)(const std::filesystem::path& path, const std::filesystem::path& vocabulary);
};

extern const ClipLayout kOwnClip;          // own.cpp: model.json with a stage "clip"
extern const ClipLayout kHuggingFaceClip;  // hugging_face.cpp: config.json of transformers' CLIP
extern const ClipLayout kOpenClip;         // open_clip.cpp: open_clip_config.json
extern const ClipLayout kOpenAiClip;       // openai.cpp: a PyTorch archive on its own

/// The folder of a model that is named by its folder or by the weights in it.
std::filesystem::path folder_of_model(const std::filesystem::path& path);
/// `path` itself if it is a file, else the weights in the folder.
std::filesystem::path weights_of_model(const std::filesystem::path& path, const std::string& stem);
/// Of the folders that hold a vocab.json the first; `vocabulary`, CLIP's own, if none does and the size fits.
std::filesystem::path find_tokenizer(const std::vector<std::filesystem::path>& folders,
                                     const std::filesystem::path& vocabulary,
                                     int64_t vocab_size);

/// Layers and heads beyond any model are a lie of the file; a million layers would take their time.
inline constexpr int64_t kMaxLayers = 1000;

}  // namespace unclip::pipeline
