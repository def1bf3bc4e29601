#include "bundle/bundle.h"

#include <caffe2/serialize/inline_container.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "base/files.h"
#include "bundle/device.h"
#include "moviechat/error.h"
#include "support_for_tests/device.h"
#include "support_for_tests/paths.h"
#include "support_for_tests/safetensors.h"

namespace moviechat {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A copy of the tiny bundle that a test may damage.
class DamagedBundle : public ::testing::Test {
 protected:
  void SetUp() override { fs::copy(testing::tiny_bundle(), folder(), fs::copy_options::recursive); }
  fs::path folder() const { return temporary_ / "bundle"; }

  void edit_description(const std::string& pattern, const std::string& replacement) {
    const std::string text = read_file(folder() / "model.yaml", "test file");
    const std::string edited = std::regex_replace(text, std::regex(pattern), replacement);
    ASSERT_NE(text, edited);
    write_file(folder() / "model.yaml", edited);
  }
  /// Writes the hashes that the parts now have, as someone would who edits a bundle on purpose.
  void rehash() {
    for (const auto& [part, hash] : read_bundle_spec(folder()).files) {
      edit_description_if(hash, sha256_of_file(folder() / part));
    }
  }
  std::string error() const {
    try {
      const Bundle bundle(read_bundle_spec(folder()), torch::kCPU, torch::kFloat, Verify::full);
      return "no error";
    } catch (const InputError& error) {
      return error.what();
    }
  }

 private:
  void edit_description_if(const std::string& from, const std::string& to) {
    std::string text = read_file(folder() / "model.yaml", "test file");
    // Marked, so that swapped hashes are not swapped back.
    text = std::regex_replace(text, std::regex(": " + from), ": " + to + " ");
    write_file(folder() / "model.yaml", text);
  }
  testing::TemporaryFolder temporary_;
};

TEST(Bundle, TheTinyBundlePassesItsChecks) {
  const Bundle bundle(read_bundle_spec(testing::tiny_bundle()), testing::test_device(),
                      torch::kFloat, Verify::full);
  EXPECT_EQ(bundle.spec().sizes.image, 56);
  EXPECT_EQ(bundle.spec().sizes.positions, 256);
  for (const auto& [part, difference] : bundle.self_test_differences()) {
    EXPECT_LT(difference, 1e-4) << part;
  }
}

TEST(Bundle, RunsInHalfPrecision) {
  for (const auto dtype : {torch::kHalf, torch::kBFloat16}) {
    const Bundle bundle(read_bundle_spec(testing::tiny_bundle()), testing::test_device(), dtype,
                        Verify::quick);
    EXPECT_EQ(bundle.dtype(), dtype);
  }
}

TEST(Bundle, AFolderThatIsNotThereIsNamed) {
  EXPECT_THAT([] { read_bundle_spec("/no/such/folder"); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("no bundle at '/no/such/folder'")));
}

TEST_F(DamagedBundle, NamesAPartThatIsMissing) {
  fs::remove(folder() / "memory_reader.pt");
  EXPECT_THAT(error(), HasSubstr("lacks memory_reader.pt"));
}

TEST_F(DamagedBundle, NamesATruncatedPart) {
  const fs::path part = folder() / "language_model.pt";
  fs::resize_file(part, fs::file_size(part) / 2);
  EXPECT_THAT(error(), AllOf(HasSubstr("language_model.pt has sha256"), HasSubstr("damaged")));
}

TEST_F(DamagedBundle, NamesATruncatedPartWhoseHashWasUpdated) {
  const fs::path part = folder() / "language_model.pt";
  fs::resize_file(part, fs::file_size(part) / 2);
  rehash();
  EXPECT_THAT(error(), HasSubstr("language_model.pt' as a TorchScript module"));
}

TEST_F(DamagedBundle, NamesAPartWhoseSourceIsDamagedInWordsOfItsOwn) {
  using Reader = caffe2::serialize::PyTorchStreamReader;
  for (const std::string part : {"frame_encoder.pt", "memory_reader.pt", "language_model.pt"}) {
    std::string bytes;  // of the archive, in which sources are stored as they are
    {
      Reader reader((folder() / part).string());
      const std::string copy = (folder() / "copy").string();
      caffe2::serialize::PyTorchStreamWriter writer(copy);
      for (const std::string& record : reader.getAllRecords()) {
        if (record == "version" || record.starts_with(".data/") || record == "byteorder") continue;
        const auto [data, size] = reader.getRecord(record);
        std::string contents(static_cast<const char*>(data.get()), size);
        const size_t result = contents.find("return ");
        if (record.ends_with(".py") && result != std::string::npos) contents.insert(result, "(((");
        writer.writeRecord(record, contents.data(), contents.size());
      }
      writer.writeEndOfFile();
    }
    fs::rename(folder() / "copy", folder() / part);
    rehash();
    const std::string said = error();
    EXPECT_THAT(said, HasSubstr(part + "' as a TorchScript module; it is damaged"));
    EXPECT_EQ(said.find('\n'), std::string::npos);
    fs::copy(testing::tiny_bundle() / part, folder() / part, fs::copy_options::overwrite_existing);
    rehash();
  }
}

TEST_F(DamagedBundle, NamesAnEndTokenThatIsNone) {
  for (const char* id : {"512", "1000000", "1000000000000", "-5"}) {
    edit_description("eos: [-0-9]+", std::string("eos: ") + id);
    EXPECT_THAT(error(), HasSubstr(std::string("prompt.eos must be 0 to 511, found ") + id));
  }
  edit_description("eos: [-0-9]+", "eos: 2");
  edit_description("- \\[310\\]", "- [310, 512]");
  EXPECT_THAT(error(), HasSubstr("prompt.stop must be of ids 0 to 511, found 512"));
}

TEST_F(DamagedBundle, NamesASizeThatThePartsContradict) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, int>>{{"queries", 8},
                                                                            {"hidden", 64},
                                                                            {"rows", 513},
                                                                            {"layers", 2},
                                                                            {"kv_heads", 4},
                                                                            {"head_dim", 16},
                                                                            {"tokens", 8},
                                                                            {"width", 32}}) {
    const std::string right = name + ": " + std::to_string(value);
    edit_description("\\b" + right, name + ": " + std::to_string(2 * value));
    EXPECT_THAT(error(), AllOf(HasSubstr("model.yaml: sizes." + name), HasSubstr("another model")));
    edit_description("\\b" + name + ": " + std::to_string(2 * value), right);
  }
  EXPECT_EQ(error(), "no error");
  for (const char* wrong : {"patch_tokens: 18", "vit_width: 24", "positions: 512"}) {
    const std::string name = std::string(wrong).substr(0, std::string(wrong).find(':'));
    fs::copy(testing::tiny_bundle() / "model.yaml", folder() / "model.yaml",
             fs::copy_options::overwrite_existing);
    edit_description(name + ": [0-9]+", wrong);
    const Bundle bundle(read_bundle_spec(folder()), torch::kCPU, torch::kFloat, Verify::quick);
    EXPECT_THAT([&] { bundle.check_unused_sizes(); },
                ::testing::ThrowsMessage<InputError>(HasSubstr("model.yaml: sizes." + name)));
  }
}

TEST_F(DamagedBundle, NamesAHashThatIsWrong) {
  edit_description("frame_encoder.pt: [0-9a-f]{4}", "frame_encoder.pt: 0000");
  EXPECT_THAT(error(), HasSubstr("frame_encoder.pt has sha256"));
}

TEST_F(DamagedBundle, NamesModulesThatAreSwapped) {
  fs::rename(folder() / "frame_encoder.pt", folder() / "t");
  fs::rename(folder() / "memory_reader.pt", folder() / "frame_encoder.pt");
  fs::rename(folder() / "t", folder() / "memory_reader.pt");
  EXPECT_THAT(error(), HasSubstr("frame_encoder.pt has sha256"));
  rehash();
  EXPECT_THAT(error(), HasSubstr("frame_encoder.pt"));
}

TEST_F(DamagedBundle, NamesANewerSchema) {
  edit_description("schema_version: 1", "schema_version: 2");
  EXPECT_THAT(error(), AllOf(HasSubstr("schema version 2"), HasSubstr("newer moviechat")));
}

TEST_F(DamagedBundle, NamesABadTemplate) {
  edit_description("<ImageHere>", "<Image>");
  EXPECT_THAT(error(), HasSubstr("prompt.template must be"));
}

TEST_F(DamagedBundle, ANewerInterfaceIsRefused) {
  edit_description("interface_version: \\d+", "interface_version: 3");
  EXPECT_THAT(error(), AllOf(HasSubstr("has interface version 3, this program reads up to 2"),
                             HasSubstr("use a newer moviechat")));
}

TEST_F(DamagedBundle, SegmentsStandInPlaceOfATemplate) {
  const auto with = [&](const std::string& segments) {
    std::string text = read_file(testing::tiny_bundle() / "model.yaml", "test file");
    const size_t start = text.find("  template:");
    text.replace(start, text.find("  bos:") - start, "  segments: " + segments + "\n");
    write_file(folder() / "model.yaml", text);
    return error();
  };
  EXPECT_EQ(
      with("[{token: 1}, {text: a}, film, {turns: [question, {token: 2}, answer]}, question]"),
      "no error");
  const PromptSpec prompt = read_bundle_spec(folder()).prompt;
  ASSERT_EQ(prompt.segments.size(), 5U);
  EXPECT_EQ(prompt.segments[0].token, 1);
  EXPECT_EQ(prompt.segments[3].turn.size(), 3U);
  for (const auto& [segments, said] : std::map<std::string, std::string>{
           {"[{text: a}, question]", "must be a list with film once, found 0 of it"},
           {"[film, question, film, question]", "must be a list with film once, found 2 of it"},
           {"[film]", "must be a list with question once"},
           {"[question, film]", "must be a list that goes on after film"},
           {"[question, film, {text: ''}, {turns: [question, answer]}]", "goes on after film"},
           {"[{token: 512}, film, question]", "must be of ids 0 to 511, found 512"},
           {"[film, question, answer]", "found 'answer'"},
           {"[film, question, {words: a}]", "found 'words'"},
           {"[film, question, [1]]", "found '[1]'"},
           {"a text", "must be a list of"}}) {
    EXPECT_THAT(with(segments), AllOf(HasSubstr("model.yaml: prompt.segments "), HasSubstr(said)))
        << segments;
  }
}

TEST_F(DamagedBundle, NamesBrokenYaml) {
  write_file(folder() / "model.yaml", "schema_version: [1\n");
  EXPECT_THAT(error(), HasSubstr("not valid YAML"));
}

TEST_F(DamagedBundle, NamesSelfTestNumbersThatDiffer) {
  edit_description("values: \\[0.27", "values: [0.28");
  EXPECT_THAT(error(), HasSubstr("self-test differs"));
}

TEST_F(DamagedBundle, NamesAPartOfAnotherShape) {
  edit_description("shape: \\[2, 8, 32\\]", "shape: [2, 8, 33]");
  EXPECT_THAT(error(), HasSubstr("frame_encoder.pt: expected output [2, 8, 33], got [2, 8, 32]"));
}

// One number that the self-test's input may never meet: a row of the table of tokens, say.
TEST_F(DamagedBundle, NamesAWeightThatIsNotANumber) {
  for (const char* part : {"frame_encoder.pt", "memory_reader.pt", "language_model.pt"}) {
    const torch::NoGradGuard no_grad;
    torch::jit::Module module = torch::jit::load((folder() / part).string());
    std::string name;
    for (const auto& named : module.named_parameters()) {
      torch::Tensor values = named.value;
      values.view(-1)[-1] = std::nan("");
      name = named.name;
      break;
    }
    module.save((folder() / part).string());
    rehash();
    EXPECT_THAT(error(), AllOf(HasSubstr(part), HasSubstr(name), HasSubstr("NaN")));
    fs::copy_file(testing::tiny_bundle() / part, folder() / part,
                  fs::copy_options::overwrite_existing);
  }
}

TEST(Device, CudaNeverFallsBack) {
  EXPECT_EQ(choose_device("cpu"), torch::Device(torch::kCPU));
  EXPECT_THROW(choose_device("gpu"), InputError);
  EXPECT_THROW(choose_device("cuda:x"), InputError);
  EXPECT_THROW(choose_device("cuda:"), InputError);
  if (choose_device("auto").is_cuda()) GTEST_SKIP() << "there is a CUDA device";
  EXPECT_THAT([] { choose_device("cuda"); },
              ::testing::ThrowsMessage<InputError>(HasSubstr("device cuda cannot be used")));
}

}  // namespace
}  // namespace moviechat
