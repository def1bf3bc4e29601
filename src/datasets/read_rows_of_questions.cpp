
#include <algorithm>

#include "base/files.h"
#include "base/message.h"
#include "base/utf8.h"
#include "datasets/readers.h"

// Data sets that are rows, each a question with its video.

namespace moviechat::eval {
namespace {

namespace fs = std::filesystem;

/// Names of the fields of a row.
struct RowShape {
  FieldNames video;
  FieldNames id = {};
  FieldNames question = {"question"};
  FieldNames answer = {"answer"};
  FieldNames category = {};
  FieldNames frame = {};  // of a breakpoint, as a frame index
  FieldNames at = {};     // of a breakpoint, as a time
};

Item item_of(const Row& row, const RowShape& shape) {
  Item item;
  item.id = row.optional_text(shape.id).value_or("");
  item.question = row.text(shape.question);
  item.reference = row.optional_text(shape.answer);
  item.category = row.optional_text(shape.category);
  item.frame = row.count(shape.frame);
  item.at = row.moment(shape.at);
  if (item.frame && item.at) {
    row.refuse(*shape.at.begin(), "and a frame contradict each other; give one of them");
  }
  return item;
}

/// Rows → films. `revise` may change an item, or the film's file names, by its row.
template <class Revise>
std::vector<Film> films_of(const std::vector<Row>& rows, const RowShape& shape,
                           const WarningSink& warn, Revise revise) {
  FilmList films(warn);
  for (const Row& row : rows) {
    Film& film = films.film(row.text(shape.video));
    Item item = item_of(row, shape);
    revise(row, film, item);
    films.add(film, std::move(item), row.where());
  }
  return films.take();
}

std::vector<Film> films_of(const std::vector<Row>& rows, const RowShape& shape,
                           const WarningSink& warn) {
  return films_of(rows, shape, warn, [](const Row&, Film&, Item&) {});
}

/// The file beside `path`, or in it when it is a folder, if there is one.
std::optional<fs::path> beside(const fs::path& path, const std::string& name) {
  const fs::path file = (fs::is_directory(path) ? path : path.parent_path()) / name;
  if (fs::is_regular_file(file)) return file;
  return std::nullopt;
}

/// `path`, or the file `name` in it when it is a folder.
fs::path file_or_in_folder(const fs::path& path, const std::string& name) {
  if (!fs::is_directory(path)) return path;
  if (const auto file = beside(path, name)) return *file;
  throw input_error("'{}' is a folder without {}", path.string(), name);
}

/// youtube_mapping.txt of MSVD: lines "-4wsuPCjDBc_5_15 vid1" → vid1: -4wsuPCjDBc_5_15
std::map<std::string, std::string> youtube_names(const fs::path& file) {
  std::map<std::string, std::string> name_of;
  std::istringstream lines(read_file(file, "video names"));
  for (std::string name, id; lines >> name >> id;) name_of[id] = name;
  return name_of;
}

/// Options as a list, or as a list in JSON (in a cell of a table).
std::vector<std::string> options_of(const Row& row) {
  std::vector<std::string> options;
  for (const char* name : {"options", "candidates", "choices"}) {
    const auto found = row.fields().find(name);
    if (found == row.fields().end() || found->is_null() || *found == "") continue;
    nlohmann::json list = *found;
    if (list.is_string()) list = parse_json(list.get<std::string>());
    const auto is_text = [](const nlohmann::json& option) { return option.is_string(); };
    if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_text)) {
      row.refuse(name, "must be a list of texts, in a table one in JSON; got " + found->dump());
    }
    for (const nlohmann::json& option : list) options.push_back(option.get<std::string>());
    return options;
  }
  return options;
}

/// Options as the columns A, B, … of a table.
std::vector<std::string> option_columns(const Row& row) {
  std::vector<std::string> options;
  for (char letter = 'A'; letter <= 'Z'; ++letter) {
    const auto option = row.optional_text({std::string_view(&letter, 1)});
    if (!option) break;
    options.push_back(*option);
  }
  return options;
}

/// "A. red", "(B) blue": has its letter already.
bool is_lettered(const std::string& option, char letter) {
  const size_t at = option.starts_with('(') ? 1 : 0;
  return option.size() > at + 1 && option[at] == letter &&
         (option[at + 1] == '.' || option[at + 1] == ')' || option[at + 1] == ':');
}

/// A question of several choices is asked with them, a line each, unless it names them itself.
void add_options(const std::vector<std::string>& options, Item& item) {
  const auto is_named = [&](const std::string& option) {
    return item.question.find(option) != std::string::npos;
  };
  if (std::all_of(options.begin(), options.end(), is_named)) return;
  char letter = 'A';
  for (const std::string& option : options) {
    const std::string mark = is_lettered(option, letter) ? "" : std::string(1, letter) + ". ";
    item.question += fmt::format("\n{}{}", mark, option);
    ++letter;
  }
}

const FieldNames kLmmsVideo = {"video_name", "video", "video_path", "videoID", "video_id"};

/// The right answer that lmms-eval compared with; the first where several are.
nlohmann::json target_of(const Row& row) {
  nlohmann::json target = row.fields().value("target", nlohmann::json());
  if (target.is_array() && !target.empty()) target = target.front();
  return target.is_string() && target != "" ? target : nullptr;
}

/// The data set's row with that answer.
Row document_of(const Row& row) {
  Row document(row.fields()["doc"], row.where() + " doc");
  nlohmann::json fields = document.fields();
  if (const auto target = target_of(row); !target.is_null()) fields["answer"] = target;
  return {std::move(fields), document.where()};
}

/// Fields that a metric keeps of a row: {"gpt_eval_score": {"video_name", "question", "answer", …},
/// …}
Row document_of_metrics(const Row& row) {
  for (const auto& [metric, kept] : row.fields().items()) {
    if (!kept.is_object() || !Row(kept, "").optional_text(kLmmsVideo)) continue;
    nlohmann::json fields = kept;
    if (!fields.contains("answer")) fields["answer"] = target_of(row);
    if (!fields.contains("question"))
      fields["question"] = row.optional_text({"input"}).value_or("");
    return {std::move(fields), fmt::format("{} {}", row.where(), metric)};
  }
  row.refuse("doc", "is missing, and no metric names the video; was it written by --log_samples?");
}

}  // namespace

/// {"video_name": "1.mp4", "question", "answer", "time": FRAME, of breakpoints only}: the rows of
/// huggingface.co/datasets/Enxin/lmms_MovieChat_test, as lmms_eval/tasks/moviechat/utils.py of
/// github.com/EvolvingLMMs-Lab/lmms-eval uses them. JSON, JSON lines, CSV.
std::vector<Film> read_moviechat_1k_test(const fs::path& path, const WarningSink& warn) {
  return films_of(read_rows(path),
                  {.video = {"video_name", "video_path", "video"},
                   .id = {"question_id", "id"},
                   .category = {"category", "type", "class"},
                   .frame = {"time"}},
                  warn);
}

/// [{"answer", "id": 33150, "question", "video_id": 1301}, …]: MSVD-QA's test_qa.json
/// (github.com/xudejing/video-question-answering). The authors' run_inference_qa_msvd.py reads
/// <video_id>.avi; MSVD itself names files by youtube_mapping.txt, which is used when it lies
/// beside.
std::vector<Film> read_msvd_qa(const fs::path& path, const WarningSink& warn) {
  std::map<std::string, std::string> name_of;
  if (const auto mapping = beside(path, "youtube_mapping.txt")) name_of = youtube_names(*mapping);
  const auto add_names = [&](const Row&, Film& film, Item&) {
    if (film.file_names.size() > 1) return;
    film.file_names.push_back("vid" + film.name);
    const auto mapped = name_of.find("vid" + film.name);
    if (mapped != name_of.end()) film.file_names.push_back(mapped->second);
  };
  return films_of(read_rows(file_or_in_folder(path, "test_qa.json")),
                  {.video = {"video_id", "video_name", "video"},
                   .id = {"id", "question_id"},
                   .category = {"type", "category"}},
                  warn, add_names);
}

/// [{"answer", "category_id": 14, "id": 158581, "question", "video_id": 7010}, …]: MSRVTT-QA's
/// test_qa.json (github.com/xudejing/video-question-answering); files are video7010.mp4, as the
/// authors' run_inference_qa_msrvtt.py has it.
std::vector<Film> read_msrvtt_qa(const fs::path& path, const WarningSink& warn) {
  const auto add_name = [](const Row&, Film& film, Item&) {
    if (film.file_names.size() == 1)
      film.file_names.insert(film.file_names.begin(), "video" + film.name);
  };
  return films_of(read_rows(file_or_in_folder(path, "test_qa.json")),
                  {.video = {"video_id", "video_name", "video"},
                   .id = {"id", "question_id"},
                   .category = {"category_id", "category"}},
                  warn, add_name);
}

/// Two lists: test_q.json [{"video_name": "1QIUV7WYKXg", "question", "question_id":
/// "v_1QIUV7WYKXg_3"}, …] and test_a.json [{"answer", "type": 3, "question_id"}, …], as
/// dataset/README.md of github.com/MILVLG/activitynet-qa has it. `path` is the folder or the list
/// of questions; X_a.json is found beside X_q.json. Answers without ids belong to questions by
/// their place (the authors' run_inference_qa_activitynet.py). Files are named with or without
/// "v_".
std::vector<Film> read_activitynet_qa(const fs::path& path, const WarningSink& warn) {
  const fs::path questions = file_or_in_folder(path, "test_q.json");
  std::string name = questions.filename().string();
  const size_t mark = name.rfind("_q.");
  if (mark == std::string::npos) {
    throw input_error(
        "'{}' must be a list of questions named like test_q.json, so that its answers "
        "(test_a.json) are found",
        questions.string());
  }
  name[mark + 1] = 'a';
  const auto answers_file = beside(questions, name);
  if (!answers_file && warn) {
    warn(fmt::format("no answers beside '{}' ({}); none are known", questions.string(), name));
  }
  const std::vector<Row> rows = read_rows(questions);
  const std::vector<Row> answers = answers_file ? read_rows(*answers_file) : std::vector<Row>();
  std::map<std::string, const Row*> answer_of;
  for (const Row& answer : answers) {
    const auto id = answer.optional_text({"question_id"});
    if (id && !answer_of.emplace(*id, &answer).second && warn) {
      warn(fmt::format("{}: question_id '{}' is answered twice; the first answer counts",
                       answer.where(), *id));
    }
  }
  if (answer_of.empty() && !answers.empty() && answers.size() != rows.size()) {
    throw input_error("'{}' has {} answers without ids for {} questions; expected as many",
                      answers_file->string(), answers.size(), rows.size());
  }
  size_t place = 0;
  size_t unanswered = 0;
  const auto add_answer = [&](const Row&, Film& film, Item& item) {
    if (film.file_names.size() == 1) film.file_names.push_back("v_" + film.name);
    const Row* answer = nullptr;
    if (answer_of.empty()) {
      answer = answers.empty() ? nullptr : &answers[place];
    } else if (const auto found = answer_of.find(item.id); found != answer_of.end()) {
      answer = found->second;
    }
    ++place;
    if (answer == nullptr) {
      ++unanswered;
      return;
    }
    item.reference = answer->optional_text({"answer"});
    item.category = answer->optional_text({"type"});
  };
  std::vector<Film> films =
      films_of(rows, {.video = {"video_name"}, .id = {"question_id"}}, warn, add_answer);
  if (answers_file && unanswered > 0 && warn) {
    warn(fmt::format("'{}' answers not {} of {} questions; nothing is known of those",
                     answers_file->string(), unanswered, rows.size()));
  }
  return films;
}

/// test_qa.json of github.com/IVGSZ/Flash-VStream (Flash-VStream-Qwen/data/eval_video/*, and
/// huggingface.co/datasets/IVGSZ/VStream-QA): [{"video_id", "question", "answer", "id"}, …] with
/// "answer_type" or "task_type". Where `answer` is a number, it is the place of the right option,
/// from 0: its letter is the reference.
std::vector<Film> read_flash_vstream(const fs::path& path, const WarningSink& warn) {
  const auto letter = [](const Row& row, Film&, Item& item) {
    const auto answer = row.fields().find("answer");
    if (answer == row.fields().end() || !answer->is_number_integer()) return;
    const auto option = answer->get<int64_t>();
    constexpr int64_t kLetters = 26;
    if (option < 0 || option >= kLetters) {
      row.refuse("answer",
                 "must be the place of an option, 0 to 25, or text; got " + answer->dump());
    }
    item.reference = std::string(1, static_cast<char>('A' + option));
  };
  return films_of(read_rows(file_or_in_folder(path, "test_qa.json")),
                  {.video = {"video_id", "video_name", "video"},
                   .id = {"id", "question_id"},
                   .category = {"answer_type", "task_type", "type"}},
                  warn, letter);
}

/// What lmms-eval --log_samples writes (github.com/EvolvingLMMs-Lab/lmms-eval): JSON lines
/// {"doc_id", "doc": {…the data set's row…}, "target", "resps", …}, or one object with the list
/// "logs" (its older form). `doc` has the fields of the task: MovieChat's are those of its test
/// rows, so `time` is a frame index. Later versions leave `doc` out (save_results_samples in
/// loggers/evaluation_tracker.py); what is known of a row stands with its metrics then, and
/// breakpoints have lost their frame.
std::vector<Film> read_lmms_eval(const fs::path& path, const WarningSink& warn) {
  std::vector<Row> rows = read_rows(path);
  if (rows.size() == 1 && rows[0].fields().contains("logs")) {
    const Row whole = rows[0];
    rows.clear();
    for (const nlohmann::json& log : whole.fields()["logs"]) {
      rows.emplace_back(log, fmt::format("{} logs {}", whole.where(), rows.size() + 1));
    }
  }
  std::vector<Row> documents;
  bool without_frames = false;
  for (const Row& row : rows) {
    const bool whole = row.fields().contains("doc");
    without_frames |= !whole;
    documents.push_back(whole ? document_of(row) : document_of_metrics(row));
  }
  if (without_frames && warn) {
    warn(
        fmt::format("'{}' has rows without doc, as later versions of lmms-eval write them: their "
                    "breakpoints have lost the frame, and are asked about the whole film",
                    path.string()));
  }
  const auto add_name = [](const Row& row, Film& film, Item& item) {
    if (film.file_names.size() == 1) film.file_names.push_back("v_" + film.name);
    add_options(options_of(row), item);
  };
  return films_of(documents,
                  {.video = kLmmsVideo,
                   .id = {"question_id", "qid"},
                   .question = {"question", "query"},
                   .category = {"category", "task_type", "type"},
                   .frame = {"time"}},
                  warn, add_name);
}

/// The table of a VLMEvalKit data set (github.com/open-compass/VLMEvalKit), TSV or CSV: index,
/// video, question, answer; vlmeval/dataset/moviechat1k.py adds mode (global or breakpoint). A
/// breakpoint needs its frame index in `time`.
std::vector<Film> read_vlmevalkit(const fs::path& path, const WarningSink& warn) {
  const auto revise = [](const Row& row, Film&, Item& item) {
    add_options(options_of(row), item);
    add_options(option_columns(row), item);
    const auto found = row.optional_text({"mode"});
    if (!found) return;
    const std::string mode = case_folded(*found);
    if (mode != "global" && mode != "breakpoint") {
      row.refuse("mode", fmt::format("must be global or breakpoint, got '{}'", mode));
    }
    if (mode == "global") item.frame.reset();
    if (mode == "breakpoint" && !item.frame) {
      row.refuse("time", "is missing; expected the breakpoint's frame index");
    }
  };
  return films_of(read_rows(path),
                  {.video = {"video", "video_path", "video_name"},
                   .id = {"index"},
                   .category = {"category", "task_type", "question_type", "type"},
                   .frame = {"time"}},
                  warn, revise);
}

/// Our own: JSON lines {"video", "question"} with, if known, "answer", "id", "category", and "at"
/// (a time as --at takes it) or "at_frame" for a breakpoint.
std::vector<Film> read_jsonl(const fs::path& path, const WarningSink& warn) {
  return films_of(read_rows(path),
                  {.video = {"video"},
                   .id = {"id"},
                   .category = {"category"},
                   .frame = {"at_frame"},
                   .at = {"at"}},
                  warn);
}

}  // namespace moviechat::eval
