// The layers through which the autoregressive prior reads and writes codes (embedding_code.h). They are an
// embedding and a linear layer like any other; only their first weights know that buckets are ordered.
//
// Rows of independent random numbers would have to learn first which buckets are neighbours: each of the
// 1,024 from the few times that training shows it, before a caption can shift the whole distribution. The
// paper says nothing of it.
#pragma once
#include "unclip/nn/layers.h"

namespace unclip::prior {

/// [B, width]: row b holds sines and cosines of b, from half a wave over all buckets to half a wave between
/// two neighbours, each of amplitude √2 (so that an entry's mean square is 1).
nn::Tensor bucket_waves(int64_t buckets, int64_t width);

/// Reads codes: an embedding whose rows start as `bucket_waves`.
nn::Embedding make_code_embedding(int64_t buckets, int64_t width);

/// Writes logits of codes: rows start as small `bucket_waves`, the bias as the log-density of the standard
/// normal distribution at the middle of each bucket between −range and range, which is that of whitened
/// coordinates where nothing is known of them.
nn::Linear make_code_output(int64_t width, int64_t buckets, double range);

}  // namespace unclip::prior
