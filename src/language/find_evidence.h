#pragma once

#include "bundle/tensor.h"

#include <vector>

#include "memory/block.h"
#include "moviechat/result.h"

namespace moviechat {

/// From the answer's attention to the video embeddings [Q] and theirs to the memory's blocks [Q,
/// T]: block t scores Σ_q answer[q] · reader[q, t]. Named are the blocks of the smallest set that
/// reaches `share` of all the score (of equals the earlier), neighbouring ones joined, in the order
/// of time. A block without a time of its own adds its score to the block that stands for the time
/// its features are from; where memory has dropped that one, it counts for nothing. Empty when
/// nothing was attended to.
std::vector<Evidence> find_evidence(const torch::Tensor& answer_attention,
                                    const torch::Tensor& reader_attention,
                                    const std::vector<Span>& spans, double share = 0.5);

}  // namespace moviechat
