#include "unclip/diffusion/timesteps.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "unclip/base/error.h"

namespace unclip::diffusion {
namespace {

void check_count(int64_t count, int64_t available) {
  check(count >= 1 && count <= available, ErrorKind::config, "cannot choose ", count, " of ", available,
        " timesteps, expected 1 to ", available);
}

// Appends `count` timesteps spread over [begin, begin + size). The stride is summed up, not multiplied: at
// exact halves the two round differently, and OpenAI's lists come from the sum.
void spread(std::vector<int64_t>& timesteps, int64_t begin, int64_t size, int64_t count) {
  check(count >= 0 && count <= size, ErrorKind::config, "cannot choose ", count,
        " timesteps in a section of ", size, ", expected 0 to ", size);
  const double stride = count > 1 ? static_cast<double>(size - 1) / static_cast<double>(count - 1) : 1.0;
  double position = 0.0;
  for (int64_t i = 0; i < count; ++i, position += stride) {
    timesteps.push_back(begin + static_cast<int64_t>(std::nearbyint(position)));
  }
}

std::optional<int64_t> parse_count(std::string_view text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return count;
}

std::optional<std::vector<int64_t>> parse_counts(std::string_view text) {
  std::vector<int64_t> counts;
  for (;;) {
    const size_t comma = text.find(',');
    const auto count = parse_count(text.substr(0, comma));
    if (!count) return std::nullopt;
    counts.push_back(*count);
    if (comma == std::string_view::npos) return counts;
    text.remove_prefix(comma + 1);
  }
}

std::vector<int64_t> fast27_timesteps(int64_t chain_steps) {
  std::vector<int64_t> timesteps = section_timesteps(chain_steps, std::vector<int64_t>{10, 10, 3, 2, 2});
  timesteps.back() = chain_steps - 3;  // the most extreme noise makes DDIM unstable
  return timesteps;
}

}  // namespace

std::vector<int64_t> section_timesteps(int64_t chain_steps, std::span<const int64_t> counts) {
  const auto sections = static_cast<int64_t>(counts.size());
  check(sections >= 1 && sections <= chain_steps, ErrorKind::config, "cannot cut ", chain_steps,
        " timesteps into ", sections, " sections");
  if (sections == 1 && counts[0] == 1) return {chain_steps - 1};
  std::vector<int64_t> timesteps;
  int64_t begin = 0;
  for (int64_t section = 0; section < sections; ++section) {
    const int64_t size = chain_steps / sections + (section < chain_steps % sections ? 1 : 0);
    spread(timesteps, begin, size, counts[static_cast<size_t>(section)]);
    begin += size;
  }
  check(!timesteps.empty(), ErrorKind::config, "a sampler was given 0 timesteps, expected at least 1");
  return timesteps;
}

std::vector<int64_t> ddim_timesteps(int64_t chain_steps, int64_t count) {
  check_count(count, chain_steps);
  for (int64_t stride = 1; stride <= chain_steps; ++stride) {
    if ((chain_steps + stride - 1) / stride != count) continue;
    std::vector<int64_t> timesteps(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) timesteps[static_cast<size_t>(i)] = i * stride;
    return timesteps;
  }
  fail(ErrorKind::config, "no whole stride visits exactly ", count, " of ", chain_steps,
       " timesteps; write \"", count, "\" instead of \"ddim", count, "\"");
}

std::vector<int64_t> linspace_timesteps(int64_t chain_steps, int64_t count) {
  check_count(count, chain_steps);
  if (count == 1) return {chain_steps - 1};
  const double stride = static_cast<double>(chain_steps - 1) / static_cast<double>(count - 1);
  std::vector<int64_t> timesteps;
  for (int64_t i = 0; i < count; ++i) {
    timesteps.push_back(static_cast<int64_t>(std::nearbyint(static_cast<double>(i) * stride)));
  }
  return timesteps;
}

std::vector<int64_t> trailing_timesteps(int64_t chain_steps, int64_t count) {
  check_count(count, chain_steps);
  const double stride = static_cast<double>(chain_steps) / static_cast<double>(count);
  std::vector<int64_t> timesteps;
  for (int64_t i = count - 1; i >= 0; --i) {
    const double t = static_cast<double>(chain_steps) - static_cast<double>(i) * stride;
    timesteps.push_back(static_cast<int64_t>(std::nearbyint(t)) - 1);
  }
  return timesteps;
}

std::vector<int64_t> log_snr_timesteps(const NoiseSchedule& schedule, int64_t chain_steps, int64_t count) {
  check_count(count, chain_steps);
  if (count == 1) return {chain_steps - 1};
  const double first = schedule.lambda(0), last = schedule.lambda(chain_steps - 1);
  std::vector<int64_t> timesteps;
  int64_t t = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double lambda = first + (last - first) * static_cast<double>(i) / static_cast<double>(count - 1);
    while (t + 1 < chain_steps &&
           std::abs(schedule.lambda(t + 1) - lambda) < std::abs(schedule.lambda(t) - lambda)) {
      ++t;
    }
    // The chain is coarse in λ at its ends: every timestep is taken once, and enough are left for the others.
    const int64_t next = timesteps.empty() ? 0 : timesteps.back() + 1;
    timesteps.push_back(std::clamp(t, next, chain_steps - count + i));
  }
  return timesteps;
}

std::vector<int64_t> parse_timesteps(const std::string& spacing,
                                     const NoiseSchedule& schedule,
                                     int64_t chain_steps) {
  if (spacing == "fast27") return fast27_timesteps(chain_steps);
  const auto count_after = [&spacing](std::string_view name) {
    return spacing.starts_with(name) ? parse_count(std::string_view(spacing).substr(name.size()))
                                     : std::nullopt;
  };
  if (const auto count = count_after("ddim")) return ddim_timesteps(chain_steps, *count);
  if (const auto count = count_after("linspace")) return linspace_timesteps(chain_steps, *count);
  if (const auto count = count_after("trailing")) return trailing_timesteps(chain_steps, *count);
  if (const auto count = count_after("logsnr")) return log_snr_timesteps(schedule, chain_steps, *count);
  const auto counts = parse_counts(spacing);
  check(counts.has_value(), ErrorKind::config, "timesteps are '", spacing,
        "', expected for instance \"64\", \"10,10,3,2,2\", \"fast27\", \"ddim25\", \"linspace25\", "
        "\"trailing25\" or "
        "\"logsnr25\"");
  return section_timesteps(chain_steps, *counts);
}

std::vector<Step> sampling_steps(std::span<const int64_t> timesteps) {
  std::vector<Step> steps;
  for (size_t i = timesteps.size(); i-- > 0;) {
    steps.push_back({.t = timesteps[i], .t_prev = i > 0 ? timesteps[i - 1] : -1});
  }
  return steps;
}

}  // namespace unclip::diffusion
