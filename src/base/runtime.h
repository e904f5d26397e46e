// Process-wide compute settings.
#pragma once
#include <torch/types.h>

#include <cstdint>

namespace unclip {

/// Uses `threads` compute threads (0: one per available core) and flushes denormal floats to zero in each of
/// them: zero-initialised layers otherwise make denormal gradients that train several times slower.
void set_up_compute(int64_t threads = 0);

/// Whether bfloat16 products run in hardware here (AVX512-BF16 or AMX): what `--dtype auto` asks.
bool has_fast_bf16();

/// Peak resident memory of this process so far, in bytes.
int64_t peak_memory();

}  // namespace unclip
