// `unclip doctor`: what this machine and this build can do, and what to do about what they cannot.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/cpu/Utils.h>
#include <sys/utsname.h>
#include <torch/cuda.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/cli/application.h"
#include "apps/cli/bundled_model.h"
#include "apps/cli/command.h"
#include "apps/cli/json_text.h"
#include "unclip/base/runtime.h"

namespace unclip::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kGigabyte = 1e9;
constexpr double kEnoughMemory = 2 * kGigabyte, kEnoughDisk = 1 * kGigabyte;

struct Finding {
  std::string name, value;
  std::string advice;  // empty: all is well
};

std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", bytes / kGigabyte);
  return text;
}

Finding processor() {
  const auto known = at::cpu::get_cpu_capabilities();
  const auto name = known.find("cpu_name");
  const std::string level = at::get_cpu_capability();
  const bool is_x86 = known.contains("avx2");
  return {"processor", (name == known.end() ? "" : name->second.toStringRef() + ", ") + level,
          is_x86 && level == "DEFAULT" ? "it has no AVX2: everything works, but several times slower" : ""};
}

Finding libtorch() {
  const std::string device = at::globalContext().hasCUDA() ? ", CUDA" : ", CPU";
  return {"LibTorch", TORCH_VERSION + device + (at::globalContext().hasMKLDNN() ? ", oneDNN" : ""),
          at::globalContext().hasMKLDNN()
              ? ""
              : "it was built without oneDNN: convolutions are slow; use another LibTorch"};
}

Finding threads() {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const int used = at::get_num_threads();
  return {
      "threads", std::to_string(used) + " of " + std::to_string(cores) + " cores",
      used > static_cast<int>(cores) ? "more threads than cores slow each other down; lower --threads" : ""};
}

Finding bfloat16() {
  return {"bf16",
          has_fast_bf16() ? "in hardware; --dtype auto uses it" : "not in hardware; --dtype auto uses fp32",
          ""};
}

/// Free memory: the machine's, or what is left of the control group's share.
double available_memory() {
  std::ifstream info("/proc/meminfo");
  double machine = 0;
  for (std::string key, rest; info >> key; std::getline(info, rest)) {
    if (key == "MemAvailable:") info >> machine;
  }
  machine *= 1024;
  double limit = 0, used = 0;
  const bool limited = static_cast<bool>(std::ifstream("/sys/fs/cgroup/memory.max") >> limit) &&
                       static_cast<bool>(std::ifstream("/sys/fs/cgroup/memory.current") >> used);
  return limited ? std::min(machine, std::max(0.0, limit - used)) : machine;
}

Finding memory() {
  const double free = available_memory();
  return {"memory", gigabytes(free) + " free",
          free < kEnoughMemory ? "large models need more than 2 GB; close other programs" : ""};
}

Finding disk() {
  std::error_code error;
  const auto here = fs::space(".", error);
  if (error || access(".", W_OK) != 0) {
    return {"disk", "this folder is not writable", "run from another folder, or write elsewhere with -o"};
  }
  const auto free = static_cast<double>(here.available);
  return {"disk", gigabytes(free) + " free here",
          free < kEnoughDisk ? "pictures fit, training runs do not; free some space" : ""};
}

Finding gpu() {
  if (!torch::cuda::is_available())
    return {"GPU", "none that this LibTorch can use; everything runs on the CPU", ""};
  return {"GPU", std::to_string(torch::cuda::device_count()) + " with CUDA; this version computes on the CPU",
          ""};
}

Finding model() {
  const fs::path folder = bundled_model();
  const bool there = fs::exists(folder / "model.json");
  return {"model", there ? folder.string() : "none at " + folder.string(),
          there ? "" : "name one with --model, or fetch the models folder again"};
}

std::vector<Finding> examine() {
  utsname system{};
  uname(&system);
  return {{"program", "unclip " + version(), ""},
          {"system", std::string(system.sysname) + " " + system.release + " " + system.machine, ""},
          {"compiler", "g++ " __VERSION__, ""},
          libtorch(),
          processor(),
          threads(),
          bfloat16(),
          memory(),
          disk(),
          gpu(),
          model()};
}

void print_text(const std::vector<Finding>& findings) {
  for (const auto& [name, value, advice] : findings) {
    std::cout << (advice.empty() ? "ok    " : "warn  ") << name << std::string(11 - name.size(), ' ') << value
              << '\n';
    if (!advice.empty()) std::cout << std::string(17, ' ') << "-> " << advice << '\n';
  }
}

void print_json(const std::vector<Finding>& findings) {
  auto checks = nlohmann::ordered_json::array();
  for (const auto& [name, value, advice] : findings) {
    checks.push_back({{"name", name}, {"status", advice.empty() ? "ok" : "warn"}, {"value", value}});
    if (!advice.empty()) checks.back()["advice"] = advice;
  }
  std::cout << json_text({{"version", version()}, {"checks", checks}}) << '\n';
}

std::function<void()> declare(CLI::App& /*app*/, const Context& context) {
  return [&context] { (context.json ? print_json : print_text)(examine()); };
}

}  // namespace

const Command kDoctor{"doctor", "show what this machine and this build can do",
                      "  unclip doctor\n  unclip doctor --json", declare};

}  // namespace unclip::cli
