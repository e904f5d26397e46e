#include "apps/cli/bundled_model.h"

namespace unclip::cli {

namespace fs = std::filesystem;

fs::path bundled_model() {
  std::error_code unreadable;
  const fs::path program = fs::read_symlink("/proc/self/exe", unreadable);
  fs::path installed = program.parent_path().parent_path() / "share/unclip/models/emoji";
  if (!unreadable && fs::is_directory(installed, unreadable)) return installed;
  return fs::path(UNCLIP_SOURCE_DIR) / "models/emoji";
}

}  // namespace unclip::cli
