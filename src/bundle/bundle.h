#pragma once

#include "bundle/tensor.h"

#include <filesystem>
#include <map>
#include <string>

#include "bundle/script_module.h"
#include "moviechat/bundle_spec.h"
#include "moviechat/options.h"

namespace moviechat {

/// A model folder → checked modules on one device in one dtype. Const after construction.
class Bundle {
 public:
  /// Loads the parts and runs the self-test. A TorchScript file is a program: load bundles that you
  /// trust.
  Bundle(BundleSpec spec, torch::Device device, torch::ScalarType dtype, Verify verify,
         Weights weights = Weights::automatic);

  const BundleSpec& spec() const { return spec_; }
  const ScriptModule& frame_encoder() const { return frame_encoder_; }
  const ScriptModule& memory_reader() const { return memory_reader_; }
  const ScriptModule& language_model() const { return language_model_; }
  std::filesystem::path tokenizer_path() const;
  torch::Device device() const { return frame_encoder_.device(); }
  torch::ScalarType dtype() const { return frame_encoder_.dtype(); }
  /// Compares those sizes of model.yaml that loading does not: InputError names one that the parts
  /// contradict. Costs a frame and a full memory.
  void check_unused_sizes() const;
  /// Largest difference of the self-test's numbers from the stored ones, by part.
  const std::map<std::string, double>& self_test_differences() const { return differences_; }

 private:
  void run_self_test();
  void check_numbers(const std::string& part, const ScriptModule& module,
                     const torch::Tensor& output);

  BundleSpec spec_;
  ScriptModule frame_encoder_;
  ScriptModule memory_reader_;
  ScriptModule language_model_;
  std::map<std::string, double> differences_;
};

}  // namespace moviechat
