#include "cli/flags.h"

namespace moviechat::cli {
namespace {

constexpr std::string_view kInput = "Input";
constexpr std::string_view kOutput = "Output";
constexpr std::string_view kModel = "Model and machine";
constexpr std::string_view kSettings = "Settings";
constexpr std::string_view kGeneration = "Generation";
constexpr std::string_view kOther = "Other";

}  // namespace

const std::vector<Flag>& flags() {
  static const std::vector<Flag> table = {
      {.name = "--video",
       .argument = "FILE",
       .help = "the film: any file that FFmpeg reads",
       .group = kInput,
       .example = "film.mp4"},
      {.name = "--question",
       .argument = "TEXT",
       .help = "a question; give it again for more: one pass over the film answers all",
       .group = kInput,
       .example = "'What happens?'",
       .repeats = true},
      {.name = "--at",
       .argument = "TIME",
       .help =
           "ask about this moment: seconds, MM:SS or H:MM:SS. Once: for all questions; as often "
           "as --question: one for each; without it, questions are about the whole film",
       .group = kInput,
       .example = "12:34",
       .repeats = true},
      {.name = "--at-frame",
       .argument = "N",
       .help = "like --at, as a frame index",
       .group = kInput,
       .example = "1800",
       .repeats = true},
      {.name = "--questions",
       .argument = "FILE",
       .help = "questions as JSON lines: {\"question\": TEXT, \"at\": TIME or \"at_frame\": N if "
               "about a moment}; - reads stdin",
       .group = kInput,
       .example = "questions.jsonl"},
      {.name = "--strict",
       .help = "make a damaged or truncated film an error, not a warning",
       .group = kInput,
       .setting = "video.strict"},
      {.name = "--allow-url",
       .help = "open http, https and rtsp inputs too",
       .group = kInput,
       .setting = "video.allow_url"},

      {.name = "--format",
       .argument = "FORMAT",
       .help = "how answers are printed: text (a line each), json (one object), jsonl (an object "
               "each), srt (subtitles)",
       .group = kOutput,
       .example = "srt",
       .values = "text json jsonl srt"},
      {.name = "--json", .help = "the same as --format json", .group = kOutput},
      {.name = "--evidence",
       .help = "name the time spans that each answer rests on",
       .group = kOutput},
      {.name = "--frames",
       .argument = "DIR",
       .help =
           "write the frames that the plan reads into a new folder, as PNG of the size that the "
           "model sees, with frames.json (index, pts, seconds)",
       .group = kOutput,
       .example = "frames"},
      {.name = "--log-level",
       .argument = "LEVEL",
       .help =
           "what is told on stderr: error, warn, info (progress too; default) or debug (timings "
           "too)",
       .group = kOutput,
       .example = "debug",
       .values = "error warn info debug"},
      {.name = "--quiet", .help = "the same as --log-level error", .group = kOutput},

      {.name = "--model",
       .argument = "DIR",
       .help = "the model bundle; trust it like a program. Default: the mini bundle that came with "
               "the program",
       .group = kModel,
       .example = "models/mini"},
      {.name = "--device",
       .argument = "DEVICE",
       .help = "cpu, cuda, cuda:INDEX, or auto: CUDA when there is one",
       .group = kModel,
       .example = "cuda:1",
       .values = "auto cpu cuda",
       .setting = "runtime.device"},
      {.name = "--dtype",
       .argument = "DTYPE",
       .help = "fp32, fp16, bf16, or auto: fp16 on CUDA, fp32 on a CPU",
       .group = kModel,
       .example = "bf16",
       .values = "auto fp32 fp16 bf16",
       .setting = "runtime.dtype"},
      {.name = "--threads",
       .argument = "N",
       .help = "CPU threads; 0: one per core",
       .group = kModel,
       .example = "4",
       .setting = "runtime.threads"},
      {.name = "--batch",
       .argument = "N",
       .help = "frames encoded together",
       .group = kModel,
       .example = "8",
       .setting = "runtime.batch"},
      {.name = "--verify",
       .argument = "HOW",
       .help = "check of the bundle: full (every part's hash) or quick (only the self-test)",
       .group = kModel,
       .example = "quick",
       .values = "full quick",
       .setting = "runtime.verify"},

      {.name = "--profile",
       .argument = "NAME",
       .help =
           "the choices of the paper, of the authors' released code, or uniform sampling without "
           "a memory",
       .group = kSettings,
       .example = "released",
       .values = "paper released uniform",
       .setting = "profile"},
      {.name = "--config",
       .argument = "FILE",
       .help = "settings from a YAML file",
       .group = kSettings,
       .example = "my.yaml"},
      {.name = "--set",
       .argument = "KEY=VALUE",
       .help = "any setting by its dotted name; --print-config lists them",
       .group = kSettings,
       .example = "memory.keep=3",
       .repeats = true},
      {.name = "--plan",
       .argument = "PLAN",
       .help = "which frames are read: clips, released, uniform:N (N frames) or fps:R (R a second)",
       .group = kSettings,
       .example = "uniform:32",
       .values = "clips released uniform: fps:",
       .setting = "plan"},
      {.name = "--print-config",
       .help = "print all settings as --config reads them, and do nothing else",
       .group = kSettings},

      {.name = "--max-new-tokens",
       .argument = "N",
       .help = "longest answer, in tokens",
       .group = kGeneration,
       .example = "60",
       .setting = "generation.max_new_tokens"},
      {.name = "--min-new-tokens",
       .argument = "N",
       .help = "shortest answer, in tokens",
       .group = kGeneration,
       .example = "5",
       .setting = "generation.min_new_tokens"},
      {.name = "--temperature",
       .argument = "T",
       .help = "0: always the likeliest token; else sample, the bolder the higher",
       .group = kGeneration,
       .example = "0.7",
       .setting = "generation.temperature"},
      {.name = "--top-p",
       .argument = "P",
       .help = "sample from the likeliest tokens that reach this probability; 1: from all",
       .group = kGeneration,
       .example = "0.9",
       .setting = "generation.top_p"},
      {.name = "--top-k",
       .argument = "K",
       .help = "sample from the K likeliest tokens; 0: from all",
       .group = kGeneration,
       .example = "50",
       .setting = "generation.top_k"},
      {.name = "--seed",
       .argument = "N",
       .help = "seed of the sampling",
       .group = kGeneration,
       .example = "7",
       .setting = "generation.seed"},
      {.name = "--beams",
       .argument = "N",
       .help = "beams searched; 1: none",
       .group = kGeneration,
       .example = "3",
       .setting = "generation.beams"},
      {.name = "--repetition-penalty",
       .argument = "X",
       .help = "above 1 makes tokens of the answer less likely to come again",
       .group = kGeneration,
       .example = "1.2",
       .setting = "generation.repetition_penalty"},
      {.name = "--length-penalty",
       .argument = "X",
       .help = "with beams: above 0 favours longer answers",
       .group = kGeneration,
       .example = "1",
       .setting = "generation.length_penalty"},

      {.name = "--version", .help = "print the version", .group = kOther},
      {.name = "--help", .help = "print this help", .group = kOther},
  };
  return table;
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : flags()) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

}  // namespace moviechat::cli
