// What the rooms know of a caption: CLIP writes it, prior and decoder read it, none of them includes another.
#pragma once
#include <torch/types.h>

namespace unclip::nn {

/// Captions as seen by CLIP's text tower. N captions of L token positions.
struct TextEncoding {
  torch::Tensor ids;     // int64 [N, L]
  torch::Tensor mask;    // bool [N, L], true up to and including the end-of-text token
  torch::Tensor z_t;     // [N, D] text embedding, as the projection gives it (not normalised)
  torch::Tensor hidden;  // [N, L, W] the tower's outputs after its last norm

  int64_t size() const { return ids.size(0); }
};

/// Rows where `drop` (bool [N]) is true become the row of `null_text` (the encoded empty caption, N = 1).
inline TextEncoding drop_text(const TextEncoding& text,
                              const TextEncoding& null_text,
                              const torch::Tensor& drop) {
  const auto select = [&](const torch::Tensor& kept, const torch::Tensor& null) {
    std::vector<int64_t> shape(static_cast<size_t>(kept.dim()), 1);
    shape[0] = kept.size(0);
    return torch::where(drop.view(shape), null.to(kept.scalar_type()), kept);
  };
  return {select(text.ids, null_text.ids), select(text.mask, null_text.mask), select(text.z_t, null_text.z_t),
          select(text.hidden, null_text.hidden)};
}

/// Rows first..last-1.
inline TextEncoding slice_text(const TextEncoding& text, int64_t first, int64_t last) {
  const auto part = [=](const torch::Tensor& t) { return t.slice(0, first, last); };
  return {part(text.ids), part(text.mask), part(text.z_t), part(text.hidden)};
}

/// `count` copies of every row, copies of one caption side by side (caption-major).
inline TextEncoding repeat_text(const TextEncoding& text, int64_t count) {
  const auto repeat = [count](const torch::Tensor& t) { return t.repeat_interleave(count, 0); };
  return {repeat(text.ids), repeat(text.mask), repeat(text.z_t), repeat(text.hidden)};
}

inline TextEncoding concatenate_text(const TextEncoding& a, const TextEncoding& b) {
  const auto join = [](const torch::Tensor& x, const torch::Tensor& y) { return torch::cat({x, y}, 0); };
  return {join(a.ids, b.ids), join(a.mask, b.mask), join(a.z_t, b.z_t), join(a.hidden, b.hidden)};
}

}  // namespace unclip::nn
