#include "apps/cli/bundled_model.h"

namespace unclip::cli {

namespace fs = std::filesystem;

namespace {

fs::path bundled(const char* name) {
  std::error_code unreadable;
  const fs::path program = fs::read_symlink("/proc/self/exe", unreadable);
  fs::path installed = program.parent_path().parent_path() / "share/unclip" / name;
  if (!unreadable && fs::is_directory(installed, unreadable)) return installed;
  return fs::path(UNCLIP_SOURCE_DIR) / name;
}

}  // namespace

fs::path bundled_model() { return bundled("models/emoji"); }
fs::path bundled_configs() { return bundled("configs"); }

}  // namespace unclip::cli
