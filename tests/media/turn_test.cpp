// Pictures are shown as the file asks for: turned and mirrored.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "media/films.h"
#include "media/frame_reader.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;
using testing::sized;

/// The 2×2 blocks of a picture that is red, green / blue, white, as letters.
std::string corners(const std::filesystem::path& path) {
  FrameReader reader(path, sized(64));
  std::vector<uint8_t> rgb(reader.frame_bytes());
  reader.next(rgb);
  std::string letters;
  for (const auto& [x, y] : {std::pair{16, 16}, {48, 16}, {16, 48}, {48, 48}}) {
    const uint8_t* p = &rgb[static_cast<size_t>((y * 64 + x) * 3)];
    const bool r = p[0] > 128, g = p[1] > 128, b = p[2] > 128;
    letters += r && g && b ? 'W' : r ? 'R' : g ? 'G' : b ? 'B' : '?';
  }
  return letters;
}

TEST(Turn, EveryTurnAndMirrorOfTheDisplayMatrixIsApplied) {
  const auto plain = testing::films_folder() / "corners.mp4";
  testing::ffmpeg(
      "-f lavfi -i color=red:s=80x60:d=1 -f lavfi -i color=lime:s=80x60:d=1 "
      "-f lavfi -i color=blue:s=80x60:d=1 -f lavfi -i color=white:s=80x60:d=1 "
      "-filter_complex '[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack' -c:v libx264 '" +
      plain.string() + "'");
  EXPECT_EQ(corners(plain), "RGBW");
  const auto number = [](int value) {
    const uint32_t fixed = static_cast<uint32_t>(value) << 16;
    return std::string{static_cast<char>(fixed >> 24), static_cast<char>(fixed >> 16), 0, 0};
  };
  struct Turn {
    const char* name;
    int a, b, c, d;  // the matrix's upper left: x' = a·x + c·y, y' = b·x + d·y
    const char* shown;
    int64_t degrees;
  };
  for (const Turn& turn : {
           Turn{"90 clockwise", 0, 1, -1, 0, "BRWG", 90},
           Turn{"180", -1, 0, 0, -1, "WBGR", 180},
           Turn{"270 clockwise", 0, -1, 1, 0, "GWRB", 270},
           Turn{"left and right swapped", -1, 0, 0, 1, "GRWB", 180},
           Turn{"top and bottom swapped", 1, 0, 0, -1, "BWRG", 0},
           Turn{"transposed", 0, 1, 1, 0, "RBGW", 90},
           Turn{"transposed and turned by 180", 0, -1, -1, 0, "WGBR", 270},
       }) {
    SCOPED_TRACE(turn.name);
    const auto path = testing::films_folder() / "turned.mp4";
    testing::write_bytes(path, testing::bytes_of(plain));
    // tkhd: after its name 4 bytes of version and flags, 36 of other fields, then the matrix.
    const std::string zero(4, '\0');
    testing::patch(path, "tkhd", 4 + 40,
                   number(turn.a) + number(turn.b) + zero + number(turn.c) + number(turn.d));
    EXPECT_EQ(corners(path), turn.shown);
    FrameReader reader(path, sized(0));
    EXPECT_EQ(reader.info().rotation, turn.degrees);
    EXPECT_EQ(reader.width(), turn.a == 0 ? 120 : 160);
    EXPECT_EQ(reader.height(), turn.a == 0 ? 160 : 120);
  }
}

TEST(Turn, ATurnThatIsNoQuarterIsShownUnturnedWithAWarning) {
  std::vector<std::string> warnings;
  ReaderOptions options;
  options.warn = [&](const std::string& line) { warnings.push_back(line); };
  const auto path = testing::films_folder() / "oblique.mp4";
  testing::write_bytes(path, testing::bytes_of(testing::film("H264WithBFrames")));
  const std::string half{0, 0, char(0xb5), 0x04};
  const std::string minus_half{char(0xff), char(0xff), 0x4a, char(0xfc)};
  testing::patch(path, "tkhd", 4 + 40, half + half + std::string(4, '\0') + minus_half + half);
  FrameReader reader(path, options);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("asks to be turned by 45 degrees"));
  EXPECT_EQ(reader.info().width, 160);
}

}  // namespace
}  // namespace moviechat
