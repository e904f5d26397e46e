// Karlo from any of its layouts into our own folder or into that of diffusers. Private to this room.
#pragma once
#include "unclip/model/convert.h"

namespace unclip::model {

/// Whether `path` is a folder of Karlo: of diffusers, Kakao's files, or ours made of either.
bool is_karlo(const std::filesystem::path& path);

void karlo_to_unclip(const ConvertRequest& request, const std::filesystem::path& out);
/// A model with a prior becomes an UnCLIPPipeline (with its image encoder beside it, if there is one),
/// another one an UnCLIPImageVariationPipeline. Error(config) if diffusers' configurations cannot say what it
/// is.
void karlo_to_diffusers(const ConvertRequest& request, const std::filesystem::path& out);

}  // namespace unclip::model
