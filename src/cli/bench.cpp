#include "cli/bench.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/version.h>

#include "base/message.h"
#include "bundle/device.h"
#include "bundle/limits.h"

namespace moviechat::cli {
namespace {

struct LimitsReport {
  torch::Device device;
  int threads = 0;
  std::vector<Limit> limits;
};

Json limits_json(const LimitsReport& report) {
  Json json;
  json["schema_version"] = 1;
  json["version"] = MOVIECHAT_VERSION;
  json["libtorch"] = TORCH_VERSION;
  json["device"] = report.device.str();
  json["threads"] = report.threads;
  json["cpu_capability"] = at::get_cpu_capability();
  json["limits"] = Json::array();
  for (const Limit& limit : report.limits) {
    Json one = {{"kind", name_of(limit.kind)}, {"weights", limit.weights}};
    if (!limit.activations.empty()) one["activations"] = limit.activations;
    if (limit.unavailable.empty()) {
      const bool gemm = limit.kind == LimitKind::gemm;
      one["shape"] = limit.shape;
      one[gemm ? "operations" : "bytes"] = limit.work;
      one["seconds"] = limit.seconds;
      one[gemm ? "operations_per_second" : "bytes_per_second"] = limit.per_second();
    } else {
      one["unavailable"] = limit.unavailable;
    }
    json["limits"].push_back(std::move(one));
  }
  return json;
}

std::string limit_line(const Limit& limit) {
  const std::string dtypes = limit.activations.empty() || limit.activations == limit.weights
                                 ? limit.weights
                                 : limit.weights + " weights, " + limit.activations;
  if (!limit.unavailable.empty()) {
    return fmt::format("  {:<20} {:>10}   {}\n", dtypes, "-", one_line(limit.unavailable));
  }
  return fmt::format("  {:<20} {:>10.1f}   {}\n", dtypes, limit.per_second() / 1e9,
                     fmt::join(limit.shape, "x"));
}

std::string limits_text(const LimitsReport& report) {
  std::string text =
      fmt::format("device  {}, {} CPU threads ({}), libtorch {}\n", report.device.str(),
                  report.threads, at::get_cpu_capability(), TORCH_VERSION);
  std::optional<LimitKind> last;
  for (const Limit& limit : report.limits) {
    if (last != limit.kind) {
      last = limit.kind;
      text += limit.kind == LimitKind::gemm ? "\nmatrix x matrix          GFLOP/s   weights\n"
              : limit.kind == LimitKind::matrix_vector
                  ? "\nvector x matrix             GB/s   weights\n"
                  : "\nreading                     GB/s\n";
    }
    text += limit_line(limit);
  }
  return text;
}

}  // namespace

CLI::App* add_bench(CLI::App& program, BenchOptions& options) {
  CLI::App* bench = add_command(
      program, "bench", "measure what the machine can do: limits",
      "limits: what the libraries in use reach on a device: matrix multiplication by dtype "
      "(GFLOP/s), vector times matrix by dtype of the weights and plain reading (GB/s). No model "
      "is faster than these. Needs no bundle.",
      {"moviechat bench limits --seconds 1", "moviechat bench limits --seconds 1 --json"});
  set_words(add_operand(*bench, "WHAT", options.what), "limits");
  add_heading(*bench, "Input");
  add_value(*bench, "--seconds S", options.seconds, "how long to measure, in all", "5",
            Range<double>{0, 3600, false});
  add_heading(*bench, "Output");
  add_format_flags(*bench, options.format, "limits are printed: text (the default) or json",
                   "text json");
  add_log_flags(*bench, options.log);
  add_heading(*bench, "Model and machine");
  add_setting_flags(*bench, options.runtime, {"--device", "--threads"});
  return bench;
}

void run_bench(const BenchOptions& options, const CancelFlag& cancel) {
  Messages messages(options.log.level());
  const Callbacks callbacks = callbacks_of(messages, cancel);
  if (!options.what) {
    throw InputError("nothing to measure; give what: moviechat bench limits");
  }
  if (*options.what != "limits") {
    throw input_error("bench knows limits, got '{}'", *options.what);
  }
  const Format format = options.format.text_or_json("bench");
  const RuntimeOptions runtime =
      merge_runtime(options.runtime, moviechat_environment(), callbacks.warn);
  Results results;
  if (runtime.threads > 0) at::set_num_threads(static_cast<int>(runtime.threads));
  const torch::Device device = choose_device(runtime.device);
  const LimitsReport report{
      .device = device,
      .threads = at::get_num_threads(),
      .limits = measure_limits(device, options.seconds, callbacks.progress, &cancel)};
  messages.clear_bar();
  results.write(format == Format::json ? printed(limits_json(report)) : limits_text(report));
}

}  // namespace moviechat::cli
