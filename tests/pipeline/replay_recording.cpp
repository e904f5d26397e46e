// Parts of a released model on inputs that the Python reference recorded, for tools/check_released.py. Prints
// a line for each part: its name and the largest difference to what the reference computed.
//
//   replay_recording scheduler CONFIG.json RECORDING CASE
//     UnCLIPScheduler. RECORDING: CASE.sample0; a row for each step, CASE.timesteps, .model_output, .noise
//     and .prev_sample.
//   replay_recording networks MODEL RECORDING
//     The networks of a Karlo folder. RECORDING, of those that were recorded: NETWORK.call0.in.NAME and
//     NETWORK.call0.NAME.
#include <exception>
#include <iostream>
#include <map>

#include "unclip/diffusion/denoiser.h"
#include "unclip/diffusion/samplers/ddpm.h"
#include "unclip/io/safetensors.h"
#include "unclip/model/formats/diffusers_configs.h"
#include "unclip/model/weights.h"
#include "unclip/pipeline/unclip.h"

namespace unclip {
namespace {

using model::load_net;
using torch::Tensor;
using Differences = std::map<std::string, double>;

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

// Schedulers -------------------------------------------------------------------------------------------

void expect_timesteps(const diffusion::Trajectory& path, const Tensor& recorded) {
  for (int64_t i = 0; i < recorded.size(0); ++i) {
    const int64_t t = path.steps.at(static_cast<size_t>(i)).t, expected = recorded[i].item<int64_t>();
    check(t == expected, ErrorKind::data, "step ", i, " is at t = ", t, ", expected ", expected);
  }
}

Differences replay_scheduler(const std::string& config_file,
                             const std::string& recording,
                             const std::string& name) {
  const io::SafetensorsFile file(recording);
  const auto recorded = [&](const std::string& key) { return file.tensor(name + "." + key); };
  model::ForeignConfig config{std::filesystem::path(config_file)};
  const auto [diffusion, sampler] =
      model::diffusers::read_unclip_scheduler(config, recorded("timesteps").size(0));
  const diffusion::NoiseSchedule schedule(diffusion.schedule);
  const diffusion::Trajectory path = diffusion::trajectory(sampler, schedule);
  expect_timesteps(path, recorded("timesteps"));

  int64_t asked = 0;
  const auto network = [&](const Tensor&, int64_t) { return recorded("model_output")[asked++]; };
  const diffusion::Denoiser denoise =
      diffusion::threshold(diffusion::make_denoiser(schedule, diffusion, network), diffusion.threshold);
  double worst = 0;
  const diffusion::SamplingHooks hooks{
      .noise = [&](const Tensor&, int64_t index) { return recorded("noise")[index]; },
      .observer =
          [&](const diffusion::StepReport& report) {
            worst = std::max(worst, largest_difference(report.x, recorded("prev_sample")[report.index]));
          }};
  diffusion::sample_ddpm(denoise, recorded("sample0"), path, {sampler.variance}, hooks);
  return {{name, worst}};
}

// Networks ---------------------------------------------------------------------------------------------

/// What a network was given and gave in its first call.
class Call {
 public:
  Call(const io::SafetensorsFile& file, std::string network)
      : file_(file), network_(std::move(network) + ".call0.") {}
  bool recorded(const std::string& input) const { return file_.contains(network_ + "in." + input); }
  Tensor in(const std::string& name) const { return file_.tensor(network_ + "in." + name); }
  Tensor out(const std::string& name) const { return file_.tensor(network_ + name); }
  Tensor timesteps() const { return in("timestep").expand({in("sample").size(0)}); }

 private:
  const io::SafetensorsFile& file_;
  std::string network_;
};

nn::TextEncoding text(const Tensor& mask, const Tensor& z_t, const Tensor& hidden) {
  return {.ids = torch::zeros(mask.sizes(), torch::kLong),
          .mask = mask.to(torch::kBool),
          .z_t = z_t,
          .hidden = hidden};
}

void replay_prior(const model::Model& model, const io::SafetensorsFile& file, Differences& found) {
  const Call prior(file, "prior");
  if (!model.prior || !prior.recorded("hidden_states")) return;
  auto net = model::load_net<prior::DiffusionPrior>(*model.prior, torch::kFloat32);
  const Tensor x = prior.in("hidden_states");
  const Tensor drawn = net->forward(
      x, prior.in("timestep").expand({x.size(0)}),
      text(prior.in("attention_mask"), prior.in("proj_embedding"), prior.in("encoder_hidden_states")));
  found["prior"] = largest_difference(drawn, prior.out("predicted_image_embedding"));
}

void replay_decoder(const model::Model& model, const io::SafetensorsFile& file, Differences& found) {
  const Call projection(file, "text_proj"), decoder(file, "decoder");
  if (!model.decoder || !projection.recorded("image_embeddings")) return;
  auto net = model::load_net<decoder::Decoder>(*model.decoder, torch::kFloat32);
  const Tensor z_i = projection.in("image_embeddings"), z_t = projection.in("prompt_embeds");
  const int64_t pictures = z_i.size(0), rows = z_t.size(0);
  const Tensor mask =
      decoder.in("attention_mask").slice(1, -projection.in("text_encoder_hidden_states").size(1));
  nn::UNetConditioning conditioning = net->condition(
      {.z_i = z_i.repeat({rows / pictures, 1}),
       .drop_image = torch::arange(rows) < rows - pictures,  // guided: first the pictures without z_i
       .text = text(mask, z_t, projection.in("text_encoder_hidden_states"))});
  if (!conditioning.context || !conditioning.embedding)
    throw Error(ErrorKind::checkpoint, "the decoder is told nothing");
  found["text_proj"] = std::max(largest_difference(conditioning.context->tokens, projection.out("out")),
                                largest_difference(*conditioning.embedding, projection.out("out1")));
  conditioning.context->tokens = decoder.in("encoder_hidden_states");
  conditioning.embedding = decoder.in("class_labels");
  const Tensor output = net->forward(decoder.in("sample"), decoder.timesteps(), conditioning);
  found["decoder"] = largest_difference(output, decoder.out("sample"));
}

void replay_super_resolution(const model::Model& model, const io::SafetensorsFile& file, Differences& found) {
  for (const model::StoredUpsampler& stage : model.upsamplers) {
    if (!stage.last_step) throw Error(ErrorKind::checkpoint, "the last step has no network of its own");
    for (const auto& [name, part] :
         {std::pair("super_res_first", &stage.net), std::pair("super_res_last", &*stage.last_step)}) {
      const Call call(file, name);
      if (!call.recorded("sample")) continue;
      auto net = model::load_net<upsampler::Upsampler>(*part, torch::kFloat32);
      found[name] =
          largest_difference(net->unet->forward(call.in("sample"), call.timesteps()), call.out("sample"));
    }
  }
}

Differences replay_networks(const std::string& folder, const std::string& recording) {
  const torch::NoGradGuard no_grad;
  const pipeline::Unclip unclip(folder, torch::kFloat32);
  const io::SafetensorsFile file(recording);
  Differences found;
  replay_prior(unclip.model(), file, found);
  replay_decoder(unclip.model(), file, found);
  replay_super_resolution(unclip.model(), file, found);
  return found;
}

Differences replay(const std::vector<std::string>& arguments) {
  if (arguments.size() == 4 && arguments[0] == "scheduler")
    return replay_scheduler(arguments[1], arguments[2], arguments[3]);
  if (arguments.size() == 3 && arguments[0] == "networks") return replay_networks(arguments[1], arguments[2]);
  throw Error(ErrorKind::usage,
              "usage: replay_recording scheduler CONFIG RECORDING CASE | networks MODEL RECORDING");
}

}  // namespace
}  // namespace unclip

int main(int argc, char** argv) {
  try {
    for (const auto& [name, difference] : unclip::replay({argv + 1, argv + argc}))
      std::cout << name << ' ' << difference << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "replay_recording: " << error.what() << '\n';
    return 1;
  }
}
