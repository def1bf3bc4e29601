#include "moviechat/model/script_module.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <mutex>

#include "moviechat/support/error.h"

namespace moviechat {
namespace {

/// The profiling executor specialises on every new shape and recompiles during the first calls;
/// films and questions bring new shapes all the time.
void use_the_simple_executor() {
  static std::once_flag once;
  std::call_once(once, [] {
    torch::jit::getProfilingMode() = false;
    torch::jit::getExecutorMode() = false;
    torch::jit::setTensorExprFuserEnabled(false);
  });
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// TorchScript wraps what a module raised in its own traceback; the last line that is not a frame
/// says it.
std::string cause(const c10::Error& error) { return first_line(error.what_without_backtrace()); }
std::string cause(const std::exception& error) {
  std::string text = error.what();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t line = text.rfind('\n');
  return line == std::string::npos ? text : text.substr(line + 1);
}

}  // namespace

struct ScriptModule::Impl {
  torch::jit::Module module;
  std::string name;
  torch::Device device;
  torch::ScalarType dtype;

  c10::IValue run(const std::string& method, std::initializer_list<Argument> arguments) const {
    const c10::InferenceMode inference;
    std::vector<c10::IValue> stack;
    stack.reserve(arguments.size());
    for (const Argument& argument : arguments) {
      std::visit([&](const auto& value) { stack.emplace_back(value); }, argument);
    }
    const auto found = module.find_method(method);
    if (!found) {
      throw InputError(name + ": has no method '" + method +
                       "'; was it exported for another part of the bundle?");
    }
    try {
      return (*found)(std::move(stack));
    } catch (const c10::Error& error) {
      throw Error(name + ": " + method + " failed: " + cause(error));
    } catch (const std::runtime_error& error) {
      throw Error(name + ": " + method + " failed: " + cause(error));
    }
  }
};

ScriptModule::ScriptModule(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScriptModule::~ScriptModule() = default;
ScriptModule::ScriptModule(ScriptModule&&) noexcept = default;
ScriptModule& ScriptModule::operator=(ScriptModule&&) noexcept = default;

ScriptModule ScriptModule::load(const std::filesystem::path& file, torch::Device device,
                                torch::ScalarType dtype) {
  use_the_simple_executor();
  const std::string name = file.filename().string();
  try {
    const c10::InferenceMode inference;
    torch::jit::Module module = torch::jit::load(file.string(), device);
    module.eval();
    module.to(device, dtype);
    return ScriptModule(std::make_unique<Impl>(Impl{std::move(module), name, device, dtype}));
  } catch (const c10::Error& error) {
    throw InputError("cannot load '" + file.string() +
                     "' as a TorchScript module: " + cause(error));
  }
}

torch::Tensor ScriptModule::call(const std::string& method,
                                 std::initializer_list<Argument> arguments) const {
  const c10::IValue result = impl_->run(method, arguments);
  if (!result.isTensor()) {
    throw InputError(impl_->name + ": " + method + " must return a tensor, returned " +
                     result.tagKind());
  }
  return result.toTensor();
}

std::vector<torch::Tensor> ScriptModule::call_tuple(
    const std::string& method, std::initializer_list<Argument> arguments) const {
  const c10::IValue result = impl_->run(method, arguments);
  std::vector<torch::Tensor> tensors;
  if (result.isTuple()) {
    for (const c10::IValue& element : result.toTupleRef().elements()) {
      if (element.isTensor()) tensors.push_back(element.toTensor());
    }
  }
  if (tensors.empty()) {
    throw InputError(impl_->name + ": " + method + " must return a tuple of tensors, returned " +
                     result.tagKind());
  }
  return tensors;
}

bool ScriptModule::has_method(const std::string& method) const {
  return impl_->module.find_method(method).has_value();
}
torch::Device ScriptModule::device() const { return impl_->device; }
torch::ScalarType ScriptModule::dtype() const { return impl_->dtype; }
const std::string& ScriptModule::name() const { return impl_->name; }

int64_t ScriptModule::parameters() const {
  int64_t count = 0;
  for (const auto& tensor : impl_->module.parameters()) count += tensor.numel();
  return count;
}
int64_t ScriptModule::bytes() const {
  int64_t count = 0;
  for (const auto& tensor : impl_->module.parameters()) {
    count += static_cast<int64_t>(tensor.nbytes());
  }
  for (const auto& tensor : impl_->module.buffers()) {
    count += static_cast<int64_t>(tensor.nbytes());
  }
  return count;
}

}  // namespace moviechat
