// One line each: what, found, expected, way out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "media/films.h"
#include "media/frame_reader.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// The InputError of opening a file: its message without the folder.
std::string refusal(const std::filesystem::path& path, ReaderOptions options = {}) {
  try {
    FrameReader reader(path, std::move(options));
  } catch (const InputError& error) {
    std::string line = error.what();
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    const size_t at = line.find(path.string());
    if (at == std::string::npos) {
      ADD_FAILURE() << "the path is not in: " << line;
      return line;
    }
    return line.replace(at, path.string().size(), path.filename().string());
  }
  return "opened";
}

class BadInput : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& bytes) {
    testing::write_bytes(folder_ / name, bytes);
    return folder_ / name;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(BadInput, AMissingFile) {
  EXPECT_EQ(refusal(folder_ / "film.mp4"), "video 'film.mp4' does not exist; check the path");
}

TEST_F(BadInput, AFolder) {
  std::filesystem::create_directory(folder_ / "films");
  EXPECT_EQ(refusal(folder_ / "films"), "video 'films' is a folder; expected a video file");
}

TEST_F(BadInput, APipeOrDevice) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(
      refusal(folder_ / "pipe"),
      "video 'pipe' is a pipe that nobody has written to for 10 s; start what writes the film");
  std::filesystem::create_symlink("/dev/zero", folder_ / "device");
  EXPECT_EQ(refusal(folder_ / "device"),
            "video 'device' is a device or socket; expected a video file or a pipe");
}

TEST_F(BadInput, AFileThatMayNotBeRead) {
  const auto path = file("film.mp4", testing::bytes_of(testing::film("H264WithBFrames")));
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  // Root reads everything, so this is tried as nobody.
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const std::string line = refusal(path);
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_EQ(line, "video 'film.mp4' cannot be opened: Permission denied");
}

TEST_F(BadInput, AnEmptyFile) {
  EXPECT_EQ(refusal(file("film.mp4", "")),
            "video 'film.mp4' is empty (0 bytes); expected a video file");
}

TEST_F(BadInput, TextNamedMp4) {
  EXPECT_THAT(refusal(file("film.mp4", "What happens in this film?\nNothing.\n")),
              StartsWith("'film.mp4' is not a video that can be read"));
  EXPECT_EQ(refusal(file("film.mp4", "1\n00:00:00,000 --> 00:00:01,000\nHello\n")),
            "'film.mp4' has no video stream (found: 1 subtitle stream, subrip)");
}

TEST_F(BadInput, SoundAlone) {
  const auto path = folder_ / "talk.mp4";
  testing::ffmpeg("-f lavfi -i sine=duration=1 -c:a aac '" + path.string() + "'");
  EXPECT_EQ(refusal(path), "'talk.mp4' has no video stream (found: 1 audio stream, aac)");
}

TEST_F(BadInput, ACoverPictureInsteadOfVideo) {
  const auto path = folder_ / "song.m4a";
  testing::ffmpeg(
      "-f lavfi -i sine=duration=1 -f lavfi -i testsrc=duration=1 -map 0 -map 1 -frames:v 1 "
      "-c:v png -disposition:v attached_pic '" +
      path.string() + "'");
  EXPECT_EQ(refusal(path),
            "'song.m4a' has no video stream (found: 1 audio stream, aac; 1 cover picture, png)");
}

TEST_F(BadInput, NoDecodableFrame) {
  std::string bytes = testing::bytes_of(testing::film("H264WithBFrames"));
  const size_t begin = bytes.find("mdat") + 4;
  const size_t end = bytes.find("moov") - 4;
  bytes.replace(begin, end - begin, end - begin, '\xff');
  EXPECT_EQ(refusal(file("film.mp4", bytes)),
            "'film.mp4' has a video stream (h264), but none of 50 packets could be decoded");
}

TEST_F(BadInput, APlaylistInDisguise) {
  file("part.ts", testing::bytes_of(testing::film("Mpeg2Transport")));
  EXPECT_EQ(refusal(file("film.mp4",
                         "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\npart.ts\n"
                         "#EXT-X-ENDLIST\n")),
            "'film.mp4' is a playlist (hls), which names other files; give the video itself");
  EXPECT_EQ(refusal(file("film.mkv", "ffconcat version 1.0\nfile part.ts\n")),
            "'film.mkv' is a playlist (concat), which names other files; give the video itself");
  EXPECT_EQ(refusal(file("film.avi",
                         "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                         "profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"></MPD>\n")),
            "'film.avi' is a playlist (dash), which names other files; give the video itself");
  EXPECT_EQ(refusal(file("film.ts",
                         "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                         "m=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\n")),
            "'film.ts' is a playlist (sdp), which names other files; give the video itself");
  EXPECT_THAT(refusal(file("list.mp4", "#EXTM3U\npart.ts\n")), HasSubstr("is not a video"));
  EXPECT_THAT(refusal(file("list.txt", "file part.ts\n")), HasSubstr("is not a video"));
}

TEST_F(BadInput, ANameIsNeverAProtocolOrAPattern) {
  const std::string film = testing::bytes_of(testing::film("Mpeg2Transport"));
  for (const std::string name : {"-", "pipe:0", "concat:a|b", "file:x", "data:text", "crypto:x",
                                 "img%03d.png", "subfile,,start,0,end,9,,:x", "-i", "film.m3u8"}) {
    EXPECT_EQ(refusal(file(name, film)), "opened") << name;
    EXPECT_THAT(refusal(folder_ / (name + "-missing")), HasSubstr("does not exist")) << name;
  }
  // The same without a folder before it.
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  for (const char* name : {"-", "pipe:0", "concat:a|b", "file:x"}) {
    EXPECT_EQ(refusal(name), "opened") << name;
  }
  EXPECT_EQ(refusal("concat:-|-"), "video 'concat:-|-' does not exist; check the path");
  std::filesystem::current_path(before);
}

TEST_F(BadInput, AnAddressNeedsPermission) {
  for (const std::string address :
       {"http://localhost:1/a.mp4", "https://localhost:1/a.mp4", "rtsp://localhost:1/a"}) {
    try {
      FrameReader reader{address};
      FAIL();
    } catch (const InputError& error) {
      EXPECT_EQ(error.what(),
                "video '" + address +
                    "' is an address; set video.allow_url to open http, https and rtsp");
    }
  }
  ReaderOptions options;
  options.allow_url = true;
  for (const std::string address : {"ftp://localhost/a.mp4", "concat:http://a|http://b"}) {
    try {
      FrameReader reader{address, options};
      FAIL();
    } catch (const InputError& error) {
      EXPECT_EQ(error.what(), "video '" + address + "' does not exist; check the path");
    }
  }
  try {
    FrameReader reader{"http://127.0.0.1:1/a.mp4", options};
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("Connection refused"));
  }
}

/// A web server over a folder, on a port of its own choosing.
class WebServer {
 public:
  explicit WebServer(const std::filesystem::path& folder) {
    const auto log = folder / "server.log";
    child_ = fork();
    if (child_ == 0) {
      std::freopen(log.c_str(), "w", stdout);
      std::freopen("/dev/null", "w", stderr);
      execlp("python3", "python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1",
             "--directory", folder.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 200 && port_.empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const std::string line = testing::bytes_of(log);
      const size_t at = line.find(" port ");
      if (at != std::string::npos) port_ = line.substr(at + 6, line.find(' ', at + 6) - at - 6);
    }
  }
  ~WebServer() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  std::string address(const std::string& name) const {
    return "http://127.0.0.1:" + port_ + "/" + name;
  }

 private:
  pid_t child_ = 0;
  std::string port_;
};

TEST_F(BadInput, AnAddressIsReadWhenAllowedButNotAsAPlaylist) {
  const auto film = testing::film("H264OpenGops");
  file("film", testing::bytes_of(film));
  file("list.mp4",
       "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfilm\n#EXT-X-ENDLIST\n");
  const WebServer server(folder_.path());
  ReaderOptions options;
  options.size = 16;
  options.allow_url = true;
  FrameReader local(film, options);
  FrameReader remote(server.address("film"), options);
  std::vector<uint8_t> expected(local.frame_bytes());
  std::vector<uint8_t> rgb(local.frame_bytes());
  for (const double time : {0.0, 1.7, 0.5}) {
    EXPECT_EQ(remote.shown_at(Seconds(time), rgb), local.shown_at(Seconds(time), expected));
    EXPECT_EQ(rgb, expected);
  }
  try {
    FrameReader reader(server.address("list.mp4"), options);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is a playlist (hls)"));
  }
}

}  // namespace
}  // namespace moviechat
