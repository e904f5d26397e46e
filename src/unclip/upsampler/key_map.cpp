#include "unclip/upsampler/key_map.h"

#include "unclip/nn/adm_key_map.h"
#include "unclip/nn/unet_key_map.h"

namespace unclip::upsampler {

io::KeyMap diffusers_key_map() { return {.rules = nn::diffusers_unet_rules("")}; }

io::KeyMap kakao_key_map(const UpsamplerConfig& config, KakaoNet net) {
  const std::string first = "model_first_steps.", last = "model_last_step.";
  const bool is_last = net == KakaoNet::last_step;
  return {.rules = nn::adm_unet_rules(config.unet, is_last ? last : first),
          .ignored = {(is_last ? first : last) + "{name...}"}};
}

}  // namespace unclip::upsampler
