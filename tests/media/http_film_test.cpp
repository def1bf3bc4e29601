// Films of web servers, of every kind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "media/film_server.h"
#include "media/films.h"
#include "media/frame_reader.h"
#include "media/frame_times.h"
#include "media/from_anywhere.h"
#include "support_for_tests/paths.h"

namespace moviechat {
namespace {

using testing::all_frames;
using ::testing::AllOf;
using testing::bytes_fetched;
using ::testing::ElementsAre;
using testing::FilmServer;
using testing::Frames;
using testing::frames_of_file;
using testing::from_anywhere;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::refusal;
using testing::Variable;

/// 8 s of noise in some 8 MB, the index of MP4 at its end.
std::filesystem::path large_film(const std::string& extension) {
  const auto path = testing::films_folder() / ("large." + extension);
  if (!std::filesystem::exists(path)) {
    testing::ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=25:d=8 -vf noise=alls=100:allf=t -c:v mpeg4 -q:v 2 -g 25 "
        "'" +
        path.string() + "'");
  }
  return path;
}

class FilmOfServer : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path film_ = testing::film(GetParam());
  std::string bytes_ = testing::bytes_of(film_);
  std::vector<std::string> warnings_;
};
INSTANTIATE_TEST_SUITE_P(Containers, FilmOfServer,
                         ::testing::Values("H264WithBFrames", "H264FragmentedMp4", "H264OpenGops",
                                           "H264OpenGopsTs", "Gif"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(FilmOfServer, IsTheSameAsItsFileWhateverTheServerCan) {
  const Frames expected = frames_of_file(film_);
  for (const auto& answer : {testing::with_ranges(bytes_), testing::without_ranges(bytes_),
                             testing::without_length(bytes_)}) {
    FilmServer server(answer);
    ReaderOptions options = from_anywhere(&warnings_);
    options.strict = true;
    FrameReader reader(server.address(), options);
    EXPECT_EQ(reader.info().duration, FrameReader(film_, from_anywhere()).info().duration);
    EXPECT_TRUE(all_frames(reader) == expected);
    // It is measured, indexed and read in order: nothing is asked for twice.
    EXPECT_TRUE(time_of_frame(reader.info(), 5));
    EXPECT_EQ(server.requests().size(), 1);
    EXPECT_LE(bytes_fetched(reader), std::ssize(bytes_));
    EXPECT_THAT(warnings_, IsEmpty());
  }
}

TEST_P(FilmOfServer, GoesBackWithoutFetchingAnythingTwice) {
  for (const auto& answer : {testing::with_ranges(bytes_), testing::without_length(bytes_)}) {
    FilmServer server(answer);
    FrameReader reader(server.address(), from_anywhere());
    FrameReader local(film_, from_anywhere());
    for (const double time : {1.7, 0.3, 1.9, 0.0}) {
      EXPECT_EQ(reader.shown_at(Seconds(time)), local.shown_at(Seconds(time))) << time;
    }
    EXPECT_LE(bytes_fetched(reader), std::ssize(bytes_));
  }
}

TEST(HttpFilm, ASparsePlanFetchesLittleAndAnIndexAtTheEndCostsTwoRequests) {
  const auto film = large_film("mp4");
  FilmServer server(testing::with_ranges(testing::bytes_of(film)));
  FrameReader reader(server.address(), from_anywhere());
  reader.shown_at(Seconds(0.1));
  EXPECT_LE(server.requests().size(), 3);
  EXPECT_LT(bytes_fetched(reader), static_cast<int64_t>(std::filesystem::file_size(film)) / 2);
  reader.shown_at(Seconds(7.9));
  EXPECT_LE(server.requests().size(), 4);
}

TEST(HttpFilm, IsReadByOneRequestWhereReadingGoesForward) {
  const auto film = large_film("ts");
  const auto size = static_cast<int64_t>(std::filesystem::file_size(film));
  FilmServer server(testing::with_ranges(testing::bytes_of(film)));
  FrameReader reader(server.address(), from_anywhere());
  const size_t before = server.requests().size();
  while (reader.next()) {
  }
  EXPECT_LE(server.requests().size() - before, 2);
  EXPECT_LT(bytes_fetched(reader), size + 100'000);  // what came of answers that were left
}

TEST(HttpFilm, WithoutASpoolIsReadAsItComes) {
  const auto film = testing::film("H264OpenGopsTs");
  FilmServer server(testing::without_length(testing::bytes_of(film)));
  ReaderOptions options = from_anywhere();
  options.spool = 0;
  FrameReader reader(server.address(), options);
  EXPECT_TRUE(reader.info().open_ended());
  EXPECT_TRUE(all_frames(reader) == frames_of_file(film));
  EXPECT_EQ(server.requests().size(), 1);
}

TEST(HttpFilm, CutMidwayIsDamagedByWhatIsMissing) {
  const std::string film = testing::bytes_of(testing::film("H264OpenGopsTs"));
  const std::string sizes =
      std::to_string(film.size() / 2) + " of " + std::to_string(film.size()) + " bytes";
  FilmServer server(testing::cut_after(film, film.size() / 2));
  std::vector<std::string> warnings;
  ReaderOptions options = from_anywhere(&warnings);
  FrameReader reader(server.address(), options);
  EXPECT_GT(all_frames(reader).times.size(), 5);
  EXPECT_THAT(warnings, ElementsAre(AllOf(HasSubstr("is damaged"),
                                          HasSubstr("the connection was cut after " + sizes))));
  options.strict = true;
  EXPECT_THAT(refusal(server.address(), options), HasSubstr("cut after " + sizes));
}

TEST(HttpFilm, CutMidwayGoesOnWhereTheServerGivesParts) {
  const auto path = large_film("ts");
  const std::string film = testing::bytes_of(path);
  FilmServer server([&](const std::string& head, FilmServer::Client& client) {
    const std::string part = film.substr(static_cast<size_t>(testing::wanted_from(head)));
    client.send("HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(part.size()) +
                "\r\nContent-Range: bytes " + std::to_string(testing::wanted_from(head)) + "-" +
                std::to_string(film.size() - 1) + "/" + std::to_string(film.size()) + "\r\n\r\n") &&
        client.send(std::string_view(part).substr(0, 3'000'000));
  });
  std::vector<std::string> warnings;
  FrameReader reader(server.address(), from_anywhere(&warnings));
  EXPECT_EQ(all_frames(reader).times.size(), frames_of_file(path).times.size());
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(HttpFilm, AnotherFilmUnderTheSameAddressIsNotMixedIn) {
  const std::string film = testing::bytes_of(large_film("mp4"));
  std::atomic<int> asked = 0;
  FilmServer server([&](const std::string& head, FilmServer::Client& client) {
    testing::with_ranges(asked++ == 0 ? film : film + "more")(head, client);
  });
  EXPECT_THAT(refusal(server.address(), from_anywhere()), HasSubstr("changed while it was read"));
}

/// A server that never comes to an end, and what is said of it.
struct Endless {
  std::string name;
  std::string head;
  std::string piece;
  double pause = 0;  // s
  std::string said;
};
void PrintTo(const Endless& endless, std::ostream* out) { *out << endless.name; }

class EndlessServer : public ::testing::TestWithParam<Endless> {};
INSTANTIATE_TEST_SUITE_P(
    Servers, EndlessServer,
    ::testing::Values(
        Endless{"Silence", "", "", 1, "nothing came within 1 s (video.patience)"},
        Endless{"DrippingHeaders", "HTTP/1.1 200 OK\r\n", "X-Drip: 1\r\n", 0.1, "nothing came"},
        Endless{"Headers", "HTTP/1.1 200 OK\r\n", "X-Filler: " + std::string(9000, 'a') + "\r\n", 0,
                "the head of its answer does not end"},
        Endless{"Continue", "", "HTTP/1.1 100 Continue\r\n\r\n", 0,
                "the head of its answer does not end"},
        Endless{"DrippingFilm", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "a", 0.1,
                "bytes came within 1 s (video.patience) after"},
        Endless{"NoHttp", "", std::string(1000, 'a'), 0, "what it sends is not HTTP"},
        Endless{
            "Redirects",
            "HTTP/1.1 302 Found\r\nLocation: /on\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "", 1, "leads on to other addresses more than 5 times"},
        Endless{"ToAFile",
                "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: "
                "0\r\nConnection: close\r\n\r\n",
                "", 1, "leads to what is no http or https address"},
        Endless{"WrongPart",
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/10\r\n\r\nabcde", "", 1,
                "gives other bytes than it was asked for"}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(EndlessServer, IsGivenUp) {
  FilmServer server([](const std::string& /*head*/, FilmServer::Client& client) {
    const Endless& answer = GetParam();
    if (!client.send(answer.head)) return;
    while (client.send(answer.piece) && client.wait(answer.pause)) {
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(refusal(server.address(), from_anywhere()),
              AllOf(HasSubstr(server.address()), HasSubstr(GetParam().said), Not(HasSubstr("\n"))));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(HttpFilm, WithoutEndIsBoundedByTheSpool) {
  const std::string film = testing::bytes_of(testing::film("H264OpenGopsTs"));
  FilmServer server([&](const std::string& /*head*/, FilmServer::Client& client) {
    client.send("HTTP/1.1 200 OK\r\n\r\n");
    while (client.send(film)) {
    }
  });
  ReaderOptions options = from_anywhere();
  options.spool = 5'000'000;
  EXPECT_THAT(refusal(server.address(), options),
              AllOf(HasSubstr("larger than video.spool allows (5000000 bytes)"),
                    HasSubstr("set plan.kind to fps")));
}

TEST(HttpFilm, PasswordsOfAddressesAreNotShown) {
  FilmServer server(testing::with_ranges("no film"));
  const std::string address = server.address();
  const std::string with_password = "http://me:s%40cret@" + address.substr(7);
  for (const bool allowed : {false, true}) {
    ReaderOptions options;
    options.allow_url = allowed;
    const std::string message = refusal(with_password, options);
    EXPECT_THAT(message, HasSubstr("http://me:***@" + address.substr(7)));
    EXPECT_THAT(message, Not(HasSubstr("cret")));
  }
}

TEST(HttpFilm, AddressesWithControlCharactersAreRefused) {
  FilmServer server(testing::without_length(""));
  for (const std::string end : {"\r\n", "\n", "\t", "\x7f", "%0d%0a", "%0A", "%00"}) {
    for (const std::string scheme : {"http", "rtsp"}) {
      const std::string address = scheme + server.address("a" + end + "X-Injected: 1").substr(4);
      EXPECT_THAT(refusal(address, from_anywhere()), HasSubstr("holds control characters"));
    }
  }
  EXPECT_THAT(server.requests(), IsEmpty());
  EXPECT_THAT(refusal("http://[::1/film", from_anywhere()), HasSubstr("is no web address"));
}

// ---- certificates

/// https of OpenSSL's program over a folder, with a certificate that nobody else signed.
class SecureServer {
 public:
  explicit SecureServer(const std::filesystem::path& folder) : folder_(folder) {
    const auto made = testing::run(
        "cd '" + folder.string() +
        "' && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext "
        "subjectAltName=IP:127.0.0.1 -out certificate.pem -keyout key.pem");
    if (made.exit_code != 0) throw std::runtime_error(made.err);
    port_ = 40000 + static_cast<int>(getpid() % 20000);
    child_ = testing::run("cd '" + folder.string() + "' && openssl s_server -quiet -WWW -accept " +
                          std::to_string(port_) +
                          " -cert certificate.pem -key key.pem >log 2>&1 </dev/null & echo $!")
                 .out;
  }
  ~SecureServer() { testing::run("kill " + child_); }
  std::string address(const std::string& name) const {
    return "https://127.0.0.1:" + std::to_string(port_) + "/" + name;
  }
  std::string certificate() const { return (folder_ / "certificate.pem").string(); }

 private:
  std::filesystem::path folder_;
  int port_ = 0;
  std::string child_;
};

TEST(HttpsFilm, NeedsACertificateThatIsTrusted) {
  const testing::TemporaryFolder folder;
  const auto film = testing::film("H264OpenGopsTs");
  std::filesystem::copy_file(film, folder / "film");
  const SecureServer server(folder.path());
  std::string line;
  for (int tries = 0; tries < 100; ++tries) {
    line = refusal(server.address("film"), from_anywhere());
    if (line.find("refused") == std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(line, "video '" + server.address("film") +
                      "' cannot be fetched: its certificate is self-signed; SSL_CERT_FILE=FILE "
                      "names certificates to trust");
  const Variable trusted("SSL_CERT_FILE", server.certificate());
  std::vector<std::string> warnings;
  FrameReader reader(server.address("film"), from_anywhere(&warnings));
  EXPECT_TRUE(all_frames(reader) == frames_of_file(film));
  EXPECT_THAT(warnings, IsEmpty());
}

}  // namespace
}  // namespace moviechat
