// `unclip bench`: where the time of drawing goes.
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "apps/cli/flag_checks.h"
#include "apps/cli/json_text.h"
#include "apps/cli/sampling_flags.h"
#include "unclip/base/runtime.h"

namespace unclip::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct StageTime {
  std::string stage;
  int64_t steps = 0;
  std::vector<double> seconds;  // one per round
};

/// A Progress that keeps the time of each stage.
class StageClock final : public Progress {
 public:
  void begin(const std::string& stage, int64_t total) override {
    const auto same = [&](const StageTime& time) { return time.stage == stage; };
    current_ = std::ranges::find_if(times_, same) - times_.begin();
    if (current_ == std::ssize(times_)) times_.push_back({stage, total, {}});
    start_ = Clock::now();
  }
  void advance(int64_t /*units*/) override {}
  void note(const std::string& /*text*/) override {}
  void end() override { times_[static_cast<size_t>(current_)].seconds.push_back(seconds_since(start_)); }
  const std::vector<StageTime>& times() const { return times_; }

 private:
  std::vector<StageTime> times_;
  std::ptrdiff_t current_ = 0;
  Clock::time_point start_;
};

struct Settings {
  std::string caption = "a red heart";
  int64_t rounds = 5;
  SamplingFlags flags;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

struct Result {
  int64_t size = 0;  // of the pictures
  std::vector<StageTime> stages;
  std::vector<double> seconds;  // of each round, with opening the model and loading every stage
};

Result measure(Settings& settings, Progress& progress) {
  StageClock clock;
  Result result;
  progress.begin("bench", settings.rounds);
  for (int64_t round = 0; round < settings.rounds; ++round) {
    const auto start = Clock::now();
    pipeline::Unclip model = settings.flags.open(settings.flags.compute_dtype());
    const auto n = static_cast<size_t>(settings.flags.n);
    const pipeline::Pictures drawn =
        model.generate({.captions = std::vector<std::string>(n, settings.caption),
                        .seeds = settings.flags.seeds(n),
                        .sampling = settings.flags.sampling()},
                       clock);
    result.size = drawn.pictures.size(3);
    result.seconds.push_back(seconds_since(start));
    progress.advance();
  }
  progress.end();
  result.stages = clock.times();
  return result;
}

nlohmann::ordered_json describe(const Settings& settings, const Result& result) {
  nlohmann::ordered_json object{{"model", settings.flags.model.filename().string()},
                                {"dtype", c10::toString(settings.flags.compute_dtype())},
                                {"threads", at::get_num_threads()},
                                {"pictures", settings.flags.n},
                                {"size", result.size},
                                {"rounds", settings.rounds},
                                {"stages", nlohmann::ordered_json::array()}};
  double sampling = 0;
  for (const StageTime& stage : result.stages) {
    const double seconds = median(stage.seconds);
    sampling += seconds;
    object["stages"].push_back({{"stage", stage.stage}, {"steps", stage.steps}, {"seconds", seconds}});
  }
  const double all = median(result.seconds);
  object["other_seconds"] = std::max(0.0, all - sampling);
  object["seconds"] = all;
  object["first_round_seconds"] = result.seconds.front();
  object["peak_memory_bytes"] = peak_memory();
  return object;
}

void print_row(const std::string& name, const std::string& steps, double seconds, const std::string& note) {
  char row[160];
  std::snprintf(row, sizeof row, "%-12s %6s %9.3f s   %s\n", name.c_str(), steps.c_str(), seconds,
                note.c_str());
  std::cout << row;
}

std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms a step", seconds * 1000);
  return text;
}

void print_table(const nlohmann::ordered_json& result) {
  std::cout << "model " << result["model"].get<std::string>() << ", " << result["pictures"] << " of "
            << result["size"] << " px, " << result["dtype"].get<std::string>() << ", " << result["threads"]
            << " threads; medians of " << result["rounds"] << " rounds\n\n"
            << "stage         steps       time\n";
  for (const auto& stage : result["stages"]) {
    const auto seconds = stage["seconds"].get<double>();
    const auto steps = stage["steps"].get<int64_t>();
    print_row(stage["stage"].get<std::string>(), std::to_string(steps), seconds,
              milliseconds(seconds / static_cast<double>(std::max<int64_t>(1, steps))));
  }
  print_row("other", "", result["other_seconds"].get<double>(), "opening the model, encoding the caption");
  print_row("all", "", result["seconds"].get<double>(), "");
  print_row("first round", "", result["first_round_seconds"].get<double>(), "with everything still cold");
  std::cout << "peak memory  " << result["peak_memory_bytes"].get<int64_t>() / 1'000'000 << " MB\n";
}

void bench(Settings& settings, const Context& context) {
  const Result result = measure(settings, *context.progress);
  const nlohmann::ordered_json object = describe(settings, result);
  context.json ? void(std::cout << json_text(object) << '\n') : print_table(object);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("CAPTION", settings->caption, "what to draw")->capture_default_str();
  app.add_option("--rounds", settings->rounds, "how often to draw it")
      ->check(between<int64_t>(1, 1000))
      ->capture_default_str();
  settings->flags.declare_drawing(app);
  settings->flags.declare_prior(app);
  return [&context, settings] { bench(*settings, context); };
}

}  // namespace

const Command kBench{"bench", "time of each stage and peak memory of drawing",
                     "  unclip bench\n  unclip bench --size 64 --n 16 --dtype fp32 --json", declare};

}  // namespace unclip::cli
