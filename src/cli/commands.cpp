#include "cli/commands.h"

#include <algorithm>

namespace moviechat::cli {
namespace {

const std::vector<std::string_view> kSettingsFlags = {"--profile", "--config", "--set", "--plan",
                                                      "--print-config"};

std::vector<std::string_view> joined(std::vector<std::string_view> a,
                                     const std::vector<std::string_view>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<std::string_view> everywhere = {"--version", "--help"};
  static const std::vector<std::string_view> machine = {"--model", "--device", "--dtype",
                                                        "--threads", "--verify"};
  static const std::vector<Command> table = {
      {.name = "ask",
       .summary = "answer questions about a film (the default: the word may be left out)",
       .description = "Watches a film once and answers questions about the whole of it, or about "
                      "moments. Answers go to stdout, everything else to stderr.",
       .formats = "text json jsonl srt",
       .flags = joined(joined({"--video",          "--features",
                               "--features-fps",   "--features-duration",
                               "--question",       "--at",
                               "--at-frame",       "--questions",
                               "--strict",         "--allow-url",
                               "--format",         "--json",
                               "--evidence",       "--log-level",
                               "--quiet",          "--batch",
                               "--max-new-tokens", "--min-new-tokens",
                               "--temperature",    "--top-p",
                               "--top-k",          "--seed",
                               "--beams",          "--repetition-penalty",
                               "--length-penalty"},
                              joined(machine, kSettingsFlags)),
                       everywhere),
       .examples = {"moviechat --video film.mp4 --question 'What is the colour of the background?'",
                    "moviechat --video film.mp4 --question 'What moves?' --at 0:30 --evidence",
                    "moviechat --video film.mp4 --questions questions.jsonl --json",
                    "moviechat --video film.mp4 --question 'What moves?' --plan uniform:32 "
                    "--format srt",
                    "moviechat --features film.safetensors --question 'What moves?' --at 0:20",
                    "cat film.mp4 | moviechat --video - --question 'What moves?'",
                    "moviechat --profile released --set generation.seed=7 --print-config"}},
      {.name = "inspect",
       .operand = "VIDEO|BUNDLE",
       .operand_needed = true,
       .summary = "show a video's plan, frames and timestamps, or a bundle's parts and self-test",
       .description =
           "Of a video: what it is, and the frames that a plan reads, with their "
           "timestamps. Of a bundle (a folder): its parts, sizes, hashes and sources, the result "
           "of its self-test, and the memory that it needs on the device.",
       .formats = "text json",
       .flags = joined(joined({"--strict", "--allow-url", "--format", "--json", "--frames",
                               "--log-level", "--quiet"},
                              joined(machine, kSettingsFlags)),
                       everywhere),
       .examples = {"moviechat inspect film.mp4 --plan uniform:8",
                    "moviechat inspect film.mp4 --plan fps:1 --frames frames --json",
                    "moviechat inspect models/mini"}},
      {.name = "eval",
       .summary = "answer the questions of a data set, video by video",
       .description =
           "Reads a data set's annotations, watches each of its videos once, and writes the "
           "answers, a line a video, into a folder: predictions.jsonl, beside manifest.json (what "
           "the run is), timings.jsonl and cost.json (what it cost), status.json (how far it is). "
           "A run that was stopped goes on with --resume; shards of it can run anywhere. Exit code "
           "3: a video could not be read, or a question not asked; its line says why. Profile text "
           "asks without any video.",
       .formats = "moviechat",
       .flags = joined(joined({"--dataset",
                               "--features",
                               "--annotations",
                               "--videos",
                               "--out",
                               "--mode",
                               "--limit",
                               "--shard",
                               "--resume",
                               "--retry-failed",
                               "--strict",
                               "--format",
                               "--evidence",
                               "--log-level",
                               "--quiet",
                               "--batch",
                               "--max-new-tokens",
                               "--min-new-tokens",
                               "--temperature",
                               "--top-p",
                               "--top-k",
                               "--seed",
                               "--beams",
                               "--repetition-penalty",
                               "--length-penalty"},
                              joined(machine, kSettingsFlags)),
                       everywhere),
       .examples =
           {"moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out run",
            "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out run "
            "--resume",
            "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out u8 "
            "--plan "
            "uniform:8",
            "moviechat eval --dataset moviechat-1k --annotations qa --out text --profile text",
            "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out s1 "
            "--shard "
            "1/2",
            "moviechat eval --dataset moviechat-1k --annotations qa --videos videos --out s2 "
            "--shard "
            "2/2"}},
      {.name = "merge",
       .operand = "OUT...",
       .operand_needed = true,
       .operand_repeats = true,
       .summary = "put the shards of an evaluation together",
       .description = "Run folders of all shards of one eval -> one run folder, the same as if the "
                      "whole had been run at once. Shards of other runs, missing and unfinished "
                      "ones are refused.",
       .formats = "moviechat",
       .flags = joined({"--out", "--format"}, everywhere),
       .examples = {"moviechat merge s1 s2 --out whole"}},
      {.name = "score",
       .operand = "RUN...",
       .operand_needed = true,
       .operand_repeats = true,
       .summary = "score the answers of an evaluation, or compare two",
       .description =
           "Reads what eval wrote (its folder or predictions.jsonl; also predictions in the shape "
           "of MovieChat's authors) and says how right it is: of all questions, by mode, category "
           "and length of video, with intervals; of two runs over the same questions also how "
           "they differ. --out DIR writes report.txt, report.json, report.md, report.html and "
           "scores.jsonl (a line a question). A judge is asked with the authors' prompt. Exit code "
           "3: it gave no verdict on some answers, which are left out.",
       .flags = joined({"--videos", "--out", "--json", "--markdown", "--html", "--log-level",
                        "--quiet", "--metric", "--resamples", "--judge-url", "--judge-model",
                        "--judge-key-env", "--judge-concurrency", "--judge-retries",
                        "--judge-timeout", "--judge-body", "--judge-verdicts"},
                       everywhere),
       .examples = {"moviechat score run", "moviechat score run --metric exact,rouge-l --markdown",
                    "moviechat score run u8 --json",
                    "moviechat score run --videos videos --out report"}},
      {.name = "bench",
       .operand = "WHAT",
       .operand_values = "limits",
       .operand_needed = true,
       .summary = "measure what the machine can do: limits",
       .description =
           "limits: what the libraries in use reach on a device: matrix multiplication by "
           "dtype (GFLOP/s), vector times matrix by dtype of the weights and plain "
           "reading (GB/s). No model is faster than these. Needs no bundle.",
       .formats = "text json",
       .flags = joined(
           {"--seconds", "--format", "--json", "--log-level", "--quiet", "--device", "--threads"},
           everywhere),
       .examples = {"moviechat bench limits --seconds 1",
                    "moviechat bench limits --seconds 1 --json"}},
      {.name = "completions",
       .operand = "SHELL",
       .operand_values = "bash zsh fish",
       .operand_needed = true,
       .summary = "print completions for bash, zsh or fish",
       .description = "Prints a script that teaches a shell to complete moviechat's command line.",
       .flags = everywhere,
       .examples = {"moviechat completions bash > moviechat.bash",
                    "moviechat completions zsh > _moviechat",
                    "moviechat completions fish > moviechat.fish"}},
      {.name = "man",
       .summary = "print the manual page (roff)",
       .description = "Prints the manual page; man -l reads it.",
       .flags = everywhere,
       .examples = {"moviechat man > moviechat.1"}},
  };
  return table;
}

std::vector<const Flag*> flags_of(const Command& command) {
  std::vector<const Flag*> chosen;
  for (const Flag& flag : flags()) {
    if (std::find(command.flags.begin(), command.flags.end(), flag.name) != command.flags.end()) {
      chosen.push_back(&flag);
    }
  }
  return chosen;
}

}  // namespace moviechat::cli
