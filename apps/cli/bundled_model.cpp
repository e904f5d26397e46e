#include "apps/cli/bundled_model.h"

namespace unclip::cli {

namespace fs = std::filesystem;

namespace {

fs::path bundled(const char* name, const char* source_name) {
  std::error_code unreadable;
  const fs::path program = fs::read_symlink("/proc/self/exe", unreadable);
  fs::path installed = program.parent_path().parent_path() / "share/unclip" / name;
  if (!unreadable && fs::is_directory(installed, unreadable)) return installed;
  return fs::path(UNCLIP_SOURCE_DIR) / source_name;
}

}  // namespace

fs::path bundled_model() { return bundled("models/emoji", "models/emoji"); }
fs::path bundled_configs() { return bundled("configs", "configs"); }
fs::path clip_vocabulary() { return bundled("clip-tokenizer", "assets/clip-tokenizer"); }

}  // namespace unclip::cli
