#include "unclip/train/step_random.h"

namespace unclip::train {

NoiseKey sub_key(const NoiseKey& key, std::string_view name) {
  return {key.seed, key.stream ^ stream_id(name), key.step};
}

torch::Tensor drop_mask(int64_t count, double rate, const NoiseKey& key) {
  return uniform_noise(key, {count}) < rate;
}

}  // namespace unclip::train
