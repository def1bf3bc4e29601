// A file of questions, JSON lines.

#include "engine/question_json.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  fuzz::try_to([&] { parse_questions(fuzz::text_of(data, size), "questions.jsonl"); });
  return 0;
}
