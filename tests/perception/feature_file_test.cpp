#include "perception/feature_file.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/files.h"
#include "moviechat/error.h"
#include "perception/frame_source.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/tensors.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;

std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255);
  return text;
}

std::string bytes_of(const torch::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

std::string npy(const std::string& header, const std::string& data) {
  return std::string("\x93NUMPY\x01\x00", 8) + little_endian(header.size(), 2) + header + data;
}

std::string npy(const torch::Tensor& tensor) {
  std::string shape;
  for (const int64_t size : tensor.sizes()) shape += std::to_string(size) + ", ";
  return npy("{'descr': '" + std::string(tensor.scalar_type() == torch::kHalf ? "<f2" : "<f4") +
                 "', 'fortran_order': False, 'shape': (" + shape + "), }\n",
             bytes_of(tensor));
}

std::string safetensors(const std::string& header, const std::string& data) {
  return little_endian(header.size(), 8) + header + data;
}

/// [5, 3, 4] that counts up.
torch::Tensor counting() { return torch::arange(60, torch::kFloat).view({5, 3, 4}); }

class Features : public ::testing::Test {
 protected:
  FeatureFile open(const std::string& contents, FeatureTiming timing = {}) const {
    write_file(folder_ / "film", contents);
    return FeatureFile(folder_ / "film", timing);
  }
  std::string why_not(const std::string& contents) const {
    try {
      open(contents);
    } catch (const InputError& error) {
      return error.what();
    }
    return "was opened";
  }
  static torch::Tensor frame(const FeatureFile& file, int64_t index) {
    torch::Tensor slot = torch::empty({file.patches(), file.width()}, file.header().dtype);
    file.read(index, slot);
    return slot;
  }

  TemporaryFolder folder_;
};

TEST_F(Features, OfNpyAreReadFrameByFrame) {
  for (const auto dtype : {torch::kFloat, torch::kHalf}) {
    const FeatureFile file = open(npy(counting().to(dtype)));
    EXPECT_EQ(file.header().dtype, dtype);
    ASSERT_EQ(file.header().shape, (std::vector<int64_t>{5, 3, 4}));
    for (const int64_t i : {4, 0, 2}) {
      EXPECT_TRUE(torch::equal(frame(file, i), counting().to(dtype)[i]));
    }
  }
}

TEST_F(Features, OfSafetensorsAreReadWithTheirTimes) {
  const torch::Tensor half = counting().to(torch::kBFloat16);
  const FeatureFile file = open(safetensors(
      R"({"__metadata__": {"duration": "10", "times": "[0, 1, 2.5, 7, 9]"},
          "other": {"dtype": "I64", "shape": [1], "data_offsets": [120, 128]},
          "features": {"dtype": "BF16", "shape": [5, 3, 4], "data_offsets": [0, 120]}})",
      bytes_of(half) + std::string(8, '\0')));
  EXPECT_TRUE(torch::equal(frame(file, 3), half[3]));
  EXPECT_EQ(file.times_from(), TimesFrom::file);
  EXPECT_EQ(file.duration(), Seconds(10));
  EXPECT_EQ(file.frame_at(Seconds(0)), 0);
  EXPECT_EQ(file.frame_at(Seconds(2.49)), 1);
  EXPECT_EQ(file.frame_at(Seconds(2.5)), 2);
  EXPECT_EQ(file.frame_at(Seconds(100)), 4);
  EXPECT_EQ(file.time_of(3), Seconds(7));
  EXPECT_EQ(file.time_of(5), Seconds(10));
}

TEST_F(Features, AreSpreadEvenlyOverTheFilm) {
  const FeatureFile half_rate = open(npy(counting()), {.fps = 0.5, .duration = {}});
  EXPECT_EQ(half_rate.duration(), Seconds(10));
  EXPECT_EQ(half_rate.times_from(), TimesFrom::given);
  const FeatureFile long_film = open(npy(counting()), {.fps = {}, .duration = Seconds(1e4)});
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(long_film.frame_at(long_film.time_of(i)), i);
    EXPECT_EQ(long_film.frame_at(Seconds(2000.0 * static_cast<double>(i) + 1999)), i);
  }
  const FeatureFile unknown = open(npy(counting()));
  EXPECT_EQ(unknown.times_from(), TimesFrom::nowhere);
  EXPECT_EQ(unknown.duration(), Seconds(5));
}

TEST_F(Features, ThatAreNotNumbersAreNamedByTheirFrame) {
  for (const float bad : {NAN, std::numeric_limits<float>::infinity()}) {
    torch::Tensor damaged = counting();
    damaged[2][1][3] = bad;
    const FeatureFile file = open(npy(damaged));
    frame(file, 1);
    try {
      frame(file, 2);
      ADD_FAILURE() << "was read";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("frame 2 of 5 holds NaN or infinity"));
    }
  }
}

TEST_F(Features, OfOtherKindsAreRefusedInOneLine) {
  const std::string numbers = bytes_of(counting());
  const auto one = [&](const std::string& dtype, const std::string& shape,
                       const std::string& metadata = "{}") {
    return safetensors("{\"__metadata__\": " + metadata + ", \"x\": {\"dtype\": \"" + dtype +
                           "\", \"shape\": " + shape + ", \"data_offsets\": [0, 240]}}",
                       numbers);
  };
  const auto moved = [&](const std::string& offsets) {
    return safetensors(
        R"({"x": {"dtype": "F32", "shape": [5, 3, 4], "data_offsets": )" + offsets + "}}", numbers);
  };
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"", "neither .npy nor .safetensors"},
      {"PK\x03\x04 a file of torch.save", "scripts/convert features makes"},
      {npy("{'descr': '|O', 'fortran_order': False, 'shape': (5,), }", "x"), "a pickle"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (5, 3, 4), }", numbers), "'<f8'"},
      {npy("{'descr': '>f4', 'fortran_order': False, 'shape': (5, 3, 4), }", numbers), "'>f4'"},
      {npy("{'descr': '<f4', 'fortran_order': True, 'shape': (5, 3, 4), }", numbers), "Fortran"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (15, 4), }", numbers), "[15, 4]"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3, 4), }", numbers), "nothing"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6, 3, 4), }", numbers),
       "cut off: shape [6, 3, 4] needs 288 bytes, found 240"},
      {npy(counting()).substr(0, 40), "the header is cut off"},
      {npy("{'descr': '" + std::string(60000, 'A') + "', ", numbers), "60014 bytes, more than the"},
      {one("I32", "[5, 3, 4]"), "found dtype I32"},
      {one("F32", "[60]"), "found shape [60]"},
      {one("F32", "[6, 3, 4]"), "cut off"},
      {one("F32", "[-5, -3, 4]"), "holds nothing"},
      {one("F32", "[5, 3, 4]", R"({"fps": "0"})"), "its fps must be a positive number, found '0'"},
      {one("F32", "[5, 3, 4]", R"({"duration": "9", "times": "[0, 1, 2, 3]"})"), "5 numbers"},
      {one("F32", "[5, 3, 4]", R"({"duration": "9", "times": "[0, 2, 1, 3, 4]"})"), "ascend"},
      {one("F32", "[5, 3, 4]", R"({"duration": "3", "times": "[0, 1, 2, 3, 4]"})"), "beyond"},
      {safetensors(R"({"a": {"dtype": "F32", "shape": [5, 3, 4], "data_offsets": [0, 240]},
                       "b": {"dtype": "F32", "shape": [5, 3, 4], "data_offsets": [0, 240]}})",
                   numbers),
       "found 2 tensors (a, b)"},
      {moved("[-64, 176]"), "data_offsets [-64,176] are no range"},
      {moved("[240, 0]"), "data_offsets [240,0] are no range"},
      {moved("[0, 9223372036854775808]"), "are no range"},
      {moved("[0, 10]"), "needs 240 bytes, its data_offsets [0, 10] have others"},
      {moved("[4611686018427387904, 4611686018427388144]"), "contradict those before"},
      {moved("[64, 240]"), "have others"},
      {moved("[0, 240.0]"), "must be whole numbers"},
      {safetensors(R"({"features": {"dtype": "F32", "shape": [5, 3, 4], "data_offsets": [0, 240]},
                       "b": {"dtype": "F32", "shape": [1], "data_offsets": [236, 240]}})",
                   numbers),
       "data_offsets [236, 240] contradict those before, which end at 240"},
      {moved("[0, 240]") + "more", "have 240 bytes, the file 244"},
      {one("F32", "[5, 3, 4]", R"({"fps": "1e300"})"), "its fps must be 1e-06 to 1000000"},
      {safetensors("{\"x\": 3}", ""), "not one of safetensors"},
      {little_endian(uint64_t{1} << 62, 8) + "{", "the header is cut off"}};
  for (const auto& [contents, expected] : refused) {
    const std::string why = why_not(contents);
    EXPECT_THAT(why, HasSubstr(expected));
    EXPECT_THAT(why, HasSubstr((folder_ / "film").string()));
    EXPECT_EQ(why.find('\n'), std::string::npos) << why;
  }
  EXPECT_THROW(FeatureFile(folder_ / "lost"), InputError);
  EXPECT_THROW(FeatureFile(folder_.path()), InputError);
}

TEST_F(Features, OfAnotherModelAreRefused) {
  BundleSpec bundle;
  bundle.name = "big";
  bundle.sizes.patches = 3;
  bundle.sizes.vit_width = 4;
  const FeatureFile file = open(npy(counting()));
  check_features(file, bundle);
  bundle.sizes.vit_width = 1408;
  try {
    check_features(file, bundle);
    ADD_FAILURE() << "were taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("are [5, 3, 4], the ViT of bundle 'big' gives [frames, 3, 1408]"));
  }
}

}  // namespace
}  // namespace moviechat
