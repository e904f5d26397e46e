// `unclip score INPUT…`
#include <iomanip>
#include <iostream>

#include "apps/cli/clip_inputs.h"
#include "apps/cli/json_text.h"

namespace unclip::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPlace = "{}";  // of the label in a template

struct Settings {
  ClipInputs inputs;
  std::string pattern;  // --template
  bool labels = false;
};

/// The captions that the labels stand for.
std::vector<std::string> filled(const std::vector<std::string>& labels, const std::string& pattern) {
  std::vector<std::string> captions;
  for (const std::string& label : labels) {
    std::string caption = pattern;
    captions.push_back(caption.replace(caption.find(kPlace), 2, label));
  }
  return captions;
}

struct Scores {
  torch::Tensor cosines;        // 100·cos [pictures, captions]
  torch::Tensor probabilities;  // softmax over captions of the model's logits
};

Scores score_all(const Settings& settings, const Context& context) {
  const pipeline::ClipEncoder clip = settings.inputs.open();
  ClipInputs inputs = settings.inputs;
  if (!settings.pattern.empty()) inputs.captions = filled(inputs.captions, settings.pattern);
  const torch::Tensor z_i = clip::normalized(embed_pictures(clip, inputs, context));
  const torch::Tensor z_t = clip::normalized(embed_captions(clip, inputs, context));
  const torch::Tensor cosines = z_i.matmul(z_t.t());
  return {100 * cosines, torch::softmax(clip.logit_scale() * cosines, 1)};
}

Json rows_of(const torch::Tensor& matrix) {
  Json rows = Json::array();
  for (int64_t i = 0; i < matrix.size(0); ++i) {
    const torch::Tensor row = matrix[i].to(torch::kFloat64).contiguous();
    rows.push_back(std::vector<double>(row.data_ptr<double>(), row.data_ptr<double>() + row.numel()));
  }
  return rows;
}

void print_json(const ClipInputs& inputs, const Scores& scores) {
  Json pictures = Json::array();
  for (const auto& picture : inputs.pictures) pictures.push_back(picture.string());
  std::cout << json_text({{"pictures", pictures},
                          {"captions", inputs.captions},
                          {"scores", rows_of(scores.cosines)},
                          {"probabilities", rows_of(scores.probabilities)}})
            << '\n';
}

/// One line per picture and caption; with labels the most probable first.
void print_table(const ClipInputs& inputs, const Scores& scores, bool labels) {
  std::cout << std::fixed << std::setprecision(2);
  for (size_t i = 0; i < inputs.pictures.size(); ++i) {
    std::cout << inputs.pictures[i].string() << '\n';
    const auto row = static_cast<int64_t>(i);
    const torch::Tensor order = labels ? scores.probabilities[row].argsort(0, true)
                                       : torch::arange(static_cast<int64_t>(inputs.captions.size()));
    for (int64_t rank = 0; rank < order.size(0); ++rank) {
      const auto column = order[rank].item<int64_t>();
      std::cout << std::setw(8) << scores.cosines[row][column].item<double>();
      if (labels) std::cout << std::setw(8) << 100 * scores.probabilities[row][column].item<double>() << "%";
      std::cout << "  " << inputs.captions[static_cast<size_t>(column)] << '\n';
    }
  }
}

void score(Settings& settings, const Context& context) {
  settings.inputs.sort_arguments();
  check(!settings.inputs.pictures.empty() && !settings.inputs.captions.empty(), ErrorKind::usage,
        "score needs pictures and captions, for instance: unclip score cat.png \"a cat\" \"a dog\"");
  check(settings.pattern.empty() || settings.pattern.find(kPlace) != std::string::npos, ErrorKind::usage,
        "--template is '", settings.pattern, "', expected a text with {} where the label goes");
  const Scores scores = score_all(settings, context);
  if (context.json) {
    print_json(settings.inputs, scores);
  } else {
    print_table(settings.inputs, scores, settings.labels);
  }
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  settings->inputs.declare(app);
  app.add_flag("--labels", settings->labels,
               "captions are labels: the most probable first, with its probability");
  app.add_option("--template", settings->pattern,
                 "what a label stands for, for instance \"a photo of a {}\"");
  return [&context, settings] { score(*settings, context); };
}

}  // namespace

const Command kScore{
    "score", "how well captions fit pictures: 100 times the cosine of their CLIP embeddings",
    "  unclip score heart.png \"a red heart\" \"a cat face\"\n"
    "  unclip score photos cat dog bird --labels --template \"a photo of a {}\" --model ViT-B-32.pt\n"
    "  unclip score heart.png \"a red heart\" --json",
    declare};

}  // namespace unclip::cli
