#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moviechat/callbacks.h"
#include "moviechat/fields.h"
#include "moviechat/time.h"

namespace moviechat::eval {

/// Kinds of annotations. Their formats, with the places of publication, stand beside the readers.
enum class DataSetKind {
  moviechat_1k,
  moviechat_1k_test,
  loveu_24,
  msvd_qa,
  msrvtt_qa,
  activitynet_qa,
  flash_vstream,
  lmms_eval,
  vlmevalkit,
  jsonl,
};

/// Selection of questions: those about whole films, those about moments, or all.
enum class Mode { global, breakpoint, both };

/// Question of a data set, with its right answer where that is known.
struct Item {
  std::string id;  // unique in the data set: "1/g0", or the annotation's own
  std::string question;
  std::optional<std::string> reference;  // the right answer, where it is published
  std::optional<std::string> category;
  std::optional<int64_t> frame;  // about the moment of this frame, counted from 0 in order of show
  std::optional<Seconds> at;     // about this moment; never with `frame`

  bool breakpoint() const { return frame.has_value() || at.has_value(); }
};

/// Film of a data set with all its questions.
struct Film {
  std::string name;                     // as the annotation has it: "1.mp4"
  std::string id;                       // its name without folder and extension: "1"
  std::vector<std::string> file_names;  // what its file may be called, likeliest first
  std::vector<Item> items;              // in the annotation's order
  std::optional<double> fps;            // of the film that was annotated
  std::optional<int64_t> frames;        // of that one
};

/// Annotations: every film once, in their order.
struct DataSet {
  DataSetKind kind = DataSetKind::jsonl;
  std::vector<Film> films;

  int64_t questions() const;
  /// Hash of the contents, however the files spell them.
  std::string sha256() const;
};

/// Reads a file or folder of annotations. InputError names the file, row and field that is wrong;
/// oddities that can be read (ids given twice) are reported to `warn`.
DataSet read_data_set(DataSetKind kind, const std::filesystem::path& annotations,
                      const WarningSink& warn);

/// Data set with the questions of a mode alone; films without any are left out.
DataSet only(DataSet data, Mode mode);

}  // namespace moviechat::eval

namespace moviechat {
template <>
struct EnumNames<eval::DataSetKind> {
  using Kind = eval::DataSetKind;
  static constexpr std::array values{
      std::pair{std::string_view("moviechat-1k"), Kind::moviechat_1k},
      std::pair{std::string_view("moviechat-1k-test"), Kind::moviechat_1k_test},
      std::pair{std::string_view("loveu-24"), Kind::loveu_24},
      std::pair{std::string_view("msvd-qa"), Kind::msvd_qa},
      std::pair{std::string_view("msrvtt-qa"), Kind::msrvtt_qa},
      std::pair{std::string_view("activitynet-qa"), Kind::activitynet_qa},
      std::pair{std::string_view("flash-vstream"), Kind::flash_vstream},
      std::pair{std::string_view("lmms-eval"), Kind::lmms_eval},
      std::pair{std::string_view("vlmevalkit"), Kind::vlmevalkit},
      std::pair{std::string_view("jsonl"), Kind::jsonl}};
};
template <>
struct EnumNames<eval::Mode> {
  static constexpr std::array values{
      std::pair{std::string_view("global"), eval::Mode::global},
      std::pair{std::string_view("breakpoint"), eval::Mode::breakpoint},
      std::pair{std::string_view("both"), eval::Mode::both}};
};
}  // namespace moviechat
