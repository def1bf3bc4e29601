#include <gmock/gmock.h>

#include "base/json.h"

#include "program.h"

namespace moviechat::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::moviechat;

TEST(Bench, LimitsAsJsonSayWhatWasMeasuredAndOnWhat) {
  const auto result =
      moviechat("bench limits --seconds 0.5 --threads 1 --device cpu --json --quiet");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  const json report = json::parse(result.out);
  EXPECT_EQ(report.at("schema_version"), 1);
  EXPECT_EQ(report.at("device"), "cpu");
  EXPECT_EQ(report.at("threads"), 1);
  EXPECT_EQ(report.at("limits").size(), 10U);
  for (const json& limit : report.at("limits")) {
    const bool gemm = limit.at("kind") == "gemm";
    const double work = limit.at(gemm ? "operations" : "bytes");
    const double rate = limit.at(gemm ? "operations_per_second" : "bytes_per_second");
    EXPECT_GT(rate, 0);
    EXPECT_NEAR(rate * limit.at("seconds").get<double>(), work, 1e-6 * work);
  }
}

TEST(Bench, LimitsAsTextAreATableForEachKind) {
  const auto result = moviechat("bench limits --seconds 0.5", "MOVIECHAT_RUNTIME_THREADS=1");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1 CPU threads"));
  for (const char* part : {"GFLOP/s", "GB/s", "fp32", "fp16", "bf16", "int8 weights, bf16"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
}

TEST(Bench, MistakesAreNamed) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"bench", "nothing to measure"},
      {"bench all", "bench knows limits, got 'all'"},
      {"bench limits --seconds 0", "--seconds must be over 0"},
      {"bench limits --seconds nan", "--seconds must be"},
      {"bench limits --seconds 1e9", "at most 3600, got 1e9"},
      {"bench limits --format srt", "bench prints text or json"},
      {"bench limits --threads -1", "runtime.threads must be 0"},
      {"bench limits --device tpu", "device must be cpu, cuda"},
      {"bench limits --model x", "unknown flag '--model' for 'bench'"}};
  for (const auto& [arguments, expected] : mistakes) {
    const auto result = moviechat(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_THAT(result.out, IsEmpty()) << arguments;
    EXPECT_THAT(result.err, HasSubstr(expected));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

}  // namespace
}  // namespace moviechat::cli
