#include "language/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>

#include "moviechat/error.h"

namespace moviechat {
namespace {

constexpr std::string_view kSpacePiece = "\xE2\x96\x81";  // U+2581 stands for a space

/// What sentencepiece does with spaces at the beginning of a decoded text.
enum class LeadingSpaces { kept, first_dropped, all_dropped };

struct Piece {
  std::string bytes;
  bool special = false;
  bool is_byte = false;
};

class SentencepieceTokenizer : public Tokenizer {
 public:
  SentencepieceTokenizer(std::string_view model, const std::string& name) {
    const auto status = processor_.LoadFromSerializedProto(model);
    if (!status.ok()) {
      throw InputError("'" + name + "' is not a sentencepiece model (" +
                       std::to_string(model.size()) +
                       " bytes found); take tokenizer.model from the bundle's source again");
    }
    pieces_.reserve(processor_.GetPieceSize());
    for (int id = 0; id < processor_.GetPieceSize(); ++id) pieces_.push_back(piece_of(id));
    leading_ = probe_leading_spaces();
  }

  std::vector<int64_t> encode(std::string_view text) const override {
    std::vector<int> ids;
    const auto status = processor_.Encode(text, &ids);
    if (!status.ok()) throw Error("tokenizer: cannot encode a text: " + status.ToString());
    return {ids.begin(), ids.end()};
  }

  std::string_view bytes_of(int64_t id) const override {
    return known(id) ? std::string_view(pieces_[id].bytes) : std::string_view();
  }

  std::string_view first_bytes_of(int64_t id) const override {
    std::string_view bytes = bytes_of(id);
    if (leading_ != LeadingSpaces::kept && known(id) && !pieces_[id].is_byte &&
        bytes.starts_with(' ')) {
      bytes.remove_prefix(1);
    }
    return bytes;
  }

  bool begins_text(int64_t id) const override {
    if (!known(id) || pieces_[id].special) return false;
    return leading_ != LeadingSpaces::all_dropped || !first_bytes_of(id).empty();
  }

  int64_t size() const override { return static_cast<int64_t>(pieces_.size()); }

 private:
  bool known(int64_t id) const { return id >= 0 && id < size(); }

  Piece piece_of(int id) const {
    if (processor_.IsControl(id) || processor_.IsUnknown(id) || processor_.IsUnused(id)) {
      return {"", true, false};
    }
    const std::string& piece = processor_.IdToPiece(id);
    if (processor_.IsByte(id)) {  // "<0x0A>"
      return {std::string(1, static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16))), false,
              true};
    }
    std::string bytes;
    for (std::string_view rest = piece; !rest.empty();) {
      const bool space = rest.starts_with(kSpacePiece);
      bytes += space ? ' ' : rest[0];
      rest.remove_prefix(space ? kSpacePiece.size() : 1);
    }
    return {bytes, false, false};
  }

  /// The model's normalisation rules are not in sentencepiece's public interface, so ask what it
  /// does.
  LeadingSpaces probe_leading_spaces() const {
    int space = processor_.PieceToId(kSpacePiece);
    if (!known(space) || pieces_[space].special) {
      const auto spaced = std::find_if(pieces_.begin(), pieces_.end(), [](const Piece& piece) {
        return !piece.is_byte && piece.bytes.starts_with(' ');
      });
      if (spaced == pieces_.end()) return LeadingSpaces::kept;
      space = static_cast<int>(spaced - pieces_.begin());
      return processor_.DecodeIds({space}).starts_with(' ') ? LeadingSpaces::kept
                                                            : LeadingSpaces::first_dropped;
    }
    switch (processor_.DecodeIds({space, space}).size()) {
      case 0:
        return LeadingSpaces::all_dropped;
      case 1:
        return LeadingSpaces::first_dropped;
      default:
        return LeadingSpaces::kept;
    }
  }

  sentencepiece::SentencePieceProcessor processor_;
  std::vector<Piece> pieces_;
  LeadingSpaces leading_ = LeadingSpaces::first_dropped;
};

}  // namespace

std::unique_ptr<Tokenizer> load_sentencepiece(std::string_view model, const std::string& name) {
  return std::make_unique<SentencepieceTokenizer>(model, name);
}

}  // namespace moviechat
