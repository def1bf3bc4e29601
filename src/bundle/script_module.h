#pragma once

#include "bundle/tensor.h"

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "moviechat/options.h"

namespace moviechat {

/// One exported module of a bundle, on a device and in a dtype: tensors → tensors.
/// Const after construction; calls run without autograd. One thread at a time per module. This
/// class is the only one that knows TorchScript.
class ScriptModule {
 public:
  using Argument = std::variant<torch::Tensor, int64_t, std::vector<torch::Tensor>>;

  /// Loads a scripted module and moves it; int8 matrices stay int8. Memory: the file's size, or the
  /// converted weights and one matrix. InputError when the file cannot be read as one.
  static ScriptModule load(const std::filesystem::path& file, torch::Device device,
                           torch::ScalarType dtype, Weights weights = Weights::automatic);
  ~ScriptModule();
  ScriptModule(ScriptModule&&) noexcept;
  ScriptModule& operator=(ScriptModule&&) noexcept;

  /// Runs a method that returns one tensor. Error names the module, the method and the first line
  /// of the cause.
  torch::Tensor call(const std::string& method, std::initializer_list<Argument> arguments) const;
  /// Runs a method that returns a tuple of tensors.
  std::vector<torch::Tensor> call_tuple(const std::string& method,
                                        std::initializer_list<Argument> arguments) const;

  bool has_method(const std::string& method) const;
  torch::Device device() const;
  torch::ScalarType dtype() const;  // to compute in
  /// Whether what passes a matrix is rounded to less than dtype() on the way.
  bool rounds() const;
  /// Parameters and buffers: numbers, and bytes on the device.
  int64_t parameters() const;
  int64_t bytes() const;
  /// The file's name, for messages.
  const std::string& name() const;

 private:
  struct Impl;
  explicit ScriptModule(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moviechat
