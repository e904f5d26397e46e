// Where the random tensors of a drawing come from: from the pictures' seeds, or from a recording, with which
// another implementation's run is repeated step by step.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "unclip/base/noise.h"

namespace unclip::pipeline {

class RecordedNoise;

/// The noise of N pictures; copies share what a recording has given so far.
class SamplingNoise {
 public:
  SamplingNoise(std::vector<uint64_t> seeds = {});  // one per picture, on which its noise depends alone
  /// The tensors noise.* of a safetensors file, [N, …]: noise.initK is the x_T of the K-th stage that draws,
  /// noise.STAGE.stepN what is added in step N of prior, decoder, super_res (further upsamplers: super_res2,
  /// …). Other tensors are ignored. Error(data) if there are none.
  static SamplingNoise recorded(const std::filesystem::path& file, int64_t pictures);

  /// Of `copies` pictures for each one, side by side, the first with the picture's own noise; only of seeds.
  SamplingNoise repeated(int64_t copies) const;
  bool is_recorded() const { return recording_ != nullptr; }
  /// Noise of `stage` ("prior", "decoder", "upsampler_256") for the pictures first … last − 1, with `copies`
  /// rows for each, side by side. Of a recording: Error(data) names a tensor that is missing or has another
  /// shape.
  NoiseSource of(const std::string& stage, int64_t first, int64_t last, int64_t copies = 1) const;
  /// The same of U[0, 1), for the autoregressive prior. Error(usage) of a recording, which has none.
  NoiseSource uniforms(const std::string& stage, int64_t first, int64_t last, int64_t copies) const;
  /// Error(data) that names recorded noise which was not asked for: the recorded run was another one.
  void check_all_used() const;

 private:
  std::vector<uint64_t> seeds_of(int64_t first, int64_t last, int64_t copies) const;
  std::vector<uint64_t> seeds_;
  std::shared_ptr<RecordedNoise> recording_;
};

}  // namespace unclip::pipeline
