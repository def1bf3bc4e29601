#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace moviechat {

/// A segment of a prompt. Neighbouring texts, questions and answers are tokenized as one text.
struct PromptSegment {
  enum class Kind {
    text,
    token,     // one control token
    film,      // the video embeddings
    question,  // as asked: plain text, whatever stands in it
    answer,    // of an earlier turn
    turns,     // once for each earlier turn
  };
  Kind kind = Kind::text;
  std::string text = {};
  int64_t token = 0;
  std::vector<PromptSegment> turn = {};  // texts, tokens, question and answer
};

/// How a question becomes a prompt, and where an answer ends. Ids are the tokenizer's.
struct PromptSpec {
  std::vector<PromptSegment> segments;  // film and question once each, and something after the film
  int64_t eos = 2;
  std::vector<std::vector<int64_t>> stop;  // an answer ends when its last tokens are one of these
  std::string answer_prefix;  // text up to its last occurrence is not part of the answer
  std::string turn;           // text from its first occurrence on is not part of the answer
  int64_t context = 2000;     // prompt and answer together, in tokens
};

/// The shapes that the parts agree on. Symbols of the algorithm text.
struct BundleSizes {
  int64_t image = 0;       // S: frames are [3, S, S]
  int64_t tokens = 0;      // N per block
  int64_t width = 0;       // C
  int64_t queries = 0;     // Q video embeddings
  int64_t hidden = 0;      // H
  int64_t vocabulary = 0;  // ids that the tokenizer knows
  int64_t rows = 0;        // logits per step, at least `vocabulary`
  int64_t positions = 0;   // most blocks that the memory reader takes (n²)
  // What older bundles do not say: 0.
  int64_t patches = 0;    // P, and
  int64_t vit_width = 0;  // D: the frame encoder's ViT gives [P, D]
  int64_t layers = 0;     // of the language model, whose KV cache has
  int64_t kv_heads = 0;   // so many heads
  int64_t head_dim = 0;   // of this size
};

/// What a part gave for the fixed input when the bundle was made: 16 of its numbers, evenly spaced.
struct SelfTest {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

/// model.yaml, checked.
struct BundleSpec {
  std::filesystem::path folder;
  int64_t interface_version = 1;  // of the modules' methods; 1 where the file does not say
  std::string name;
  std::string family;
  std::string dtype;        // of the weights in the files
  std::string llm_weights;  // int8 when the language model's layers are; else dtype
  std::string sha256;       // of model.yaml, which holds the hashes of all parts
  BundleSizes sizes;
  std::string filter;  // of the resize to S×S: bilinear or bicubic
  PromptSpec prompt;
  std::vector<std::pair<std::string, std::string>> defaults;  // settings by dotted name
  std::map<std::string, std::string> files;                   // part → sha256
  std::vector<std::pair<std::string, std::string>> sources;   // file it was made from → sha256
  std::map<std::string, SelfTest> self_test;                  // by part, without its extension
  double tolerance = 1e-3;                                    // of the self-test in fp32
};

/// The text of a folder's model.yaml, checked; whether the parts are there is not looked at.
BundleSpec parse_bundle_spec(const std::string& text, const std::filesystem::path& folder);

/// Reads and checks model.yaml and that every part is there. InputError names the part, what was
/// found and expected.
BundleSpec read_bundle_spec(const std::filesystem::path& folder);

/// Hashes every part of the folder. InputError names the first that differs.
void verify_hashes(const BundleSpec& spec);

}  // namespace moviechat
