#include "unclip/pipeline/summary.h"

#include <algorithm>

#include "unclip/io/weights.h"
#include "unclip/pipeline/layouts/layouts.h"

namespace unclip::pipeline {
namespace {

PartSummary summarize_part(const Component& component) {
  PartSummary part{.name = component.name};
  try {
    const std::filesystem::path file = file_of(component.weights);
    for (const auto& [name, tensor] : io::read_weights(file)) {
      if (tensor.is_floating_point()) part.parameters += tensor.numel();
      part.bytes += tensor.numel() * tensor.element_size();
      part.dtypes[c10::toString(tensor.scalar_type())] += tensor.numel();
    }
  } catch (const Error& error) {
    part.problem = error.what();
  }
  return part;
}

}  // namespace

FolderSummary summarize(const std::filesystem::path& folder, const std::filesystem::path& vocabulary) {
  check(std::filesystem::is_directory(folder), ErrorKind::io, "there is no folder '", folder.string(), "'");
  const Layout& layout = layout_of(folder);
  FolderSummary summary;
  for (const Component& component : layout.components(folder))
    summary.parts.push_back(summarize_part(component));
  try {
    const Model model = layout.open(folder, vocabulary);
    summary.kind = model.kind;
    summary.manifest = model.manifest;
    summary.unknown_keys = model.unknown_keys;
  } catch (const Error& error) {
    summary.kind = "a model that is damaged or not complete";
    summary.problem = error.what();
  }
  return summary;
}

MemoryNeed memory_need(const FolderSummary& summary, int64_t element_size) {
  MemoryNeed need;
  for (const PartSummary& part : summary.parts) {
    need.all += part.parameters * element_size;
    need.largest_part = std::max(need.largest_part, part.parameters * element_size);
  }
  return need;
}

}  // namespace unclip::pipeline
