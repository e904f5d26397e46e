#include "apps/cli/application.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/cli/command.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/report_error.h"
#include "apps/cli/signals.h"
#include "apps/cli/terminal_progress.h"
#include "apps/cli/usage.h"
#include "unclip/base/runtime.h"
#include "unclip/base/shell_words.h"

namespace unclip::cli {
namespace {

constexpr char kHelp[] =
    "Text to image with CLIP latents (unCLIP): make, vary and edit pictures, and train the models that do "
    "it.";
constexpr char kExamples[] = "'unclip COMMAND --help' shows a command's flags and examples.";

void add_common_flags(CLI::App& app, Context& context) {
  app.add_flag("--json", context.json, "print one JSON object on stdout, everything else on stderr")
      ->group("Common");
  app.add_flag("--quiet", context.quiet, "show no progress")->group("Common");
  app.add_option("--threads", context.threads, "compute threads (default: one per core)")
      ->check(between<int64_t>(1, 1024))
      ->group("Common");
}

/// Declares every sub-command; the one that is named on the command line stores its work in `chosen`.
void declare_commands(CLI::App& app, Context& context, std::function<void()>& chosen) {
  for (const Command& command : commands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->footer(std::string("Examples:\n") + command.examples);
    add_common_flags(*sub, context);
    sub->callback([&chosen, work = command.declare(*sub, context)] { chosen = work; });
    for (CLI::App* stage : sub->get_subcommands({})) stage->fallthrough();  // `train clip --quiet`
  }
}

/// The work that the command line asks for; --help and --version are such work too.
std::function<void()> parse(CLI::App& app, int argc, const char* const* argv, Context& context) {
  std::function<void()> chosen;
  declare_commands(app, context, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return [&app] { std::cout << app.help(); };
  } catch (const CLI::CallForVersion&) {
    return [] { std::cout << "unclip " << version() << '\n'; };
  } catch (const CLI::ParseError& error) {
    fail(ErrorKind::usage, usage_sentence(app, error));
  }
  return chosen;
}

void run_command(int argc, const char* const* argv) {
  CLI::App app(kHelp, "unclip");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.set_version_flag("--version", version(), "print the version");
  Context context;
  context.program = argv[0];
  context.command_line = "unclip";
  for (int i = 1; i < argc; ++i) context.command_line += ' ' + quoted(argv[i]);
  const std::function<void()> work = parse(app, argc, argv, context);
  set_up_compute(context.threads);
  const StopToken stop = stop_on_signals();
  context.progress = context.quiet ? silent_progress(stop)
                                   : std::make_shared<TerminalProgress>(std::cerr, stderr_screen(), stop);
  work();
  std::cout.flush();
  check(std::cout.good(), ErrorKind::io, "stdout: the output could not be written, is the disk full?");
}

}  // namespace

std::string version() { return UNCLIP_VERSION; }

int run(int argc, const char* const* argv) {
  try {
    run_command(argc, argv);
    return 0;
  } catch (...) {
    return report_error(std::cerr);
  }
}

}  // namespace unclip::cli
