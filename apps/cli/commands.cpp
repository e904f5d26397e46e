#include "apps/cli/command.h"

namespace unclip::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{kGenerate, kVary,  kInterpolate, kEdit,    kInpaint, kProbe,
                                          kUpscale,  kEmbed, kScore,       kTrain,   kExport,  kConvert,
                                          kEval,     kStudy, kData,        kInspect, kBench,   kDoctor};
  return table;
}

}  // namespace unclip::cli
