// The index of weights that are divided over several files (model.safetensors.index.json), without LibTorch.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unclip::io {

/// File name -> the tensors in it.
using ShardIndex = std::map<std::string, std::vector<std::string>>;

/// Error(checkpoint) that begins with `where` if the text is no index, names a tensor twice, or names a file
/// in another folder.
ShardIndex parse_shard_index(std::string_view json, const std::string& where);

}  // namespace unclip::io
