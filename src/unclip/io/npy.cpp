#include "unclip/io/npy.h"

#include "unclip/base/error.h"
#include "unclip/io/file.h"

namespace unclip::io {

void write_npy(const std::filesystem::path& path, const torch::Tensor& values) {
  constexpr size_t kPrefix = 10, kAlignment = 64;
  const torch::ScalarType type = values.scalar_type();
  check(type == torch::kFloat32 || type == torch::kInt64, ErrorKind::shape, "a .npy file of ", type,
        " was asked for, expected float32 or int64");
  const char* const code = type == torch::kInt64 ? "<i8" : "<f4";
  std::string header = join_text("{'descr': '", code, "', 'fortran_order': False, 'shape': (");
  for (const int64_t size : values.sizes()) header += std::to_string(size) + ", ";
  header += "), }";
  header.resize((kPrefix + header.size() + kAlignment) / kAlignment * kAlignment - kPrefix - 1, ' ');
  header += '\n';
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix += static_cast<char>(header.size() & 0xFF);
  prefix += static_cast<char>(header.size() >> 8);
  const torch::Tensor dense = values.detach().cpu().contiguous();
  write_file_atomically(path, [&](AtomicWriter& writer) {
    writer.write(prefix + header);
    writer.write(std::span(static_cast<const uint8_t*>(dense.const_data_ptr()), dense.nbytes()));
  });
}

}  // namespace unclip::io
