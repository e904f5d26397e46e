// UniPC (Zhao et al. 2023): a predictor of order p, and a corrector that raises it by one without asking the
// network again: it reuses the evaluation that the next step needs anyway.
#pragma once
#include "unclip/diffusion/samplers/trajectory.h"

namespace unclip::diffusion {

/// B(h) of Eq. 5 and 9, in data prediction: −h or e^{−h} − 1.
enum class UniPcVariant { bh1, bh2 };

struct UniPcOptions {
  int64_t order = 2;  // 1 to 3
  UniPcVariant variant = UniPcVariant::bh2;
};

/// Algorithm 7 and 8 (multistep, data prediction). One evaluation of the network per step. The order rises
/// from 1 over the first steps and falls to 1 over the last ones; the last step is not corrected.
Tensor sample_unipc(const Denoiser& denoise,
                    const Tensor& x_T,
                    const Trajectory& trajectory,
                    const UniPcOptions& options,
                    const SamplingHooks& hooks);

}  // namespace unclip::diffusion

template <>
struct unclip::EnumNames<unclip::diffusion::UniPcVariant> {
  static constexpr std::array<std::pair<diffusion::UniPcVariant, std::string_view>, 2> value{
      {{diffusion::UniPcVariant::bh1, "bh1"}, {diffusion::UniPcVariant::bh2, "bh2"}}};
};
