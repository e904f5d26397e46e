// `unclip train STAGE`
#include <CLI/CLI.hpp>

#include "apps/cli/bundled_model.h"
#include "apps/cli/command.h"
#include "apps/cli/train_all.h"
#include "unclip/train/runs.h"

namespace unclip::cli {
namespace {

struct Settings {
  train::RunRequest request;
  int64_t vocabulary_size = 4096;
};

/// What every stage but the tokenizer asks for.
void declare_run(CLI::App& app, Settings& settings) {
  train::RunRequest& r = settings.request;
  app.add_option("--config", r.config, "configuration of model, data and run (configs/…/*.json)")->required();
  app.add_option("--set", r.overrides, "override a setting, for instance train.steps=1000");
  app.add_option("--data", r.data, "shards, folders or patterns to train on")->required();
  app.add_option("--val", r.validation, "the same, held out for evaluation");
  app.add_option("--out", r.out, "folder of the run")->required();
  app.add_option("--from", r.from,
                 "start from the weights of this stage in a model of any layout or another run");
  app.add_flag("--resume", r.resume, "go on from the last checkpoint in --out");
}

using TrainStage = void (*)(const train::RunRequest&, Progress&);

CLI::App& add_stage(CLI::App& app,
                    const char* name,
                    const char* summary,
                    const std::shared_ptr<Settings>& settings) {
  CLI::App& stage = *app.add_subcommand(name, summary);
  declare_run(stage, *settings);
  return stage;
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.require_subcommand(1);
  CLI::App& tokenizer = *app.add_subcommand("tokenizer", "learn a byte-pair vocabulary from captions");
  tokenizer
      .add_option("--data", settings->request.data,
                  "shards, folders, patterns or text files (each line a caption)")
      ->required();
  tokenizer.add_option("--vocabulary-size", settings->vocabulary_size, "number of tokens")
      ->capture_default_str();
  tokenizer.add_option("--out", settings->request.out, "folder for vocab.json and merges.txt")->required();
  CLI::App& clip = add_stage(app, "clip", "train CLIP on pictures and captions", settings);
  clip.add_option("--tokenizer", settings->request.tokenizer, "folder with vocab.json and merges.txt")
      ->required();
  clip.add_option("--teacher", settings->request.teacher,
                  "texts with a sentence encoder's embeddings (tools/teacher), for teacher.weight above 0");
  for (CLI::App* stage : {&add_stage(app, "prior", "train the diffusion prior", settings),
                          &add_stage(app, "ar-prior", "train the autoregressive prior", settings),
                          &add_stage(app, "decoder", "train the decoder", settings)}) {
    stage
        ->add_option("--clip", settings->request.clip,
                     "a run of `train clip`, or a model of any layout that has a CLIP")
        ->required();
  }
  add_stage(app, "upsampler", "train an upsampler", settings);
  return [&app, &context, settings, all = declare_train_all(app, context)] {
    const std::string stage = app.get_subcommands().front()->get_name();
    if (stage == "all") {
      all();
      return;
    }
    settings->request.command = context.command_line;
    settings->request.vocabulary = clip_vocabulary();
    if (stage == "tokenizer") {
      train::train_tokenizer(settings->request.data, settings->vocabulary_size, settings->request.out);
      return;
    }
    const TrainStage run = stage == "clip"       ? train::train_clip
                           : stage == "prior"    ? train::train_prior
                           : stage == "ar-prior" ? train::train_ar_prior
                           : stage == "decoder"  ? train::train_decoder
                                                 : train::train_upsampler;
    run(settings->request, *context.progress);
  };
}

}  // namespace

const Command kTrain{
    "train", "train a model: all of it, or a stage (tokenizer, clip, prior, ar-prior, decoder, upsampler)",
    "  unclip train all my-pictures --out my-model\n"
    "  unclip train tokenizer --data shards/train-*.tar --out runs/tokenizer\n"
    "  unclip train clip --config configs/emoji/clip.json --tokenizer runs/tokenizer "
    "--data shards/train-*.tar --out runs/clip\n"
    "  unclip train ar-prior --config configs/emoji/ar_prior.json --clip runs/clip "
    "--data shards/train-*.tar --out runs/ar-prior\n"
    "  unclip train decoder --config configs/emoji/decoder.json --clip runs/clip "
    "--data shards/train-*.tar --out runs/decoder --resume",
    declare};

}  // namespace unclip::cli
