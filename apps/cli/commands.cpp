#include "apps/cli/command.h"

namespace unclip::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{kGenerate, kVary,    kTrain, kExport,
                                          kData,     kInspect, kBench, kDoctor};
  return table;
}

}  // namespace unclip::cli
