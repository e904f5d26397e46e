// What the threads test looks for, planted: ThreadSanitizer must report it, or it would report nothing.
#include <thread>
#include <vector>

#include "unclip/nn/layers.h"

namespace {

/// A layer that keeps what it has computed, without a lock.
struct Careless {
  torch::Tensor packed;
  int64_t calls = 0;
  void run() {
    if (!packed.defined()) packed = torch::ones({4});
    ++calls;
  }
};

}  // namespace

int main() {
  Careless layer;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&layer] {
      for (int call = 0; call < 1000; ++call) layer.run();
    });
  }
}
