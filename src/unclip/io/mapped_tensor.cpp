#include "unclip/io/mapped_tensor.h"

#include <array>
#include <cstring>

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

/// Elements from the first to the last that the strides reach; 0 if there are none.
int64_t extent_of(const TensorPlace& place) {
  int64_t last = 0;
  for (size_t i = 0; i < place.shape.size(); ++i) {
    if (place.shape[i] == 0) return 0;
    last += (place.shape[i] - 1) * place.strides[i];
  }
  return last + 1;
}

}  // namespace

torch::ScalarType scalar_type(Dtype dtype) { return kScalarTypes[static_cast<size_t>(dtype)].second; }

std::optional<Dtype> dtype_of(torch::ScalarType type) {
  for (const auto& [dtype, known] : kScalarTypes) {
    if (known == type) return dtype;
  }
  return std::nullopt;
}

torch::Tensor mapped_tensor(const std::shared_ptr<const MappedFile>& file, const TensorPlace& place) {
  const auto options = torch::TensorOptions().dtype(scalar_type(place.dtype));
  const int64_t extent = extent_of(place);
  if (extent == 0) return torch::empty(place.shape, options);
  uint8_t* data = file->data() + place.begin;
  if (place.begin % static_cast<uint64_t>(dtype_size(place.dtype)) == 0) {
    return torch::from_blob(
        data, place.shape, place.strides, [file](void*) {}, options);
  }
  // Other writers may leave a number across its natural boundary, where kernels must not read it in place.
  const torch::Tensor copy = torch::empty({extent}, options);
  std::memcpy(copy.data_ptr(), data, static_cast<size_t>(extent * dtype_size(place.dtype)));
  return copy.as_strided(place.shape, place.strides);
}

}  // namespace unclip::io
