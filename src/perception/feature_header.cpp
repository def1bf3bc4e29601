#include "perception/feature_header.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <sstream>
#include "base/json.h"

#include "base/message.h"

namespace moviechat {
namespace {

using nlohmann::json;

constexpr std::string_view kWanted =
    "expected fp16, bf16 or fp32 of shape [frames, patches, width]";
constexpr int64_t kLongestHeader = int64_t{64} << 20;
constexpr int64_t kLongestNumpyHeader = 4096;  // of an array of numbers; matched by std::regex

[[noreturn]] void refuse(const std::string& name, const std::string& found) {
  throw input_error("features {}: {}", name, found);
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::ostringstream text;
  text << c10::IntArrayRef(shape);
  return text.str();
}

/// Little-endian, as both formats store lengths.
int64_t number(const std::string& bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value > static_cast<uint64_t>(INT64_MAX) ? INT64_MAX : static_cast<int64_t>(value);
}

std::string header_text(const ReadBytes& read, int64_t offset, int64_t length, int64_t size,
                        const std::string& name) {
  if (length > std::min(kLongestHeader, size - offset)) {
    refuse(name, "the header is cut off or damaged; copy the file again");
  }
  return read(offset, length);
}

/// Bytes of a tensor, or INT64_MAX when no file is that large.
int64_t bytes_of(const FeatureHeader& header) {
  auto bytes = static_cast<int64_t>(c10::elementSize(header.dtype));
  for (const int64_t size : header.shape) {
    if (__builtin_mul_overflow(bytes, size, &bytes)) return INT64_MAX;
  }
  return bytes;
}

void check_shape(const FeatureHeader& header, int64_t size, const std::string& name) {
  if (header.shape.size() != 3) {
    refuse(name, fmt::format("found shape {}; {}", text_of(header.shape), kWanted));
  }
  if (std::any_of(header.shape.begin(), header.shape.end(), [](int64_t n) { return n <= 0; })) {
    refuse(name, fmt::format("found shape {}, which holds nothing", text_of(header.shape)));
  }
  const int64_t bytes = bytes_of(header);
  if (bytes > size - header.offset) {
    refuse(name, fmt::format("cut off: shape {} needs {} bytes, found {}; copy the file again",
                             text_of(header.shape), bytes, size - header.offset));
  }
}

/// 'key': value of NumPy's header, which is a Python literal.
std::string literal(const std::string& header, const std::string& pattern) {
  std::smatch match;
  return std::regex_search(header, match, std::regex(pattern)) ? match[1].str() : "";
}

FeatureHeader read_npy(const ReadBytes& read, int64_t size, const std::string& name) {
  constexpr int64_t kVersion = 6;
  constexpr int64_t kLength = 8;
  const int64_t width =
      read(kVersion, 1) == "\x01" ? 2 : 4;  // of the length: version 1, or 2 and 3
  const int64_t length = number(read(kLength, width));
  const std::string text = header_text(read, kLength + width, length, size, name);
  if (length > kLongestNumpyHeader) {
    refuse(name, fmt::format(
                     "its header has {} bytes, more than the {} that an array of numbers needs; {}",
                     length, kLongestNumpyHeader, kWanted));
  }

  FeatureHeader header;
  header.format = "npy";
  header.offset = kLength + width + length;
  const std::string descr = literal(text, "'descr' *: *'([^']*)'");
  if (descr == "<f2") {
    header.dtype = torch::kHalf;
  } else if (descr == "<f4") {
    header.dtype = torch::kFloat;
  } else if (descr.find('O') != std::string::npos) {
    refuse(name,
           "found an array of Python objects (a pickle), which could run anything when it is read; "
           "save the numbers themselves: np.save(file, array.astype('float16'))");
  } else {
    refuse(name, fmt::format("found dtype '{}'; {}", descr, kWanted));
  }
  if (literal(text, "'fortran_order' *: *(True|False)") != "False") {
    refuse(name, "found Fortran order; save it with np.save(file, np.ascontiguousarray(array))");
  }
  std::string shape = literal(text, "'shape' *: *\\(([0-9, ]*)\\)");
  std::replace(shape.begin(), shape.end(), ',', ' ');
  std::istringstream sizes(shape);
  for (int64_t n = 0; sizes >> n;) header.shape.push_back(n);
  return header;
}

/// fps, duration and times as `scripts/convert features` writes them.
void read_metadata(const json& metadata, const std::string& name, FeatureHeader& header) {
  const auto positive = [&](const char* key, const Range<double>& range) -> std::optional<double> {
    if (!metadata.contains(key)) return std::nullopt;
    const json value = parse_json(metadata[key].get<std::string>());
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0) {
      refuse(name, fmt::format("its {} must be a positive number, found '{}'", key,
                               metadata[key].get<std::string>()));
    }
    if (!range.contains(value.get<double>())) {
      refuse(name, fmt::format("its {} must be {}, found '{}'", key, range.text(),
                               metadata[key].get<std::string>()));
    }
    return value.get<double>();
  };
  header.timing.fps = positive("fps", {1e-6, 1e6});
  if (const auto duration = positive("duration", {1e-6, 1e9}))
    header.timing.duration = Seconds(*duration);
  if (!metadata.contains("times")) return;
  const json times = parse_json(metadata["times"].get<std::string>());
  const auto frames = static_cast<size_t>(header.shape[0]);
  const bool numbers =
      times.is_array() && std::all_of(times.begin(), times.end(), [](const json& t) {
        return t.is_number() && t.get<double>() >= 0;
      });
  if (!numbers || times.size() != frames) {
    refuse(name, fmt::format("its times must be {} numbers from 0 on, one a frame", frames));
  }
  header.times = times.get<std::vector<double>>();
  if (!std::is_sorted(header.times.begin(), header.times.end(), std::less_equal<>())) {
    refuse(name, "its times must ascend");
  }
  if (!header.timing.duration || header.timing.duration->count() <= header.times.back()) {
    refuse(name, "its times need a duration beyond the last of them");
  }
}

int64_t whole(const json& value, const std::string& name) {
  if (!value.is_number_integer()) refuse(name, "its sizes and offsets must be whole numbers");
  return value.get<int64_t>();
}

/// A tensor's bytes, counted from the header's end on.
struct Extent {
  int64_t begin;
  int64_t end;
};
Extent extent_of(const json& tensor, const std::string& name) {
  const json& offsets = tensor.at("data_offsets");
  const Extent extent{whole(offsets.at(0), name), whole(offsets.at(1), name)};
  if (extent.begin < 0 || extent.end < extent.begin) {
    refuse(name, fmt::format("data_offsets {} are no range; it is damaged: make it again",
                             offsets.dump()));
  }
  return extent;
}

/// Tensors lie one behind the other and fill the file, as the format wants it: neither can two
/// share bytes nor can one reach beyond.
void check_extents(const json& all, int64_t data_bytes, const std::string& name) {
  std::vector<Extent> extents;
  for (const auto& [key, tensor] : all.items()) {
    if (key != "__metadata__") extents.push_back(extent_of(tensor, name));
  }
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  int64_t filled = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != filled) {
      refuse(name, fmt::format("data_offsets [{}, {}] contradict those before, which end at {}; it "
                               "is damaged: make it again",
                               extent.begin, extent.end, filled));
    }
    filled = extent.end;
  }
  if (filled != data_bytes) {
    refuse(name, fmt::format("its tensors have {} bytes, the file {}; it is damaged: make it again",
                             filled, data_bytes));
  }
}

FeatureHeader read_safetensors(const ReadBytes& read, int64_t size, const std::string& name) {
  constexpr int64_t kLength = 8;
  const int64_t length = number(read(0, kLength));
  const json all = parse_json(header_text(read, kLength, length, size, name));
  if (!all.is_object()) refuse(name, "the header is no JSON object; copy the file again");

  FeatureHeader header;
  header.format = "safetensors";
  std::string found;
  int64_t tensors = 0;
  Extent extent{};
  try {
    for (const auto& [key, tensor] : all.items()) {
      if (key == "__metadata__") continue;
      ++tensors;
      found += (found.empty() ? "" : ", ") + key;
      if (tensors > 1 && key != "features") continue;
      const std::string dtype = tensor.at("dtype").get<std::string>();
      if (dtype != "F16" && dtype != "BF16" && dtype != "F32") {
        refuse(name, fmt::format("found dtype {}; {}", dtype, kWanted));
      }
      header.dtype = dtype == "F16"    ? torch::kHalf
                     : dtype == "BF16" ? torch::kBFloat16
                                       : torch::kFloat;
      header.shape.clear();
      for (const json& n : tensor.at("shape")) header.shape.push_back(whole(n, name));
      extent = extent_of(tensor, name);
    }
    if (tensors != 1 && !all.contains("features")) {
      refuse(name, fmt::format("found {} tensors ({}); expected one, or one named features",
                               tensors, found.substr(0, 80)));
    }
    header.offset = kLength + length;
    check_shape(header, size, name);
    if (extent.end - extent.begin != bytes_of(header)) {
      refuse(name, fmt::format("shape {} needs {} bytes, its data_offsets [{}, {}] have others; it "
                               "is damaged: make it again",
                               text_of(header.shape), bytes_of(header), extent.begin, extent.end));
    }
    check_extents(all, size - header.offset, name);
    header.offset += extent.begin;
    if (all.contains("__metadata__")) read_metadata(all["__metadata__"], name, header);
  } catch (const json::exception&) {
    refuse(name, "the header is not one of safetensors; copy the file again");
  }
  return header;
}

}  // namespace

FeatureHeader read_feature_header(const ReadBytes& read, int64_t size, const std::string& name) {
  const std::string begin = read(0, 9);
  FeatureHeader header;
  if (begin.starts_with("\x93NUMPY")) {
    header = read_npy(read, size, name);
  } else if (begin.size() == 9 && begin[8] == '{') {
    header = read_safetensors(read, size, name);
  } else {
    refuse(name,
           "neither .npy nor .safetensors by its content; scripts/convert features makes "
           ".safetensors of .pt and .h5");
  }
  check_shape(header, size, name);
  return header;
}

}  // namespace moviechat
