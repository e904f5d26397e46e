// Where the models and configurations that come with the program are.
#pragma once
#include <filesystem>

namespace unclip::cli {

/// models/emoji beside an installed program (../share/unclip/models), else in the source folder that it was
/// built from. It may be missing.
std::filesystem::path bundled_model();
/// The same of configs: a folder of run configurations per preset.
std::filesystem::path bundled_configs();

/// CLIP's own vocabulary, for released models that come without one: ../share/unclip/clip-tokenizer, else
/// assets/clip-tokenizer of the source folder.
std::filesystem::path clip_vocabulary();

}  // namespace unclip::cli
