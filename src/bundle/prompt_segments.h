#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "moviechat/bundle_spec.h"
#include "moviechat/fields.h"

namespace YAML {
class Node;
}

namespace moviechat {

/// Segments that cannot be a prompt: what they must be, and what they are.
struct SegmentError {
  std::string expected;
  std::string found;
};

/// A list of {text: …}, {token: ID}, film, question, answer and {turns: [...]} → segments.
/// SegmentError for anything else, and for ids outside `ids`.
std::vector<PromptSegment> read_segments(const YAML::Node& list, const Range<int64_t>& ids);

/// BOS and "…<ImageHere>…{question}…" → segments. SegmentError where a place is missing.
std::vector<PromptSegment> segments_of_template(int64_t bos, const std::string& text);

}  // namespace moviechat
