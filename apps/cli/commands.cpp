#include "apps/cli/command.h"

namespace unclip::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{kDoctor};
  return table;
}

}  // namespace unclip::cli
