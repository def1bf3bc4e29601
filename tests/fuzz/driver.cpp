// The main function of a fuzz target where there is no libFuzzer: mutates what a corpus holds, with
// a seed, so that the same command tries the same inputs everywhere. Takes libFuzzer's flags:
//   TARGET [-seed=N] [-runs=N] [-max_total_time=SECONDS] [-max_len=BYTES] [-timeout=SECONDS]
//          [-artifact_prefix=PATH] CORPUS…            a folder of inputs, or one input to run alone
// The input at which the target dies, or for which it takes too long, is written to PATHcrash.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <vector>

#include "fuzz/fuzz.h"

extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string current;             // the input that is tried
std::string artifact = "crash";  // where it is written

void write_current() {
  std::ofstream(artifact, std::ios::binary) << current;
  std::fprintf(stderr, "driver: the input was written to %s (%zu bytes)\n", artifact.c_str(),
               current.size());
}

void die_of(int signal) {
  write_current();
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

void end_badly() {
  try {
    std::rethrow_exception(std::current_exception());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "driver: uncaught exception: %s\n", error.what());
  } catch (...) {
  }
  std::abort();
}

void write_input_at_death() {
  std::set_terminate(end_badly);
  std::signal(SIGALRM, die_of);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(write_current);
  } else {
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, die_of);
  }
  std::signal(SIGABRT, die_of);
}

std::string contents_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Changes inputs a little, several times.
class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, uint64_t seed, size_t longest)
      : corpus_(std::move(corpus)), random_(seed), longest_(longest) {}

  std::string next() {
    std::string input = pick();
    for (uint64_t i = below(8); i != 0; --i) change(input);
    if (input.size() > longest_) input.resize(longest_);
    return input;
  }

 private:
  uint64_t below(uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const std::string& pick() { return corpus_[below(corpus_.size())]; }

  /// A part of an input: where it begins, and how long it is.
  std::pair<size_t, size_t> part_of(const std::string& input, uint64_t longest) {
    const size_t begin = below(input.size() + 1);
    return {begin, below(std::min<uint64_t>(longest, input.size() - begin) + 1)};
  }

  void change(std::string& input) {
    static const std::vector<std::string> kWords = {"0",
                                                    "-1",
                                                    "1e308",
                                                    "-1e-308",
                                                    "nan",
                                                    "9223372036854775807",
                                                    "-9223372036854775808",
                                                    "4294967296",
                                                    "18446744073709551615",
                                                    "null",
                                                    "[[[[[[[[",
                                                    "{",
                                                    "\"",
                                                    "\\u0000",
                                                    "\xff",
                                                    "\xe2\x80\xae",
                                                    "&a",
                                                    "*a",
                                                    "\n",
                                                    std::string(1, '\0')};
    switch (below(8)) {
      case 0:
        if (!input.empty()) input[below(input.size())] ^= static_cast<char>(1 << below(8));
        break;
      case 1:
        if (!input.empty()) input[below(input.size())] = static_cast<char>(below(256));
        break;
      case 2: {
        const auto [begin, count] = part_of(input, 64);
        input.erase(begin, count);
        break;
      }
      case 3: {  // twice, or many times
        const auto [begin, count] = part_of(input, 64);
        const std::string part = input.substr(begin, count);
        for (uint64_t i = below(4) == 0 ? below(64) : 1; i != 0; --i) input.insert(begin, part);
        break;
      }
      case 4:
        input.insert(below(input.size() + 1), kWords[below(kWords.size())]);
        break;
      case 5: {  // a number becomes another
        const size_t digit = input.find_first_of("0123456789", below(input.size() + 1));
        if (digit == std::string::npos) break;
        const size_t end = input.find_first_not_of("0123456789", digit);
        input.replace(digit, std::min(end, input.size()) - digit, kWords[below(9)]);
        break;
      }
      case 6: {  // a part of another input
        const std::string& other = pick();
        const auto [from, count] = part_of(other, 256);
        const auto [to, replaced] = part_of(input, 256);
        input.replace(to, replaced, other, from, count);
        break;
      }
      default:  // cut off
        if (below(4) == 0) input.resize(below(input.size() + 1));
    }
  }

  std::vector<std::string> corpus_;
  std::mt19937_64 random_;
  size_t longest_;
};

void try_input(std::string input, unsigned timeout) {
  current = std::move(input);
  ::alarm(timeout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(current.data()), current.size());
  ::alarm(0);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags = {{"seed", "1"},       {"runs", "-1"},
                                              {"max_len", "4096"}, {"max_total_time", "0"},
                                              {"timeout", "10"},   {"artifact_prefix", ""}};
  std::vector<std::string> corpus;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (word.starts_with("-")) {
      flags[word.substr(1, equals - 1)] =
          equals == std::string::npos ? "" : word.substr(equals + 1);
    } else if (fs::is_directory(word)) {
      std::map<std::string, std::string> in_order;
      for (const auto& entry : fs::directory_iterator(word)) {
        in_order[entry.path().filename()] = contents_of(entry.path());
      }
      for (auto& [name, contents] : in_order) corpus.push_back(std::move(contents));
    } else {
      corpus.push_back(contents_of(word));
      flags["runs"] = "0";
    }
  }
  if (corpus.empty()) corpus.emplace_back();
  artifact = flags["artifact_prefix"] + "crash";
  write_input_at_death();

  const auto timeout = static_cast<unsigned>(std::stoul(flags["timeout"]));
  for (const std::string& input : corpus) try_input(input, timeout);
  const int64_t runs = std::stoll(flags["runs"]);
  const std::chrono::seconds longest(std::stoll(flags["max_total_time"]));
  Mutator mutator(corpus, std::stoull(flags["seed"]), std::stoull(flags["max_len"]));
  const auto begin = Clock::now();
  int64_t done = 0;
  for (; done != runs; ++done) {
    if (longest.count() > 0 && Clock::now() - begin > longest) break;
    try_input(mutator.next(), timeout);
  }
  std::printf("driver: %zu inputs of the corpus and %lld others: fine\n", corpus.size(),
              static_cast<long long>(done));
  return 0;
}
