// What reaches a terminal, and what signals and limits that the program was started with do.

#include "cli/terminal.h"

#include <gmock/gmock.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "cli/eval_films.h"
#include "program.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::run;
using moviechat::testing::TemporaryFolder;
using testing::EvalFilms;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::shell_word;
namespace fs = std::filesystem;

/// All that a shell command line writes to a terminal of so many columns.
std::string on_terminal(const std::string& command, const std::string& term, int columns) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("TERM", term.c_str(), 1);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  std::string shown;
  std::array<char, 4096> buffer{};
  for (ssize_t count; (count = ::read(terminal, buffer.data(), buffer.size())) > 0;) {
    shown.append(buffer.data(), static_cast<size_t>(count));
  }
  ::close(terminal);
  ::waitpid(child, nullptr, 0);
  return shown;
}

std::string program_of_tiny() {
  return "MOVIECHAT_MODEL=" + shell_word(moviechat::testing::tiny_bundle().string()) + " " +
         testing::program() + " ";
}

/// A question about a minute of film, long enough for a bar.
std::string long_question(const TemporaryFolder& folder) {
  const std::string film = shell_word((folder / "film.mp4").string());
  const auto made = run(
      "ffmpeg -v error -f lavfi -i testsrc2=s=320x240:r=25:d=60 -c:v libx264 -preset ultrafast " +
      film);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  return program_of_tiny() + "--question a --plan fps:25 --video " + film;
}

TEST(Terminal, ThatCanNothingGetsNoEscapes) {
  const TemporaryFolder folder;
  const std::string question = long_question(folder);
  for (const char* term : {"dumb", ""}) {
    EXPECT_THAT(on_terminal(question, term, 80), Not(HasSubstr("\x1b"))) << term;
  }
  EXPECT_THAT(on_terminal(question, "xterm", 80), HasSubstr("\x1b[K"));
}

TEST(Terminal, OfFewColumnsIsNeverWrittenOverTheEdge) {
  const TemporaryFolder folder;
  const std::string question = long_question(folder);
  for (const int columns : {10, 20, 40}) {
    std::istringstream shown(on_terminal(question, "xterm", columns));
    for (std::string bar; std::getline(shown, bar, '\r');) {
      if (!bar.starts_with("\x1b[K")) continue;
      EXPECT_LE(bar.size() - 3, static_cast<size_t>(columns)) << bar;
    }
  }
}

TEST(Terminal, IsNotSteeredByNames) {
  const TemporaryFolder folder;
  const fs::path film = folder /
                        "evil\xC2\x9B"
                        "2J\x1b]0;title\x07name.mp4";
  std::ofstream(film) << "no film";
  for (const fs::path& path : {film, fs::path(film.string() + "2")}) {
    const std::string shown = on_terminal(
        program_of_tiny() + "--question a --video " + shell_word(path.string()), "xterm", 80);
    EXPECT_THAT(shown, HasSubstr("evil 2J ]0;title name.mp4"));
  }
}

TEST(Terminal, MessagesHaveABoundedLength) {
  const TemporaryFolder folder;
  std::ofstream(folder / "q.jsonl")
      << "{\"question\": \"a\", \"" << std::string(1 << 20, 'k') << "\": 1}\n";
  const auto result = testing::moviechat("--video " + testing::film() + " --questions " +
                                         shell_word((folder / "q.jsonl").string()));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown key 'kkk"));
  EXPECT_THAT(result.err, HasSubstr("expected question, at or at_frame"));
  EXPECT_LT(result.err.size(), 1000U);
}

/// As by nohup, or in the background of a script.
TEST(Inherited, SignalsThatAreIgnoredStayIgnored) {
  const TemporaryFolder folder;
  const std::string question = long_question(folder);
  for (const char* signal : {"INT", "TERM", "HUP"}) {
    const auto result =
        run("bash -c " + shell_word("trap '' " + std::string(signal) + "; " + question +
                                    " & pid=$!; while kill -" + signal +
                                    " $pid 2>/dev/null; do sleep 0.1; done; wait $pid"));
    EXPECT_EQ(result.exit_code, 0) << signal << ": " << result.err;
    EXPECT_FALSE(result.out.empty());
  }
}

TEST(Inherited, ALimitOnTheSizeOfFilesIsSaidAndNothingIsLeft) {
  const EvalFilms films(1);
  for (const char* kibibytes : {"0", "1"}) {
    const std::string out = "out" + std::string(kibibytes);
    // Through a pipe: the limit holds for a file that takes the messages, too.
    const auto result = run("bash -c " + shell_word("(ulimit -f " + std::string(kibibytes) + "; " +
                                                    program_of_tiny() + films.eval(out) +
                                                    ") 2>&1 | cat; exit ${PIPESTATUS[0]}"));
    EXPECT_EQ(result.exit_code, 1) << result.out;
    EXPECT_THAT(result.out, HasSubstr(" bytes here (ulimit -f)"));
    for (const auto& entry : fs::directory_iterator(films / out)) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
    }
  }
}

}  // namespace
}  // namespace moviechat::cli
