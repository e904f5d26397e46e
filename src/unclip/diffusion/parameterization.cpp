#include "unclip/diffusion/parameterization.h"

namespace unclip::diffusion {

Tensor target(Parameterization parameterization, const NoiseSchedule& schedule, const NoisedBatch& batch) {
  switch (parameterization) {
    case Parameterization::epsilon:
      return batch.eps;
    case Parameterization::v:
      return v_from_x_0_and_epsilon(batch.x_0, batch.eps, noise_level(schedule, batch.t, batch.x_0));
    case Parameterization::x_0:
      break;
  }
  return batch.x_0;
}

}  // namespace unclip::diffusion
