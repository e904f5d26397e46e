#include "unclip/train/trainer.h"

#include <torch/utils.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "unclip/io/state.h"

namespace unclip::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::pair<std::string, torch::Tensor>> trained_parameters(torch::nn::Module& network) {
  std::vector<std::pair<std::string, torch::Tensor>> result;
  for (const auto& item : network.named_parameters()) result.emplace_back(item.key(), item.value());
  return result;
}

/// The parameter that is no longer finite, for the message of a diverged run.
std::string first_bad_parameter(torch::nn::Module& network) {
  for (const auto& item : network.named_parameters()) {
    if (!torch::isfinite(item.value()).all().item<bool>()) return "parameter '" + item.key() + "'";
  }
  return "no parameter, so an activation or the batch";
}

/// Weights that were mapped from a file become memory of their own, to be changed.
void own_parameters(torch::nn::Module& network) {
  const torch::NoGradGuard no_grad;
  io::NamedTensors state = io::state_of(network);
  for (auto& [name, tensor] : state) tensor.set_data(tensor.clone());
}

constexpr double kSmoothing = 0.98;  // of the loss on the progress bar

}  // namespace

void TrainConfig::validate() const {
  optimizer.validate();
  check(steps > 0 && accumulation > 0 && log_every > 0 && evaluate_every > 0 && checkpoint_minutes > 0 &&
            keep_checkpoints > 0,
        ErrorKind::config,
        "train: steps, accumulation, log_every, evaluate_every, checkpoint_minutes and keep_checkpoints must "
        "be positive");
}

AveragedWeights::AveragedWeights(Optimizer& optimizer) : optimizer_(optimizer) { swap(); }
AveragedWeights::~AveragedWeights() { swap(); }

void AveragedWeights::swap() {
  for (TrainedTensor& t : optimizer_.tensors()) {
    const torch::Tensor weights = t.parameter.detach();
    t.parameter.set_data(t.ema);
    t.ema = weights;
  }
}

Trainer::Trainer(const TrainerParts& parts) : parts_(parts) {
  parts.config.validate();
  start_or_resume();
}

void Trainer::start_or_resume() {
  auto& network = parts_.stage.network();
  const auto checkpoint = parts_.folder.load_latest();
  if (checkpoint) {
    position_ = checkpoint->position;
    io::load_state(network, checkpoint->tensors.model, parts_.folder.path().string());
  }
  own_parameters(network);
  loader_ = parts_.make_loader(position_.data);
  if (!checkpoint) parts_.stage.prepare(*loader_);
  optimizer_ = std::make_unique<Optimizer>(trained_parameters(network), parts_.config.optimizer);
  if (!checkpoint) return;
  optimizer_->set_steps(position_.step);
  const std::map<std::string, torch::Tensor> ema(checkpoint->tensors.ema.begin(),
                                                 checkpoint->tensors.ema.end());
  const std::map<std::string, torch::Tensor> state(checkpoint->tensors.optimizer.begin(),
                                                   checkpoint->tensors.optimizer.end());
  const torch::NoGradGuard no_grad;
  for (TrainedTensor& t : optimizer_->tensors()) {
    t.mean.copy_(state.at("mean." + t.name));
    if (t.square.defined()) t.square.copy_(state.at("square." + t.name));
    t.ema.copy_(ema.at(t.name));
  }
}

StepLoss Trainer::accumulate_gradients() {
  StepLoss total;
  for (int64_t micro = 0; micro < parts_.config.accumulation; ++micro) {
    const data::Batch batch = loader_->next();
    const int64_t index = position_.step * parts_.config.accumulation + micro;
    const auto seed = static_cast<uint64_t>(parts_.config.seed);
    torch::manual_seed(stream_id("dropout") ^ (seed << 32) ^ static_cast<uint64_t>(index));
    StepLoss part = parts_.stage.loss(batch, {seed, stream_id("train"), static_cast<uint64_t>(index)});
    const double value = part.loss.item<double>();
    check(std::isfinite(value), ErrorKind::numeric, "the loss is ", value, " at step ", position_.step,
          "; not finite: ", first_bad_parameter(parts_.stage.network()),
          "; the last checkpoint is intact: lower optimizer.learning_rate and resume");
    part.loss.backward();
    total.loss = total.loss.defined() ? total.loss + part.loss.detach() : part.loss.detach();
    total.metrics = std::move(part.metrics);
    position_.data = loader_->state();
    pictures_since_log_ += static_cast<double>(batch.samples.size());
  }
  total.loss = total.loss / parts_.config.accumulation;
  return total;
}

void Trainer::update(const StepLoss& step_loss) {
  const TrainConfig& c = parts_.config;
  const double rate = c.optimizer.learning_rate * lr_factor(c.lr, position_.step, c.steps);
  double norm = 0.0;
  try {
    norm = optimizer_->step(rate, 1.0 / static_cast<double>(c.accumulation)).gradient_norm;
  } catch (const Error& error) {
    fail(ErrorKind::numeric, error.what(), " at step ", position_.step,
         "; the last checkpoint is intact: lower optimizer.learning_rate and resume");
  }
  parts_.stage.after_update();
  ++position_.step;
  const double value = step_loss.loss.item<double>();
  smoothed_loss_ = smoothed_loss_ == 0.0 ? value : kSmoothing * smoothed_loss_ + (1 - kSmoothing) * value;
  if (position_.step % c.log_every == 0) log(step_loss, norm);
}

void Trainer::log(const StepLoss& step_loss, double gradient_norm) {
  const TrainConfig& c = parts_.config;
  nlohmann::ordered_json line;
  line["step"] = position_.step;
  line["loss"] = step_loss.loss.item<double>();
  line["smoothed_loss"] = smoothed_loss_;
  for (const auto& [name, value] : step_loss.metrics) line[name] = value;
  line["learning_rate"] = c.optimizer.learning_rate * lr_factor(c.lr, position_.step - 1, c.steps);
  line["gradient_norm"] = gradient_norm;
  line["pictures_per_second"] = pictures_since_log_ / std::max(seconds_since_log_, 1e-9);
  line["seconds"] = position_.seconds;
  line["seconds_waiting_for_data"] = loader_->seconds_waited();
  parts_.folder.append_log(line.dump());
  char note[96];
  std::snprintf(note, sizeof(note), "loss %.4f  %.1f pictures/s", smoothed_loss_,
                pictures_since_log_ / seconds_since_log_);
  parts_.progress.note(note);
  pictures_since_log_ = seconds_since_log_ = 0.0;
}

void Trainer::evaluate() {
  const AveragedWeights averaged(*optimizer_);
  auto& network = parts_.stage.network();
  network.eval();
  const torch::NoGradGuard no_grad;
  const Metrics metrics = parts_.stage.evaluate(parts_.folder.sheet(position_.step));
  nlohmann::ordered_json line;
  line["step"] = position_.step;
  for (const auto& [name, value] : metrics) line[name] = value;
  parts_.folder.append_log(line.dump());
  if (parts_.on_evaluation) parts_.on_evaluation(position_.step, metrics);
  network.train();
}

CheckpointTensors Trainer::tensors() {
  CheckpointTensors result;
  result.model = io::state_of(parts_.stage.network());
  for (const auto& item : parts_.stage.network().named_buffers()) result.ema[item.key()] = item.value();
  for (const TrainedTensor& t : optimizer_->tensors()) {
    result.ema[t.name] = t.ema;
    result.optimizer["mean." + t.name] = t.mean;
    if (t.square.defined()) result.optimizer["square." + t.name] = t.square;
  }
  return result;
}

void Trainer::save() { parts_.folder.save({position_, tensors()}, parts_.config.keep_checkpoints); }

void Trainer::run() {
  const TrainConfig& c = parts_.config;
  parts_.stage.network().train();
  parts_.progress.begin(parts_.label, c.steps);
  parts_.progress.advance(position_.step);
  auto last_save = Clock::now();
  while (position_.step < c.steps && !parts_.progress.stop().stop_requested()) {
    const auto start = Clock::now();
    update(accumulate_gradients());
    position_.seconds += seconds_since(start);
    seconds_since_log_ += seconds_since(start);
    parts_.progress.advance();
    if (position_.step % c.evaluate_every == 0 || position_.step == c.steps) evaluate();
    if (seconds_since(last_save) > 60.0 * static_cast<double>(c.checkpoint_minutes)) {
      save();
      last_save = Clock::now();
    }
  }
  save();
  parts_.progress.end();
  parts_.progress.throw_if_stopped();
}

}  // namespace unclip::train
