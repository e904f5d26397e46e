// `unclip study`
#include <iostream>

#include "apps/cli/bundled_model.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/sampling_flags.h"
#include "unclip/io/file.h"
#include "unclip/study/study.h"

namespace unclip::cli {
namespace fs = std::filesystem;
namespace {

constexpr double kShortest = 0.001, kLongest = 1000;  // hours

struct Settings {
  study::StudyRequest request;
  SamplingFlags flags;  // of these --model and --dtype
};

/// Error(io) unless the study can go to `folder`.
void check_folder(const fs::path& folder) {
  check(!fs::exists(folder) || fs::is_directory(folder), ErrorKind::io, folder.string(),
        " is no folder; choose another name with -o");
  const fs::path parent = fs::absolute(folder).lexically_normal().parent_path();
  check(fs::is_directory(parent), ErrorKind::io, "the folder ", parent.string(),
        " does not exist, create it first");
}

/// As one would type it: relative where it lies below the working directory.
fs::path as_typed(const fs::path& path) {
  const fs::path relative = fs::proximate(path);
  return *relative.begin() == ".." ? path : relative;
}

void print(const study::Study& study, const fs::path& folder) {
  for (const study::Finding& finding : study.findings)
    std::cout << finding.id << ": " << enum_name(finding.verdict) << ". " << finding.reason << '\n';
  std::cout << (folder / "report.html").string() << '\n';
}

void run(Settings& settings, const Context& context) {
  study::StudyRequest& request = settings.request;
  request.model = as_typed(settings.flags.model);
  request.configs = as_typed(request.configs);
  request.dtype = settings.flags.compute_dtype();
  request.vocabulary = clip_vocabulary();
  request.command = context.command_line;
  check_folder(request.folder);
  const study::Study study = study::run_study(request, *context.progress);
  const std::string results = study::results_json(study, context.command_line);
  io::write_file_atomically(request.folder / "report.html", study::report_html(study, context.command_line));
  io::write_file_atomically(request.folder / "results.json", results);
  context.json ? void(std::cout << results) : print(study, request.folder);
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  study::StudyRequest& request = settings->request;
  request.configs = bundled_configs() / "study";
  app.add_option("--data", request.data,
                 "captioned pictures that the study's own models learn from: shards, folders or patterns")
      ->required();
  app.add_option("--test", request.test, "the same, that nothing was trained on")->required();
  app.add_option("--val", request.validation,
                 "the same, held out, that training looks at (default: those of --test)");
  app.add_option("--budget", request.hours, "hours for the whole study")
      ->check(between(kShortest, kLongest))
      ->capture_default_str();
  app.add_option("--features", request.features,
                 "a CLIP of any layout that judges drawings (default: --model's)");
  app.add_option("--claims", request.claims, "examine these only: " + joined(study::claim_ids()))
      ->delimiter(',');
  app.add_option("--configs", request.configs,
                 "configurations of the study's own models: prior.json, ar_prior.json, decoder.json");
  app.add_option("--seed", request.seed, "seed of training, drawings and intervals")->capture_default_str();
  SamplingFlags& flags = settings->flags;
  flags.model = bundled_model();
  app.add_option("--model", flags.model, "the model that is examined (default: the bundled one)");
  app.add_option("--dtype", flags.dtype, "auto, fp32 or bf16")->capture_default_str();
  app.add_option("-o,--output", request.folder, "folder of the study; the same command goes on there")
      ->required();
  return [&context, settings] { run(*settings, context); };
}

}  // namespace

const Command kStudy{
    "study", "examine the paper's claims with a model and data, as one report",
    "  unclip study --data 'shards/train-*.tar' --test 'shards/test-*.tar' -o study\n"
    "  unclip study --data 'shards/train-*.tar' --test 'shards/test-*.tar' --claims guidance,priors "
    "--budget 1 -o short-study",
    declare};

}  // namespace unclip::cli
