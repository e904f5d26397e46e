#include "unclip/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "unclip/base/error.h"
#include "unclip/io/file.h"
#include "unclip/io/mapped_file.h"

namespace unclip::io {
namespace {

constexpr std::array<std::pair<Dtype, torch::ScalarType>, 10> kScalarTypes{{{Dtype::boolean, torch::kBool},
                                                                            {Dtype::u8, torch::kUInt8},
                                                                            {Dtype::i8, torch::kInt8},
                                                                            {Dtype::i16, torch::kInt16},
                                                                            {Dtype::f16, torch::kFloat16},
                                                                            {Dtype::bf16, torch::kBFloat16},
                                                                            {Dtype::i32, torch::kInt32},
                                                                            {Dtype::f32, torch::kFloat32},
                                                                            {Dtype::f64, torch::kFloat64},
                                                                            {Dtype::i64, torch::kInt64}}};

torch::ScalarType scalar_type(Dtype dtype) { return kScalarTypes[static_cast<size_t>(dtype)].second; }

Dtype dtype_of(const std::string& name, const torch::Tensor& tensor) {
  for (const auto& [dtype, type] : kScalarTypes) {
    if (type == tensor.scalar_type()) return dtype;
  }
  fail(ErrorKind::shape, "tensor '", name, "' has type ", tensor.scalar_type(),
       ", which a safetensors file cannot hold");
}

std::vector<TensorEntry> entries_in_file_order(const NamedTensors& tensors) {
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    check(tensor.defined() && tensor.layout() == torch::kStrided && !tensor.is_meta(), ErrorKind::shape,
          "tensor '", name, "' has no values to be stored");
    entries.push_back({name, dtype_of(name, tensor), tensor.sizes().vec()});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const TensorEntry& a, const TensorEntry& b) { return a.dtype > b.dtype; });
  return entries;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(std::make_shared<const MappedFile>(path)) {
  SafetensorsHeader header = parse_safetensors_header(file_->bytes(), file_->bytes().size(), path.string());
  metadata_ = std::move(header.metadata);
  for (TensorEntry& entry : header.tensors) entries_.emplace(entry.name, std::move(entry));
}

torch::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const auto found = entries_.find(name);
  check(found != entries_.end(), ErrorKind::checkpoint, file_->path().string(), " has no tensor '", name,
        "'");
  const TensorEntry& entry = found->second;
  const auto options = torch::TensorOptions().dtype(scalar_type(entry.dtype));
  if (entry.begin == entry.end) return torch::empty(entry.shape, options);
  uint8_t* data = file_->data() + entry.begin;
  if (entry.begin % static_cast<uint64_t>(dtype_size(entry.dtype)) == 0) {
    return torch::from_blob(
        data, entry.shape, [file = file_](void*) {}, options);
  }
  // Other writers may leave a number across its natural boundary, where kernels must not read it in place.
  torch::Tensor copy = torch::empty(entry.shape, options);
  std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
  return copy;
}

NamedTensors SafetensorsFile::tensors() const {
  NamedTensors result;
  for (const auto& [name, entry] : entries_) result.emplace(name, tensor(name));
  return result;
}

void write_safetensors(const std::filesystem::path& path,
                       const NamedTensors& tensors,
                       const Metadata& metadata) {
  const std::vector<TensorEntry> entries = entries_in_file_order(tensors);
  const std::string header = safetensors_header_bytes(entries, metadata);
  write_file_atomically(path, [&](AtomicWriter& writer) {
    writer.write(header);
    for (const TensorEntry& entry : entries) {
      const torch::Tensor values = tensors.at(entry.name).detach().cpu().contiguous();
      writer.write(std::span(static_cast<const uint8_t*>(values.const_data_ptr()), values.nbytes()));
    }
  });
}

}  // namespace unclip::io
