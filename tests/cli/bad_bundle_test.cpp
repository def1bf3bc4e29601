// Bundles that cannot be used: exit code 2, one line on stderr that says what is wrong, nothing on
// stdout.

#include <gmock/gmock.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cmath>

#include "base/files.h"
#include "bundle/tensor.h"
#include "cli/refusal.h"

namespace moviechat::cli {
namespace {

using moviechat::testing::run;
using moviechat::testing::TemporaryFolder;
using moviechat::testing::tiny_bundle;
using testing::as_somebody;
using testing::expect_one_line;
using testing::film;
using testing::moviechat;
using testing::shell_word;
namespace fs = std::filesystem;

class BadBundle : public ::testing::Test {
 protected:
  BadBundle() { fs::copy(tiny_bundle(), bundle()); }
  fs::path bundle() const { return folder_ / "bundle"; }

  void replace(const std::string& from, const std::string& to) const {
    std::string text = read_file(bundle() / "model.yaml", "description");
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    write_file(bundle() / "model.yaml", text);
  }
  /// Makes model.yaml agree with a part that was changed.
  void rehash(const std::string& part) const {
    const std::string name = part + ": ";  // a source may have the same hash
    replace(name + sha256_of_file(tiny_bundle() / part), name + sha256_of_file(bundle() / part));
  }
  void expect_refused(const std::vector<std::string>& said, const std::string& flags = "") const {
    const std::string model = shell_word(bundle().string());
    expect_one_line(moviechat("--question a --video " + film() + " --model " + model + " " + flags),
                    2, said);
    expect_one_line(moviechat("inspect " + model + " " + flags), 2, said);
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(BadBundle, WithoutAPart) {
  fs::remove(bundle() / "memory_reader.pt");
  expect_refused({"memory_reader.pt"});
}

TEST_F(BadBundle, WithoutATokenizer) {
  fs::remove(bundle() / "tokenizer.model");
  expect_refused({"tokenizer.model"});
}

TEST_F(BadBundle, WithoutItsDescription) {
  fs::remove(bundle() / "model.yaml");
  expect_refused({"model.yaml"});
}

TEST_F(BadBundle, WithATruncatedPart) {
  fs::resize_file(bundle() / "language_model.pt",
                  fs::file_size(bundle() / "language_model.pt") / 2);
  expect_refused({"language_model.pt"});
  expect_refused({"language_model.pt"}, "--verify quick");
}

TEST_F(BadBundle, WithAPartOfAnotherHash) {
  std::string bytes = read_file(bundle() / "frame_encoder.pt", "part");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(bundle() / "frame_encoder.pt", bytes);
  expect_refused({"frame_encoder.pt", "sha256"});
}

TEST_F(BadBundle, WithSwappedParts) {
  fs::rename(bundle() / "memory_reader.pt", bundle() / "swap");
  fs::rename(bundle() / "frame_encoder.pt", bundle() / "memory_reader.pt");
  fs::rename(bundle() / "swap", bundle() / "frame_encoder.pt");
  expect_refused({"frame_encoder.pt"});
  expect_refused({"frame_encoder.pt"}, "--verify quick");
}

TEST_F(BadBundle, WithWeightsThatAreNotNumbers) {
  {
    at::NoGradGuard no_grad;
    torch::jit::Module module = torch::jit::load((bundle() / "language_model.pt").string());
    for (torch::Tensor weights : module.parameters()) weights.fill_(std::nan(""));
    module.save((bundle() / "language_model.pt").string());
  }
  rehash("language_model.pt");
  expect_refused({"language_model.pt", "NaN"});
}

TEST_F(BadBundle, OfANewerSchema) {
  replace("schema_version: 1", "schema_version: 2");
  expect_refused({"schema version 2", "newer moviechat"});
}

TEST_F(BadBundle, WhoseDescriptionIsNotYaml) {
  replace("schema_version: 1", "schema_version: [1");
  expect_refused({"model.yaml", "not valid YAML"});
}

TEST_F(BadBundle, WithAnotherModelsTokenizer) {
  fs::copy_file(::moviechat::testing::source_dir() / "models/mini/tokenizer.model",
                bundle() / "tokenizer.model", fs::copy_options::overwrite_existing);
  rehash("tokenizer.model");
  expect_refused({"tokenizer.model", "has 640 tokens", "another model's tokenizer"});
}

TEST(BundleThatMayNotBeRead, IsNamed) {
  const TemporaryFolder folder;
  const fs::path bundle = folder / "private" / "bundle";
  fs::create_directory(folder / "private");
  fs::copy(tiny_bundle(), bundle);
  const auto somebody = as_somebody();
  if (!somebody) GTEST_SKIP() << "the program cannot be run as another user here";
  fs::permissions(folder.path(), fs::perms(0755));
  const auto expect_refused = [&] {
    expect_one_line(run(*somebody + testing::program() + " --question a --video " + film() +
                        " --model " + shell_word(bundle.string())),
                    2, {bundle.string(), "ermission"});
    expect_one_line(run(*somebody + testing::program() + " inspect " + shell_word(bundle.string())),
                    2, {bundle.string(), "ermission"});
  };
  fs::permissions(folder / "private", fs::perms::none);
  expect_refused();
  fs::permissions(folder / "private", fs::perms(0755));
  fs::permissions(bundle, fs::perms::owner_read | fs::perms::others_read);
  expect_refused();
  fs::permissions(bundle, fs::perms(0755));
}

}  // namespace
}  // namespace moviechat::cli
