// Where the models and configurations that come with the program are.
#pragma once
#include <filesystem>

namespace unclip::cli {

/// models/emoji beside an installed program (../share/unclip/models), else in the source folder that it was
/// built from. It may be missing.
std::filesystem::path bundled_model();
/// The same of configs: a folder of run configurations per preset.
std::filesystem::path bundled_configs();

}  // namespace unclip::cli
