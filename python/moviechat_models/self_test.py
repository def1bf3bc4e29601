"""Self-test numbers of a bundle: what each part as stored gives, in float32, for a fixed input. The
program computes them again before it trusts a bundle.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .linear import Linear, hold_stored, widen
from .model import empty_part
from .sizes import ModelSizes

SELF_TEST_VALUES = 16
SELF_TEST_TOLERANCE = 1e-3
SELF_TEST_CONTEXT = 7  # tokens fed to the language model


def test_bytes(count: int) -> Tensor:
    """byte(i) = ((i · 2654435761) mod 2^32) >> 24 → int64 [count]

    The C++ loader has the same formula.
    """
    index = torch.arange(count, dtype=torch.int64)
    return ((index * 2654435761) % (1 << 32)) >> 24


def sample_values(output: Tensor) -> list[float]:
    """16 numbers of the flattened output, at floor(i·(numel-1)/15)."""
    flat = output.detach().float().flatten()
    last = SELF_TEST_VALUES - 1
    return [float(flat[i * (flat.numel() - 1) // last]) for i in range(SELF_TEST_VALUES)]


def self_test_output(part: str, module: nn.Module, sizes: ModelSizes) -> Tensor:
    """A part's output for the fixed input. The module runs as it is: make it float32 first."""
    with torch.inference_mode():
        if part == "frame_encoder":
            image = sizes.frame_encoder.vit.image
            rgb = test_bytes(2 * 3 * image * image).to(torch.uint8).view(2, 3, image, image)
            return module(rgb)
        if part == "memory_reader":
            n, c = sizes.memory_reader.tokens, sizes.memory_reader.width
            blocks = ((test_bytes(3 * n * c) - 127.5) / 127.5).view(3, n, c)
            return module(blocks.float())
        ids = test_bytes(SELF_TEST_CONTEXT) % sizes.language_model.vocab
        keys, values = module.make_cache(1, 16)
        return module.step(module.embed(ids).unsqueeze(0), keys, values, 0)


def compute_in_float32(module: nn.Module) -> None:
    """Makes a module float32 for calls, at the cost of one matrix at a time.

    Matrices of linear layers, nearly all of a model, are widened for their own call only.
    """

    def widen_for_call(linear: Linear, _inputs: Any) -> None:
        linear.stored = linear.weight
        wide = widen(linear.weight.detach(), linear.scale, torch.float32)
        linear.weight = nn.Parameter(wide, requires_grad=False)

    def narrow(linear: Linear, _inputs: Any, _output: Any) -> None:
        linear.weight = linear.stored
        del linear.stored

    for layer in module.modules():
        for name, parameter in layer.named_parameters(recurse=False):
            if isinstance(layer, Linear) and name == "weight":
                layer.register_forward_pre_hook(widen_for_call)
                layer.register_forward_hook(narrow)
            else:
                parameter.data = parameter.data.float()


def stored_part(path: Path, sizes: ModelSizes) -> nn.Module:
    """A part's file → a module that computes in float32 from the weights as stored."""
    module = empty_part(path.stem, sizes)
    stored = torch.jit.load(str(path), map_location="cpu").state_dict()
    hold_stored(module, stored)
    module.load_state_dict(stored, assign=True)
    compute_in_float32(module)
    return module.eval()
