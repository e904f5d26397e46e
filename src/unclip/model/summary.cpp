#include "unclip/model/summary.h"

#include <algorithm>

#include "unclip/io/weights.h"
#include "unclip/model/folder_licence.h"
#include "unclip/model/formats/clip_files.h"
#include "unclip/model/formats/layouts.h"
#include "unclip/model/weights.h"

namespace unclip::model {
namespace {

void count(const torch::Tensor& tensor, PartSummary& part) {
  if (tensor.is_floating_point()) part.parameters += tensor.numel();
  part.bytes += tensor.numel() * tensor.element_size();
  part.dtypes[c10::toString(tensor.scalar_type())] += tensor.numel();
}

PartSummary summarize_part(const Component& component) {
  PartSummary part{.name = component.name};
  try {
    const std::filesystem::path file = file_of(component.weights);
    for (const auto& [name, tensor] : io::read_weights(file)) count(tensor, part);
  } catch (const Error& error) {
    part.problem = error.what();
  }
  return part;
}

void tell_problem(const Error& error, FolderSummary& summary) {
  summary.kind = "a model that is damaged or not complete";
  summary.problem = error.what();
}

FolderSummary summarize_model(const Layout& layout,
                              const std::filesystem::path& folder,
                              const std::filesystem::path& vocabulary) {
  FolderSummary summary;
  for (const Component& component : layout.components(folder))
    summary.parts.push_back(summarize_part(component));
  try {
    const Model model = layout.open(folder, vocabulary);
    summary.kind = model.kind;
    summary.manifest = model.manifest;
    summary.unknown_keys = model.unknown_keys;
  } catch (const Error& error) {
    tell_problem(error, summary);
  }
  return summary;
}

/// A CLIP alone: its towers are the parts.
FolderSummary summarize_clip(const Layout& layout,
                             const std::filesystem::path& path,
                             const std::filesystem::path& vocabulary) {
  FolderSummary summary;
  summary.manifest.name = path.filename().string();
  summary.manifest.licence = licence_of(folder_of_model(path));
  try {
    const Model model = layout.open(path, vocabulary);
    summary.kind = model.kind;
    summary.unknown_keys = model.unknown_keys;
    const auto add = [&](const char* name, const auto& tower, clip::Towers towers) {
      if (!tower) return;
      PartSummary part{.name = name};
      for (const auto& [key, tensor] : read_tensors<clip::Clip>(*tower, towers)) count(tensor, part);
      summary.parts.push_back(std::move(part));
    };
    add("image_tower", model.image_encoder, clip::Towers::image);
    add("text_tower", model.text_encoder, clip::Towers::text);
  } catch (const Error& error) {
    if (!std::filesystem::is_directory(path)) throw;  // any file may be taken for one of OpenAI's
    tell_problem(error, summary);
  }
  return summary;
}

}  // namespace

FolderSummary summarize(const std::filesystem::path& path, const std::filesystem::path& vocabulary) {
  check(std::filesystem::exists(path), ErrorKind::io, "there is no folder '", path.string(), "'");
  const Layout& layout = layout_of(path);
  return layout.components == nullptr ? summarize_clip(layout, path, vocabulary)
                                      : summarize_model(layout, path, vocabulary);
}

MemoryNeed memory_need(const FolderSummary& summary, int64_t element_size) {
  MemoryNeed need;
  for (const PartSummary& part : summary.parts) {
    need.all += part.parameters * element_size;
    need.largest_part = std::max(need.largest_part, part.parameters * element_size);
  }
  return need;
}

}  // namespace unclip::model
