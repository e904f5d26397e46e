#include "unclip/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "unclip/base/error.h"
#include "unclip/io/file.h"

namespace unclip::io {
namespace {

constexpr std::array<std::pair<std::string_view, torch::ScalarType>, 10> kTypes{{{"F64", torch::kFloat64},
                                                                                 {"F32", torch::kFloat32},
                                                                                 {"F16", torch::kFloat16},
                                                                                 {"BF16", torch::kBFloat16},
                                                                                 {"I64", torch::kInt64},
                                                                                 {"I32", torch::kInt32},
                                                                                 {"I16", torch::kInt16},
                                                                                 {"I8", torch::kInt8},
                                                                                 {"U8", torch::kUInt8},
                                                                                 {"BOOL", torch::kBool}}};

torch::ScalarType scalar_type(const std::string& dtype) {
  return std::ranges::find(kTypes, dtype, &std::pair<std::string_view, torch::ScalarType>::first)->second;
}

}  // namespace

std::string safetensors_dtype(torch::ScalarType type) {
  const auto* found =
      std::ranges::find(kTypes, type, &std::pair<std::string_view, torch::ScalarType>::second);
  check(found != kTypes.end(), ErrorKind::shape, "safetensors has no type for ", c10::toString(type));
  return std::string(found->first);
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path.string()), file_(std::make_shared<MappedFile>(path)) {
  header_ = parse_safetensors_header(file_->bytes(), path_);
  for (size_t i = 0; i < header_.entries.size(); ++i) by_name_[header_.entries[i].name] = i;
}

torch::Tensor SafetensorsFile::view(const SafetensorsEntry& entry) const {
  const auto options = torch::dtype(scalar_type(entry.dtype));
  if (entry.begin == entry.end) return torch::empty(entry.shape, options);
  // The deleter holds the mapping. Files written elsewhere may place tensors at odd addresses; those are
  // copied.
  auto* data = const_cast<uint8_t*>(file_->bytes().data() + entry.begin);
  const bool aligned = reinterpret_cast<uintptr_t>(data) % safetensors_element_size(entry.dtype) == 0;
  if (aligned)
    return torch::from_blob(
        data, entry.shape, [keep = file_](void*) {}, options);
  torch::Tensor copy = torch::empty(entry.shape, options);
  std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
  return copy;
}

torch::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const auto found = by_name_.find(name);
  check(found != by_name_.end(), ErrorKind::checkpoint, path_, " has no tensor '", name, "'");
  return view(header_.entries[found->second]);
}

NamedTensors SafetensorsFile::tensors() const {
  NamedTensors result;
  for (const SafetensorsEntry& entry : header_.entries) result.emplace_back(entry.name, view(entry));
  return result;
}

void write_safetensors(const std::filesystem::path& path,
                       const NamedTensors& tensors,
                       const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    check(!header.contains(name), ErrorKind::checkpoint, "tensor '", name, "' is given twice for ",
          path.string());
    const uint64_t size = tensor.numel() * tensor.element_size();
    header[name] = {{"dtype", safetensors_dtype(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i));
  AtomicFile file(path);
  file.write(length);
  file.write(text);
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor plain = tensor.detach().cpu().contiguous();
    file.write(plain.data_ptr(), static_cast<size_t>(plain.numel() * plain.element_size()));
  }
  file.commit();
}

}  // namespace unclip::io
