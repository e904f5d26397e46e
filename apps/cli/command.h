// What a sub-command is. Each lives in its own file, defines one Command and is listed in commands.cpp.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unclip/base/progress.h"

namespace CLI {
class App;
}

namespace unclip::cli {

/// What all sub-commands share: the common flags, and where long work reports itself.
struct Context {
  bool json = false;         // --json: one object on stdout, everything else on stderr
  bool quiet = false;        // --quiet: no progress
  std::string program;       // how it was called: "unclip" or "./unclip"
  std::string command_line;  // as it may be typed again, for the records of runs and reports
  int64_t threads = 0;       // --threads; 0: one per core
  std::shared_ptr<Progress> progress = silent_progress();
};

struct Command {
  const char* name;
  const char* summary;   // one line of `unclip --help`
  const char* examples;  // the last lines of `unclip NAME --help`
  /// Declares the flags and returns what runs once they are parsed. Errors are thrown as unclip::Error.
  std::function<void()> (*declare)(CLI::App& app, const Context& context);
};

/// All sub-commands, in the order of `unclip --help`.
const std::vector<Command>& commands();

extern const Command kBench;
extern const Command kConvert;
extern const Command kDoctor;
extern const Command kData;
extern const Command kEdit;
extern const Command kEmbed;
extern const Command kEval;
extern const Command kExport;
extern const Command kGenerate;
extern const Command kInpaint;
extern const Command kInspect;
extern const Command kInterpolate;
extern const Command kProbe;
extern const Command kScore;
extern const Command kStudy;
extern const Command kTrain;
extern const Command kUpscale;
extern const Command kVary;

}  // namespace unclip::cli
