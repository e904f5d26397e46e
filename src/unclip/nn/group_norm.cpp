#include "unclip/nn/group_norm.h"

#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include <algorithm>
#include <cmath>

#include "unclip/nn/group_norm_kernels.h"

namespace unclip::nn {
namespace {

constexpr int64_t kRowsPerTask =
    256;  // long enough to amortise a task, short enough for float32 partial sums

struct Geometry {
  int64_t batch, channels, rows, groups, tasks;  // rows = H·W; tasks per sample
  explicit Geometry(const Tensor& x, int64_t group_count)
      : batch(x.size(0)),
        channels(x.size(1)),
        rows(x.size(2) * x.size(3)),
        groups(group_count),
        tasks((rows + kRowsPerTask - 1) / kRowsPerTask) {}

  /// run(sample, task, first row, row count), in parallel over all samples and their tasks.
  template <class Run>
  void for_each_task(const Run& run) const {
    at::parallel_for(0, batch * tasks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = (i % tasks) * kRowsPerTask;
        run(i / tasks, i, first, std::min(kRowsPerTask, rows - first));
      }
    });
  }
};

/// Per-sample, per-channel tables of the affine map z = a·x + b and of x̂ = rstd·x + offset, float32 [N, C]
/// each.
struct Tables {
  Tensor a, b, rstd, offset;
};

/// Means over each group of `sums` [N, tasks, C] summed over tasks, as [N, G] in double.
Tensor group_totals(const Tensor& sums, const Geometry& g) {
  return sums.sum(1, false, torch::kFloat64).view({g.batch, g.groups, g.channels / g.groups}).sum(2);
}

Tensor per_channel(const Tensor& per_group, const Geometry& g) {
  return per_group.unsqueeze(2)
      .expand({g.batch, g.groups, g.channels / g.groups})
      .reshape({g.batch, g.channels});
}

template <class T>
Tables make_tables(const Tensor& x,
                   const Tensor& gamma,
                   const Tensor& beta,
                   const Tensor& scale_shift,
                   const Geometry& g,
                   double eps) {
  const Tensor origin = x.select(3, 0).select(2, 0).to(torch::kFloat32).contiguous();  // [N, C]
  Tensor sum = torch::zeros({g.batch, g.tasks, g.channels}), square = torch::zeros_like(sum);
  const auto* data = x.const_data_ptr<T>();
  g.for_each_task([&](int64_t n, int64_t task, int64_t first, int64_t count) {
    kernels::accumulate_moments<T>(data + (n * g.rows + first) * g.channels, count, g.channels,
                                   origin.const_data_ptr<float>() + n * g.channels,
                                   sum.data_ptr<float>() + task * g.channels,
                                   square.data_ptr<float>() + task * g.channels);
  });
  // Moments about the per-channel origin o: Σx = Σd + Ro, Σx² = Σd² + 2oΣd + Ro², combined in double per
  // group.
  const auto rows = static_cast<double>(g.rows);
  const Tensor o = origin.to(torch::kFloat64), d = sum.sum(1, false, torch::kFloat64);
  const auto grouped = [&](const Tensor& t) {
    return t.view({g.batch, g.groups, g.channels / g.groups}).sum(2);
  };
  const double count = rows * static_cast<double>(g.channels / g.groups);
  const Tensor mean = per_channel(grouped(d + rows * o) / count, g);
  const Tensor centred = o - mean;  // Σ(x − mean)² = Σd² + 2(o − mean)Σd + R(o − mean)²
  const Tensor variance = per_channel(
      grouped(square.sum(1, false, torch::kFloat64) + 2 * centred * d + rows * centred * centred) / count, g);
  const Tensor rstd = (variance + eps).rsqrt();
  Tensor a = rstd * gamma, b = beta - mean * a;
  if (scale_shift.defined()) {
    const auto parts = scale_shift.to(torch::kFloat64).chunk(2, 1);
    a = a * (1 + parts[0]);
    b = b * (1 + parts[0]) + parts[1];
  }
  const auto table = [](const Tensor& t) { return t.to(torch::kFloat32).contiguous(); };
  return {table(a), table(b), table(rstd), table(-mean * rstd)};
}

template <class T>
Tensor forward_kernel(const Tensor& x, const Tables& t, const Geometry& g, bool silu) {
  Tensor y = torch::empty_like(x);
  const auto* in = x.const_data_ptr<T>();
  auto* out = y.data_ptr<T>();
  g.for_each_task([&](int64_t n, int64_t, int64_t first, int64_t count) {
    const int64_t at = (n * g.rows + first) * g.channels;
    kernels::apply_affine<T>(in + at, out + at, count, g.channels,
                             t.a.const_data_ptr<float>() + n * g.channels,
                             t.b.const_data_ptr<float>() + n * g.channels, silu);
  });
  return y;
}

struct Gradients {
  Tensor x, gamma, beta, scale_shift;
};

template <class T>
Gradients backward_kernel(const Tensor& x,
                          const Tensor& dy,
                          const Tables& t,
                          const Tensor& gamma,
                          const Tensor& beta,
                          const Tensor& scale_shift,
                          const Geometry& g,
                          bool silu) {
  const auto tables = [&](int64_t n) {
    const int64_t at = n * g.channels;
    return kernels::GradTables{t.a.const_data_ptr<float>() + at, t.b.const_data_ptr<float>() + at,
                               t.rstd.const_data_ptr<float>() + at, t.offset.const_data_ptr<float>() + at,
                               silu};
  };
  const auto *in = x.const_data_ptr<T>(), *grad = dy.const_data_ptr<T>();
  Tensor partial_1 = torch::zeros({g.batch, g.tasks, g.channels}), partial_2 = torch::zeros_like(partial_1);
  g.for_each_task([&](int64_t n, int64_t task, int64_t first, int64_t count) {
    const int64_t at = (n * g.rows + first) * g.channels;
    kernels::accumulate_grad_sums<T>(in + at, grad + at, count, g.channels, tables(n),
                                     partial_1.data_ptr<float>() + task * g.channels,
                                     partial_2.data_ptr<float>() + task * g.channels);
  });
  const Tensor s1 = partial_1.sum(1), s2 = partial_2.sum(1);  // Σ dz and Σ dz·x̂: [N, C]
  const Tensor one_plus_scale =
      scale_shift.defined() ? 1 + scale_shift.chunk(2, 1)[0].to(torch::kFloat32) : Tensor();
  const auto scaled = [&](const Tensor& s) { return scale_shift.defined() ? s * one_plus_scale : s; };

  // dx = rstd·(γ(1+scale)·dz − m1 − x̂·m2), the means m1, m2 taken over each group.
  const double count = static_cast<double>(g.rows) * static_cast<double>(g.channels / g.groups);
  const Tensor m1 = per_channel(group_totals((scaled(s1) * gamma).unsqueeze(1), g) / count, g);
  const Tensor m2 = per_channel(group_totals((scaled(s2) * gamma).unsqueeze(1), g) / count, g);
  const Tensor slope = (-t.rstd * t.rstd * m2).to(torch::kFloat32).contiguous();
  const Tensor constant = (-t.rstd * (m1 + t.offset * m2)).to(torch::kFloat32).contiguous();
  Tensor dx = torch::empty_like(x);
  auto* out = dx.data_ptr<T>();
  g.for_each_task([&](int64_t n, int64_t, int64_t first, int64_t rows) {
    const int64_t at = (n * g.rows + first) * g.channels;
    kernels::apply_grad<T>(in + at, grad + at, out + at, rows, g.channels, tables(n),
                           slope.const_data_ptr<float>() + n * g.channels,
                           constant.const_data_ptr<float>() + n * g.channels);
  });
  Gradients result{dx, scaled(s2).sum(0), scaled(s1).sum(0), {}};
  if (scale_shift.defined()) {
    result.scale_shift = torch::cat({s2 * gamma + s1 * beta, s1}, 1).to(scale_shift.scalar_type());
  }
  return result;
}

class FusedGroupNorm : public torch::autograd::Function<FusedGroupNorm> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context,
                        const Tensor& input,
                        const Tensor& gamma,
                        const Tensor& beta,
                        const std::optional<Tensor>& modulation,
                        int64_t groups,
                        double eps,
                        bool silu) {
    const Tensor scale_shift = modulation.value_or(Tensor());
    const Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const Geometry g(x, groups);
    const bool bf16 = x.scalar_type() == torch::kBFloat16;
    const Tables t = bf16 ? make_tables<c10::BFloat16>(x, gamma, beta, scale_shift, g, eps)
                          : make_tables<float>(x, gamma, beta, scale_shift, g, eps);
    context->save_for_backward({x, gamma, beta, scale_shift, t.a, t.b, t.rstd, t.offset});
    context->saved_data["groups"] = groups;
    context->saved_data["silu"] = silu;
    return bf16 ? forward_kernel<c10::BFloat16>(x, t, g, silu) : forward_kernel<float>(x, t, g, silu);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const Tensor& x = saved[0];
    const Tables t{saved[4], saved[5], saved[6], saved[7]};
    const Geometry g(x, context->saved_data["groups"].toInt());
    const bool silu = context->saved_data["silu"].toBool();
    const Tensor dy = grads[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const Gradients d = x.scalar_type() == torch::kBFloat16
                            ? backward_kernel<c10::BFloat16>(x, dy, t, saved[1], saved[2], saved[3], g, silu)
                            : backward_kernel<float>(x, dy, t, saved[1], saved[2], saved[3], g, silu);
    return {d.x, d.gamma, d.beta, d.scale_shift, {}, {}, {}};
  }
};

}  // namespace

GroupNormImpl::GroupNormImpl(int64_t channels, GroupNormOptions options) : options_(options) {
  check(channels % options.groups == 0, ErrorKind::config, "GroupNorm: ", channels,
        " channels are not divisible by ", options.groups, " groups");
  weight = make_parameter("weight", {channels});
  bias = make_parameter("bias", {channels});
}

void GroupNormImpl::initialize(const NoiseKey& /*key*/) {
  weight.fill_(1.0);
  bias.zero_();
}

Tensor GroupNormImpl::forward(const Tensor& x, bool silu, const std::optional<Tensor>& scale_shift) {
  const bool fused =
      x.is_cpu() && (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16);
  if (!fused) return group_norm_reference(x, *this, options_, silu, scale_shift);
  return FusedGroupNorm::apply(x, weight.to(torch::kFloat32), bias.to(torch::kFloat32), scale_shift,
                               options_.groups, options_.eps, silu);
}

Tensor group_norm_reference(const Tensor& x,
                            const GroupNormImpl& norm,
                            const GroupNormOptions& options,
                            bool silu,
                            const std::optional<Tensor>& scale_shift) {
  const auto dtype = x.scalar_type();
  Tensor y = at::group_norm(x, options.groups, norm.weight.to(dtype), norm.bias.to(dtype), options.eps);
  if (scale_shift) {
    const auto parts = scale_shift->unsqueeze(-1).unsqueeze(-1).chunk(2, 1);
    y = y * (1 + parts[0]) + parts[1];
  }
  return silu ? at::silu(y) : y;
}

}  // namespace unclip::nn
