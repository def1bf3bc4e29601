#include "bundle/bundle.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/files.h"
#include "bundle/bundle_sizes.h"
#include "bundle/device.h"
#include "moviechat/error.h"

namespace moviechat {
namespace {

/// The fixed input of the self-test: byte i is the top byte of i·2654435761 mod 2³² (Knuth's
/// multiplicative hash).
torch::Tensor fixed_bytes(const std::vector<int64_t>& shape) {
  torch::Tensor bytes = torch::empty(shape, torch::kByte);
  auto* data = bytes.data_ptr<uint8_t>();
  for (int64_t i = 0; i < bytes.numel(); ++i) {
    data[i] = static_cast<uint8_t>((static_cast<uint32_t>(i) * 2654435761U) >> 24);
  }
  return bytes;
}

std::string text_of(c10::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

BundleSpec checked(BundleSpec spec, Verify verify) {
  if (verify == Verify::full) verify_hashes(spec);
  return spec;
}

}  // namespace

Bundle::Bundle(BundleSpec spec, torch::Device device, torch::ScalarType dtype, Verify verify,
               Weights weights)
    : spec_(checked(std::move(spec), verify)),
      frame_encoder_(ScriptModule::load(spec_.folder / "frame_encoder.pt", device, dtype, weights)),
      memory_reader_(ScriptModule::load(spec_.folder / "memory_reader.pt", device, dtype, weights)),
      language_model_(
          ScriptModule::load(spec_.folder / "language_model.pt", device, dtype, weights)) {
  try {
    run_self_test();
  } catch (const InputError&) {
    throw;
  } catch (const OutOfResources&) {
    throw;
  } catch (const Error& error) {
    // A part that loads but fails on the self-test's input is a part of something else.
    throw InputError("bundle '" + spec_.folder.string() + "': " + error.what() +
                     "; was it exported for another model?");
  }
}

std::filesystem::path Bundle::tokenizer_path() const {
  return spec_.folder /
         (spec_.files.contains("tokenizer.model") ? "tokenizer.model" : "tokenizer.json");
}

void Bundle::run_self_test() {
  const BundleSizes& sizes = spec_.sizes;
  const auto floats = torch::TensorOptions().device(device()).dtype(dtype());

  const torch::Tensor rgb = fixed_bytes({2, 3, sizes.image, sizes.image});
  const torch::Tensor seen = frame_encoder_.call("forward", {rgb.to(device())});
  check_sizes(frame_encoder_.name(), seen, {{}, {"tokens", sizes.tokens}, {"width", sizes.width}});
  check_numbers("frame_encoder", frame_encoder_, seen);

  const torch::Tensor blocks = fixed_bytes({3, sizes.tokens, sizes.width});
  const torch::Tensor read =
      memory_reader_.call("forward", {((blocks.to(torch::kFloat) - 127.5) / 127.5).to(floats)});
  check_sizes(memory_reader_.name(), read, {{"queries", sizes.queries}, {"hidden", sizes.hidden}});
  check_numbers("memory_reader", memory_reader_, read);

  const torch::Tensor ids = fixed_bytes({7}).to(torch::kLong).remainder(sizes.vocabulary);
  const torch::Tensor embeddings = language_model_.call("embed", {ids.to(device())});  // [7, H]
  const auto cache = language_model_.call_tuple("make_cache", {int64_t{1}, int64_t{16}});
  if (cache.size() != 2) {
    throw InputError("language_model.pt: make_cache must return keys and values, returned " +
                     std::to_string(cache.size()) + " tensor(s)");
  }
  const std::string& name = language_model_.name();
  check_sizes(name, embeddings, {{}, {"hidden", sizes.hidden}});
  for (const torch::Tensor& keys_or_values : cache) {
    check_sizes(name, keys_or_values,
                {{"layers", sizes.layers},
                 {},
                 {"kv_heads", sizes.kv_heads},
                 {},
                 {"head_dim", sizes.head_dim}});
  }
  const torch::Tensor logits =
      language_model_.call("step", {embeddings.unsqueeze(0), cache[0], cache[1], int64_t{0}});
  check_sizes(name, logits, {{}, {"rows", sizes.rows}});
  check_numbers("language_model", language_model_, logits);
}

void Bundle::check_numbers(const std::string& part, const ScriptModule& module,
                           const torch::Tensor& output) {
  const SelfTest& expected = spec_.self_test.at(part);
  if (output.sizes() != c10::IntArrayRef(expected.shape)) {
    throw InputError(part + ".pt: expected output " + text_of(expected.shape) + ", got " +
                     text_of(output.sizes()) + "; was it exported for another model?");
  }
  const torch::Tensor flat = output.to(torch::kCPU, torch::kDouble).reshape(-1);
  const auto count = static_cast<int64_t>(expected.values.size());
  double worst = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = count == 1 ? 0 : i * (flat.numel() - 1) / (count - 1);
    const double wanted = expected.values[static_cast<size_t>(i)];
    const double difference = std::abs(flat[at].item<double>() - wanted);
    worst = std::isnan(difference) ? difference : std::max(worst, difference);
    if (std::isnan(worst)) break;
  }
  if (std::isnan(worst) || !flat.isfinite().all().item<bool>()) {
    throw InputError(
        part + ".pt: its self-test gives NaN or infinite numbers; the weights are damaged" +
        (dtype() == torch::kHalf ? " or overflow in fp16 (try runtime.dtype bf16 or fp32)" : "") +
        ": convert the bundle again");
  }
  constexpr double kHalfPrecision = 5e-2;  // of the largest number that the part says
  const bool exact = dtype() == torch::kFloat && !module.rounds();
  const double allowed = exact ? spec_.tolerance : kHalfPrecision * flat.abs().max().item<double>();
  if (worst > allowed) {
    std::ostringstream text;
    text << part << ".pt: its self-test differs by " << worst
         << " from model.yaml's numbers, allowed " << allowed << " in " << dtype_name(dtype())
         << "; the weights are not those that the bundle was made with";
    throw InputError(text.str());
  }
  differences_[part] = worst;
}

}  // namespace moviechat
