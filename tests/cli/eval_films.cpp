#include "cli/eval_films.h"

#include <stdexcept>

#include "base/files.h"

namespace moviechat::cli::testing {

EvalFilms::EvalFilms(int count) {
  constexpr int kDistinct = 10;  // the others are these again
  std::filesystem::create_directories(folder_ / "videos");
  std::filesystem::create_directories(folder_ / "annotations");
  std::string command = "cd " + word("") + " && true";
  for (int i = 1; i <= count; ++i) {
    const std::string name = std::to_string(i);
    if (i > kDistinct) {
      std::filesystem::create_symlink(std::to_string(i % kDistinct + 1) + ".mp4",
                                      folder_ / ("videos/" + name + ".mp4"));
    } else {
      command += " && ffmpeg -v error -f lavfi -i testsrc2=s=64x48:r=10:d=2,hue=h=" +
                 std::to_string(17 * i) + " -c:v mpeg4 videos/" + name + ".mp4";
    }
    annotate(name,
             R"([{"question": "What moves in )" + name +
                 R"(?", "answer": "A box"}, {"question": "Is it day?"}])",
             R"([{"time": 7, "question": "What is seen?", "answer": "A bar"}])");
  }
  const ProgramResult made = moviechat::testing::run(command);
  if (made.exit_code != 0) throw std::runtime_error("no films: " + made.err);
}

void EvalFilms::annotate(const std::string& name, const std::string& whole,
                         const std::string& moments) {
  write_file(folder_ / ("annotations/" + name + ".json"), "{\"info\": {\"video_path\": \"" + name +
                                                              ".mp4\"}, \"global\": " + whole +
                                                              ", \"breakpoint\": " + moments + "}");
}

std::string EvalFilms::eval(const std::string& out, const std::string& more) const {
  return "eval --dataset moviechat-1k --annotations " + word("annotations") + " --videos " +
         word("videos") + " --out " + word(out) +
         " --plan uniform:4 --set memory.policy=keep_all --max-new-tokens 6 " + more;
}

ProgramResult EvalFilms::evaluate(const std::string& out, const std::string& more) const {
  return moviechat(eval(out, more));
}

std::string EvalFilms::predictions(const std::string& out) const {
  return read_file(folder_ / (out + "/predictions.jsonl"), "predictions");
}

std::vector<eval::Prediction> EvalFilms::rows(const std::string& out) const {
  return eval::read_predictions(folder_ / (out + "/predictions.jsonl"));
}

std::string features_file(float largest) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 17, 48), }";
  header.resize(117, ' ');
  std::string text = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n";
  for (int i = 0; i < 40 * 17 * 48; ++i) {
    const float value = static_cast<float>(i % 97) / 97 * largest;
    text.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return text;
}

}  // namespace moviechat::cli::testing
