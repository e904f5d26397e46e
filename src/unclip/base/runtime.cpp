#include "unclip/base/runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <omp.h>
#include <sys/resource.h>

namespace unclip {

void set_up_compute(int64_t threads) {
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  at::globalContext().setFlushDenormal(true);
#pragma omp parallel
  at::globalContext().setFlushDenormal(true);  // the processor's flag belongs to the thread
}

bool has_fast_bf16() {
#if defined(__x86_64__)
  const bool full_rate =
      __builtin_cpu_is("amd") != 0;  // Intel's vector units multiply bf16 no faster than fp32
  return __builtin_cpu_supports("amx-bf16") != 0 || (full_rate && __builtin_cpu_supports("avx512bf16") != 0);
#else
  return false;
#endif
}

int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace unclip
