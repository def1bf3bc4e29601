#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/stage_costs.h"

namespace moviechat::eval {

/// Cost of one video: a line of timings.jsonl. Memory is the peak of the process so far, as
/// neighbouring videos are worked on side by side.
struct VideoCost {
  int64_t index = 0;
  std::string video;
  int64_t questions = 0;
  double watch_seconds = 0;  // from opening to the last embedding
  double answer_seconds = 0;
  std::vector<StageCost> stages;
  int64_t peak_host_bytes = 0;
  std::optional<int64_t> peak_device_bytes;  // nullopt on a CPU
};

/// A figure of all stages as a JSON object by their names, without those of which it is unknown.
template <class Value>
struct StageFigures {
  std::vector<StageCost>& stages;
  Value StageCost::*figure;
};

template <class Visitor>
void visit_fields(VideoCost& o, Visitor& field) {
  field("index", o.index);
  field("video", o.video);
  field("questions", o.questions);
  field("watch_seconds", o.watch_seconds);
  field("answer_seconds", o.answer_seconds);
  field("stages", StageFigures{o.stages, &StageCost::seconds});
  field("peak_host_bytes", o.peak_host_bytes);
  field("peak_device_bytes", o.peak_device_bytes);
  field("stage_peak_host_bytes", StageFigures{o.stages, &StageCost::peak_host_bytes});
  field("stage_peak_device_bytes", StageFigures{o.stages, &StageCost::peak_device_bytes});
}
std::string to_line(const VideoCost& cost);

/// Cost of a run as LOVEU'24 track 1 wants it: means over the videos that were read.
struct CostReport {
  int64_t videos = 0;
  double mean_seconds = 0;  // of watching and answering, while a neighbour may be worked on
  /// Mean seconds a video, and the most memory of all videos. "prompt" is a part of "answer"; what
  /// runs beside a stage is in its memory, too.
  std::vector<StageCost> stages;
  int64_t peak_host_bytes = 0;
  std::optional<int64_t> peak_device_bytes;
};
template <class Visitor>
void visit_fields(CostReport& o, Visitor& field) {
  field("videos", o.videos);
  field("mean_seconds_per_video", o.mean_seconds);
  field("mean_seconds_per_stage", StageFigures{o.stages, &StageCost::seconds});
  field("peak_host_bytes", o.peak_host_bytes);
  field("peak_device_bytes", o.peak_device_bytes);
  field("peak_host_bytes_per_stage", StageFigures{o.stages, &StageCost::peak_host_bytes});
  field("peak_device_bytes_per_stage", StageFigures{o.stages, &StageCost::peak_device_bytes});
}

/// Inverse of to_line(). InputError begins with `origin`.
VideoCost parse_cost(std::string_view line, const std::string& origin);

/// Cost of a run from the lines of timings.jsonl. Of several lines of one video the last counts;
/// lines of another format are left out.
CostReport cost_report(const std::vector<std::string>& lines);
/// Writes cost.json.
void write_cost(const std::filesystem::path& folder, const CostReport& report);
/// Cost in two or three lines of text.
std::string to_text(const CostReport& report);

}  // namespace moviechat::eval
