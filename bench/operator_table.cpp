#include "bench/operator_table.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "unclip/nn/layers.h"

namespace unclip::bench {
namespace {

using torch::Tensor;
using Clock = std::chrono::steady_clock;

struct Cost {
  int64_t calls = 0;
  double seconds = 0, flops = 0, bytes = 0;
};

struct Frame {
  Clock::time_point start;
  double inner = 0;  // seconds of operators called from this one
  std::string kind;
  double flops = 0, bytes = 0;
};

thread_local std::vector<Frame> stack;
thread_local std::map<std::string, Cost> costs;

template <class Values>
std::vector<Tensor> tensors_of(const Values& values) {
  std::vector<Tensor> result;
  for (const c10::IValue& value : values) {
    if (value.isTensor() && value.toTensor().defined()) result.push_back(value.toTensor());
    if (!value.isTensorList()) continue;
    for (const Tensor& tensor : value.toTensorVector()) result.push_back(tensor);
  }
  return result;
}

double count(const Tensor& tensor) { return static_cast<double>(tensor.numel()); }

std::string dtype_of(const Tensor& tensor) {
  return tensor.scalar_type() == torch::kBFloat16 ? " bf16"
         : tensor.scalar_type() == torch::kFloat  ? " fp32"
                                                  : "";
}

/// The kind that a call counts as, its name if it is none of these; and 2 operations per multiplication.
void classify(Frame& frame, const std::string& name, const std::vector<Tensor>& tensors) {
  frame.kind = name;
  if (tensors.empty()) return;
  const Tensor& x = tensors[0];
  if (name.ends_with("_convolution_pointwise")) {
    // Opaque weights keep their sizes [out, in, k, k]; every network here keeps the size of its maps.
    frame.kind =
        "convolution " + std::to_string(tensors[1].size(2)) + "x" + std::to_string(tensors[1].size(3));
    frame.flops = 2 * count(tensors[1]) * static_cast<double>(x.size(0) * x.size(2) * x.size(3));
  } else if (name.ends_with("linear_pointwise") || name.ends_with("small_batch_gemm")) {
    const auto rows = count(x) / static_cast<double>(x.size(-1));
    frame.kind = rows < 64 ? "linear, few rows" : "linear, many rows";
    frame.flops = 2 * rows * count(tensors[1]);
  } else if (name == "aten::scaled_dot_product_attention" || name.ends_with("_flash_attention_for_cpu")) {
    frame.kind = "attention";
    if (name != "aten::scaled_dot_product_attention")  // the kernel, called by the former
      frame.flops = 4 * count(x) * static_cast<double>(tensors[1].size(2));
  }
  frame.kind += dtype_of(x);
}

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& call) {
  Frame frame;
  const std::vector<Tensor> tensors = tensors_of(call.inputs());
  classify(frame, call.name(), tensors);
  for (const Tensor& tensor : tensors)
    frame.bytes += count(tensor) * static_cast<double>(tensor.element_size());
  frame.start = Clock::now();
  stack.push_back(std::move(frame));
  return nullptr;
}

void leave(const at::RecordFunction& call, at::ObserverContext* /*context*/) {
  const Frame frame = std::move(stack.back());
  stack.pop_back();
  const double seconds = std::chrono::duration<double>(Clock::now() - frame.start).count();
  Cost& cost = costs[frame.kind];
  ++cost.calls;
  cost.seconds += seconds - frame.inner;
  cost.flops += frame.flops;
  cost.bytes += frame.bytes;
  const std::vector<c10::IValue> outputs = call.outputs();
  for (const Tensor& tensor : tensors_of(outputs))
    cost.bytes += count(tensor) * static_cast<double>(tensor.element_size());
  if (!stack.empty()) stack.back().inner += seconds;
}

void print_row(std::ostream& out, const std::string& kind, const Cost& cost, double all) {
  out << std::left << std::setw(44) << kind << std::right << std::setw(7) << cost.calls << std::fixed
      << std::setprecision(4) << std::setw(11) << cost.seconds << std::setprecision(1) << std::setw(8)
      << 100 * cost.seconds / all << " %";
  out << std::setw(9) << std::setprecision(0) << cost.flops / cost.seconds * 1e-9 << std::setprecision(1)
      << std::setw(9) << cost.bytes / cost.seconds * 1e-9 << "\n";
}

}  // namespace

void print_operator_table(const std::function<void()>& work, std::ostream& out) {
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(enter, leave)
                                                     .needsInputs(true)
                                                     .needsOutputs(true)
                                                     .scopes({at::RecordScope::FUNCTION}));
  costs.clear();
  const auto start = Clock::now();
  work();
  const double all = std::chrono::duration<double>(Clock::now() - start).count();
  at::removeCallback(handle);
  std::vector<std::pair<std::string, Cost>> rows(costs.begin(), costs.end());
  std::ranges::sort(rows, [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  out << std::left << std::setw(44) << "operator" << std::right << std::setw(7) << "calls" << std::setw(11)
      << "seconds" << std::setw(10) << "share" << std::setw(9) << "GFLOP/s" << std::setw(9) << "GB/s"
      << "\n";
  Cost outside{.calls = 1, .seconds = all};
  for (const auto& [kind, cost] : rows) {
    outside.seconds -= cost.seconds;
    if (cost.seconds > 0.002 * all) print_row(out, kind, cost, all);
  }
  print_row(out, "outside of operators", outside, all);
  out << "all: " << std::setprecision(3) << all << " s" << std::endl;
}

}  // namespace unclip::bench
