#include "bundle/script_module.h"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/empty.h>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/codegen/fuser/interface.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>

#include "moviechat/error.h"

namespace moviechat {
namespace {

constexpr uintmax_t kLarge = uintmax_t{1} << 30;  // bytes of a file

/// The profiling executor specialises on every new shape and recompiles during the first calls;
/// films and questions bring new shapes all the time. Fusers compile kernels as they go, which no
/// reference has seen: sums of squares and angles are to be what the operators make of them.
void use_the_simple_executor() {
  static std::once_flag once;
  std::call_once(once, [] {
    torch::jit::getProfilingMode() = false;
    torch::jit::getExecutorMode() = false;
    torch::jit::setTensorExprFuserEnabled(false);
    torch::jit::overrideCanFuseOnCPU(false);
    torch::jit::overrideCanFuseOnGPU(false);
  });
}

/// MKL splits sums among its threads, so that their last bits would depend on how many there are.
/// Its strict mode adds in one order; who has set the variable has chosen. MKL reads it at its
/// first call.
void add_in_one_order() {
  static std::once_flag once;
  std::call_once(once, [] { ::setenv("MKL_CBWR", "AUTO,STRICT", /*overwrite=*/0); });
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

void refuse_shortage(const std::exception& error, const std::string& part) {
  if (tells_of_memory(error.what())) {
    throw OutOfResources("out of memory in " + part +
                         "; try a smaller runtime.batch or a smaller bundle, or raise the limit");
  }
}

/// python/moviechat_models/linear.py: the weight may be of another dtype than what passes it.
bool takes_any_dtype(const torch::jit::Module& layer) { return layer.hasattr("any_dtype"); }

/// FBGEMM's layout of an fp16 matrix [out, in] and its bias, for float32 inputs; None where there
/// is no FBGEMM.
c10::IValue pack(const torch::jit::Module& layer) {
  static const auto prepack =
      c10::Dispatcher::singleton().findSchemaOrThrow("quantized::linear_prepack_fp16", "");
  torch::jit::Stack stack{layer.attr("weight").toTensor().to(torch::kFloat), layer.attr("bias")};
  try {
    prepack.callBoxed(&stack);
  } catch (const c10::Error&) {
    return {};
  }
  return stack.front();
}

/// Elsewhere torch's bf16 GEMM is a hundred times slower than its fp32 one.
bool multiplies_bf16_fast() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

/// automatic and exact → what they mean for a file of so many bytes
Weights chosen(Weights asked, torch::Device device, torch::ScalarType dtype, uintmax_t size) {
  if (asked != Weights::automatic && asked != Weights::exact) return asked;
  // Half-precision matrices in another half precision would save nothing.
  if (!device.is_cpu() || dtype != torch::kFloat || size <= kLarge) return Weights::compute;
  return asked == Weights::automatic && multiplies_bf16_fast() ? Weights::bf16 : Weights::stored;
}

/// NaN is what aminmax finds wherever it is; on half precision it is ten times as fast as isfinite.
bool is_finite(const torch::Tensor& values) {
  if (!values.is_floating_point() || values.numel() == 0) return true;
  const auto [least, most] = torch::aminmax(values);
  return std::isfinite(least.item<double>()) && std::isfinite(most.item<double>());
}

/// The first parameter of a module that holds NaN or infinite numbers, if any.
std::optional<std::string> damaged_weight(const torch::jit::Module& module) {
  for (const auto& named : module.named_parameters()) {
    if (!is_finite(named.value)) return named.name;
  }
  return std::nullopt;
}

}  // namespace

struct ScriptModule::Impl {
  torch::jit::Module module;
  std::string name;
  torch::Device device;
  torch::ScalarType dtype;
  int64_t parameters = 0;
  int64_t bytes = 0;
  bool rounds = false;

  /// What a parameter becomes. Tables are looked up, not multiplied: bf16 would only round them.
  torch::ScalarType dtype_of(const torch::jit::Module& layer, const std::string& parameter,
                             torch::ScalarType stored, Weights weights) const {
    if (!takes_any_dtype(layer)) return dtype;
    if (parameter == "scale") return stored;
    if (parameter != "weight") return dtype;
    if (stored == torch::kChar) return stored;
    if (weights == Weights::compute) return dtype;
    const bool as_bf16 =
        weights == Weights::bf16 && stored == torch::kHalf && layer.hasattr("packed");
    return as_bf16 ? torch::kBFloat16 : stored;
  }

  void convert(torch::jit::Module& layer, Weights weights) {
    for (const auto& named : layer.named_parameters(/*recurse=*/false)) {
      torch::Tensor value = named.value;
      value.set_data(value.to(device, dtype_of(layer, named.name, value.scalar_type(), weights)));
      count(value);
    }
    for (const auto& named : layer.named_buffers(/*recurse=*/false)) {
      torch::Tensor value = named.value;
      value.set_data(value.to(device, dtype));
      count(value);
    }
  }

  /// Linear layers alone: tables are looked up, not multiplied.
  void pack_matrix(torch::jit::Module& layer) const {
    torch::Tensor weight = layer.attr("weight").toTensor();
    if (!device.is_cpu() || dtype != torch::kFloat || weight.scalar_type() != torch::kHalf) return;
    if (const c10::IValue packed = pack(layer); !packed.isNone()) {
      layer.setattr("packed", packed);
      weight.set_data(torch::empty({0}, weight.options()));
    }
  }

  bool is_rounded_for(const torch::jit::Module& layer) const {
    const bool as_it_is = layer.attr("weight").toTensor().scalar_type() == dtype;
    return device.is_cpu() && !as_it_is && layer.attr("packed").isNone();
  }

  void count(const torch::Tensor& tensor) {
    parameters += tensor.numel();
    bytes += static_cast<int64_t>(tensor.nbytes());
  }

  c10::IValue run(const std::string& method, std::initializer_list<Argument> arguments) const {
    const c10::InferenceMode inference;
    // Other passes over a graph took most of the time to load a small model, and won it nothing.
    const torch::jit::GraphOptimizerEnabledGuard as_it_is(false);
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
      refuse_shortage(error, name);
      throw Error(name + ": " + method + " failed: " + cause(error));
    } catch (const std::runtime_error& error) {
      refuse_shortage(error, name);
      throw Error(name + ": " + method + " failed: " + cause(error));
    }
  }
};

ScriptModule::ScriptModule(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScriptModule::~ScriptModule() = default;
ScriptModule::ScriptModule(ScriptModule&&) noexcept = default;
ScriptModule& ScriptModule::operator=(ScriptModule&&) noexcept = default;

ScriptModule ScriptModule::load(const std::filesystem::path& file, torch::Device device,
                                torch::ScalarType dtype, Weights weights) {
  use_the_simple_executor();
  add_in_one_order();
  const std::string name = file.filename().string();
  try {
    const c10::InferenceMode inference;
    auto impl =
        std::make_unique<Impl>(Impl{torch::jit::load(file.string(), device), name, device, dtype});
    impl->module.eval();
    if (const auto damaged = damaged_weight(impl->module)) {
      throw InputError(name + ": " + *damaged +
                       " holds NaN or infinite numbers; the weights are damaged: convert the "
                       "bundle again");
    }
    weights = chosen(weights, device, dtype, std::filesystem::file_size(file));
    std::vector<torch::jit::Module> layers;
    for (torch::jit::Module layer : impl->module.modules()) {
      impl->convert(layer, weights);
      if (layer.hasattr("packed")) layers.push_back(std::move(layer));
    }
    at::parallel_for(0, std::ssize(layers), 1, [&](int64_t begin, int64_t end) {
      const c10::InferenceMode inference_here;
      for (int64_t i = begin; i < end; ++i) impl->pack_matrix(layers[i]);
    });
    if (multiplies_bf16_fast()) {
      for (torch::jit::Module layer : impl->module.modules()) {
        if (layer.hasattr("fast_bf16")) layer.setattr("fast_bf16", true);
      }
    }
    impl->rounds = std::any_of(layers.begin(), layers.end(),
                               [&](const auto& layer) { return impl->is_rounded_for(layer); });
    return ScriptModule(std::move(impl));
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // what torch throws at damaged files is of many types
    refuse_shortage(error, name);
    throw InputError("cannot load '" + file.string() +
                     "' as a TorchScript module; it is damaged or something else: copy or convert "
                     "the bundle again");
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
bool ScriptModule::rounds() const { return impl_->rounds; }
int64_t ScriptModule::parameters() const { return impl_->parameters; }
int64_t ScriptModule::bytes() const { return impl_->bytes; }

}  // namespace moviechat
