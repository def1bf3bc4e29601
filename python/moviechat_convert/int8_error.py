"""How far int8 matrices move a language model's logits from those of float32, layer by layer.

.venv/bin/python scripts/bench/int8_error.py

Full depth and width in the memory of one layer: every layer is made from the seed (the weights of
`scripts/convert synthetic`), run in float32, rounded, run again, and dropped. A prompt of random
tokens, then one decoded, each by the kernels that the program takes for it.

`alone` is a rounded layer's output for what float32 gives it; `so far` is after this and all
rounded layers before it.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from moviechat_models.export import quantize_layer
from moviechat_models.linear import Linear, Table, Widen
from moviechat_models.llama import LlamaLayer, RmsNorm, rotary_tables
from moviechat_models.sizes import LlamaSizes

from .size_file import read_sizes
from .synthetic import random_parameter


def made(module: nn.Module, name: str, seed: int, depth: int) -> nn.Module:
    """A module on the meta device → with the synthetic bundle's fp16 weights, in float32"""
    half = torch.float16
    weights = {
        key: random_parameter(f"language_model.{name}.{key}", like, seed, half, depth).float()
        for key, like in module.state_dict().items()
    }
    module.load_state_dict(weights, assign=True)
    return module.eval().requires_grad_(False)


def multiply_as_the_loader_chooses(module: nn.Module) -> None:
    """The same setting as src/bundle/script_module.cpp."""
    for layer in module.modules():
        if isinstance(layer, Widen):
            layer.fast_bf16 = torch.backends.cpu.get_cpu_capability() == "AVX512" and (
                torch.ops.mkldnn._is_mkldnn_bf16_supported()
            )


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """[1, n, H] twice → [n]"""
    return torch.cosine_similarity(a.double(), b.double(), dim=-1)[0]


@dataclass(frozen=True)
class Outputs:
    """Of a layer [1, n, H], or logits [1, n, rows]"""

    name: str
    exact: Tensor
    alone: Tensor
    so_far: Tensor


def read_and_decode(layer: LlamaLayer, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x [1, n, H] → [1, n, H]; the last of the n tokens is decoded, those before are the prompt."""
    n = x.size(1) - 1
    keys = torch.zeros(1, layer.self_attn.kv_heads, n + 1, cos.size(1))
    values = torch.zeros_like(keys)
    read = layer.cached(x[:, :n], cos[:n], sin[:n], None, keys, values, 0)
    said = layer.cached(x[:, n:], cos[n:], sin[n:], None, keys, values, n)
    return torch.cat((read, said), dim=1)


def compare(sizes: LlamaSizes, seed: int, tokens: int) -> Iterator[Outputs]:
    """float32 and int8, layer by layer and then the logits."""
    with torch.device("meta"):
        table, norm = Table(sizes.rows, sizes.width), RmsNorm(sizes.width, sizes.rms_eps)
        head = Linear(sizes.width, sizes.rows, bias=False)
        layers = [LlamaLayer(sizes) for _ in range(sizes.layers)]
    ids = torch.randint(sizes.vocab, (1, tokens), generator=torch.Generator().manual_seed(seed))
    exact = made(table, "embed_tokens", seed, sizes.layers)(ids)
    table.to("meta")
    rounded = exact.clone()
    cos, sin = rotary_tables(0, tokens, sizes.head_dim, sizes.rope_base, exact)
    for i, layer in enumerate(layers):
        made(layer, f"layers.{i}", seed, sizes.layers)
        given, exact = exact, layer(exact, cos, sin)
        quantize_layer(layer)
        multiply_as_the_loader_chooses(layer)
        alone = read_and_decode(layer, given, cos, sin)
        rounded = read_and_decode(layer, rounded, cos, sin)
        layer.to("meta")  # lets go of the weights
        yield Outputs(f"layer {i + 1}", exact, alone, rounded)
    made(norm, "norm", seed, sizes.layers)
    made(head, "lm_head", seed, sizes.layers)  # stays as it is stored
    yield Outputs("logits", *(head(norm(x)) for x in (exact, alone, rounded)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=Path, help="as of convert (default: the published sizes)")
    parser.add_argument("--layers", type=int, help="only so many (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=140, help="prompt, and one decoded")
    asked = parser.parse_args()
    sizes = read_sizes(asked.sizes).model.language_model
    sizes = replace(sizes, layers=asked.layers or sizes.layers)
    with torch.inference_mode():
        for out in compare(sizes, asked.seed, asked.tokens):
            alone, so_far = cosines(out.exact, out.alone), cosines(out.exact, out.so_far)
            print(f"{out.name}: least cosine {alone.min():.5f} alone, {so_far.min():.5f} so far")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
