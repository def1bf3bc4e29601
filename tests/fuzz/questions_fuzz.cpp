// A file of questions, JSON lines.

#include "cli/questions.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moviechat;
  fuzz::try_to([&] { cli::parse_questions(fuzz::text_of(data, size), "questions.jsonl"); });
  return 0;
}
