#include "unclip/io/safetensors.h"

#include <algorithm>

#include "unclip/base/error.h"
#include "unclip/io/file.h"
#include "unclip/io/mapped_file.h"
#include "unclip/io/mapped_tensor.h"

namespace unclip::io {
namespace {

Dtype stored_dtype(const std::string& name, const torch::Tensor& tensor) {
  const std::optional<Dtype> dtype = dtype_of(tensor.scalar_type());
  check(dtype.has_value(), ErrorKind::shape, "tensor '", name, "' has type ", tensor.scalar_type(),
        ", which a safetensors file cannot hold");
  return *dtype;
}

/// Of a tensor whose elements lie one after the other.
std::vector<int64_t> dense_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::vector<TensorEntry> entries_in_file_order(const NamedTensors& tensors) {
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    check(tensor.defined() && tensor.layout() == torch::kStrided && !tensor.is_meta(), ErrorKind::shape,
          "tensor '", name, "' has no values to be stored");
    entries.push_back({name, stored_dtype(name, tensor), tensor.sizes().vec()});
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
  // A tensor without elements may have dimensions whose product overflows.
  const auto strides =
      entry.begin == entry.end ? std::vector<int64_t>(entry.shape.size(), 1) : dense_strides(entry.shape);
  return mapped_tensor(file_, {entry.dtype, entry.shape, strides, entry.begin});
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
