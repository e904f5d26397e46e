// What a PyTorch archive (.bin, .pt, .ckpt, .th since PyTorch 1.6) says it holds, without LibTorch and
// without running anything: a zip archive whose data.pkl names tensors and whose data/ entries are their
// storages.
#pragma once
#include <map>
#include <span>
#include <string>

#include "unclip/io/tensor_place.h"

namespace unclip::io {

/// The tensors in `file`, the whole archive: those of the dict under "state_dict" if there is one
/// (Lightning), else all. Parts of nested dicts, lists and tuples are joined with dots:
/// "decoder.norm.weight"; the tensors of a tuple are "0", "1", …. Numbers, texts and the like are passed
/// over. A TorchScript archive is read as the tree of its modules' attributes; its code is not looked at.
/// Error(checkpoint) that begins with `where` if the archive is damaged, names anything but tensors and plain
/// containers, or lies about a size. Tensors may share numbers.
std::map<std::string, TensorPlace> parse_torch_archive(std::span<const uint8_t> file,
                                                       const std::string& where);

}  // namespace unclip::io
