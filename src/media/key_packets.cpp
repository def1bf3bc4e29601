#include "media/key_packets.h"

#include <cstdint>
#include <span>

namespace moviechat {
namespace {

constexpr uint8_t kIdr = 5;  // nal_unit_type of H.264 (ITU-T H.264, table 7-1)

bool is_idr(uint8_t header) { return (header & 0x1f) == kIdr; }

/// Units behind a length of 1 to 4 bytes each, as in MP4 (ISO 14496-15, 5.3).
bool has_idr_behind_lengths(std::span<const uint8_t> bytes, size_t length_bytes) {
  while (bytes.size() > length_bytes) {
    size_t size = 0;
    for (size_t i = 0; i < length_bytes; ++i) size = size << 8 | bytes[i];
    bytes = bytes.subspan(length_bytes);
    if (is_idr(bytes[0])) return true;
    if (size >= bytes.size()) return false;
    bytes = bytes.subspan(size);
  }
  return false;
}

/// Units behind start codes, as in transport streams (ITU-T H.264, annex B).
bool has_idr_behind_start_codes(std::span<const uint8_t> bytes) {
  for (size_t i = 0; i + 3 < bytes.size(); ++i) {
    if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1 && is_idr(bytes[i + 3])) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_intra_only(AVCodecID codec) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(codec);
  return descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
}

bool starts_anew(const AVPacket& key, const AVCodecParameters& codec) {
  if (codec.codec_id != AV_CODEC_ID_H264) return true;
  const std::span<const uint8_t> bytes(key.data, static_cast<size_t>(key.size));
  const bool has_lengths = codec.extradata_size > 4 && codec.extradata[0] == 1;
  if (!has_lengths) return has_idr_behind_start_codes(bytes);
  return has_idr_behind_lengths(bytes, static_cast<size_t>(codec.extradata[4] & 3) + 1);
}

}  // namespace moviechat
