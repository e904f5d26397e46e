// Seconds of the Fréchet distance and of precision and recall on given features.
// Usage: bench_eval FEATURES.safetensors THREADS  -> one JSON line. FEATURES has the tensors drawn and real.
#include <chrono>
#include <iostream>

#include "unclip/base/runtime.h"
#include "unclip/io/safetensors.h"
#include "unclip/metrics/fid.h"
#include "unclip/metrics/manifold.h"

namespace {

template <class Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int run(const std::vector<std::string>& arguments) {
  using namespace unclip;
  set_up_compute(std::stol(arguments[1]));
  const io::SafetensorsFile file(arguments[0]);
  const torch::Tensor drawn = file.tensor("drawn").clone(), real = file.tensor("real").clone();
  double fid = 0;
  metrics::Manifolds manifolds;
  const double fid_seconds = seconds_of(
      [&] { fid = metrics::frechet_distance(metrics::fit_gaussian(drawn), metrics::fit_gaussian(real)); });
  const double manifold_seconds = seconds_of([&] { manifolds = metrics::compare_manifolds(drawn, real); });
  std::cout.precision(9);
  std::cout << "{\"fid\": " << fid << ", \"fid_seconds\": " << fid_seconds
            << ", \"precision\": " << manifolds.precision() << ", \"recall\": " << manifolds.recall()
            << ", \"manifold_seconds\": " << manifold_seconds << "}\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return run({argv + 1, argv + argc}); }
