#include "cli/bench.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <array>
#include <cstdio>

#include "bundle/device.h"
#include "bundle/limits.h"

namespace moviechat::cli {
namespace {

struct LimitsReport {
  torch::Device device;
  int threads = 0;
  std::vector<Limit> limits;
};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

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
  std::array<char, 128> line{};
  if (limit.unavailable.empty()) {
    std::snprintf(line.data(), line.size(), "  %-20s %10.1f   %s\n", dtypes.c_str(),
                  limit.per_second() / 1e9, shape_text(limit.shape).c_str());
    return line.data();
  }
  std::snprintf(line.data(), line.size(), "  %-20s %10s   ", dtypes.c_str(), "-");
  return line.data() + one_line(limit.unavailable) + "\n";
}

std::string limits_text(const LimitsReport& report) {
  std::string text = "device  " + report.device.str() + ", " + std::to_string(report.threads) +
                     " CPU threads (" + at::get_cpu_capability() +
                     "), libtorch " TORCH_VERSION "\n";
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

BenchOptions read_bench(const Arguments& arguments, const Environment& environment,
                        Messages& messages) {
  BenchOptions options;
  const std::string what = arguments.operand.value_or("");
  if (what != "limits") {
    throw InputError(what.empty() ? "nothing to measure; give what: moviechat bench limits"
                                  : "bench knows limits, got '" + what + "'");
  }
  options.format = format_of(arguments);
  if (options.format != Format::text && options.format != Format::json) {
    throw InputError("bench prints text or json, got --format " + to_text(options.format));
  }
  if (const auto seconds = arguments.value("--seconds")) {
    from_text("--seconds", *seconds, options.seconds, {0, 3600, false});
  }
  options.runtime =
      merge_runtime(arguments, environment, [&](const std::string& line) { messages.warn(line); });
  return options;
}

void run_bench(const BenchOptions& options, Messages& messages, const CancelFlag& cancel) {
  Results results;
  const RuntimeOptions& runtime = options.runtime;
  if (runtime.threads > 0) at::set_num_threads(static_cast<int>(runtime.threads));
  const torch::Device device = choose_device(runtime.device);
  const LimitsReport report{
      .device = device,
      .threads = at::get_num_threads(),
      .limits = measure_limits(
          device, options.seconds, [&](const Progress& progress) { messages.progress(progress); },
          &cancel)};
  messages.clear_bar();
  results.write(options.format == Format::json ? json_text(limits_json(report))
                                               : limits_text(report));
}

}  // namespace moviechat::cli
