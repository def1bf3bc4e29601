"""Matrices that stay in the dtype of their file while what passes them is in another.

Seven billion weights are 13.5 GB in fp16 and 27 GB in fp32, which processors are fast at. So the
weight of a `Linear` or `Table` may be fp16, bf16, or int8 with a scale for each output channel, and
x in the dtype to compute in. Where the two agree this is PyTorch's own layer and nothing else.
"""

from collections.abc import Mapping
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PackedHalf = torch.classes.quantized.LinearPackedParamsBase
INT8_LARGEST = 127.0


def widen(weight: Tensor, scale: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Stored weight [out, in], scale float32 [out] of int8 → [out, in] in dtype"""
    wide = weight.to(dtype)
    return wide if scale is None else wide * scale.to(dtype).unsqueeze(1)


@torch.jit.interface
class MatrixOfAnotherDtype(nn.Module):
    """Keeps TorchScript from copying the code below into every layer: it costs seconds to load."""

    def forward(self, x: Tensor, weight: Tensor, scale: Tensor | None) -> Tensor:
        pass


class Widen(nn.Module):
    """x times a matrix of another dtype → the dtype of x.

    A loader sets `fast_bf16` on processors that multiply bf16 matrices faster than float32 ones;
    others do so a hundred times slower.
    """

    fast_bf16: bool

    def __init__(self) -> None:
        super().__init__()
        self.fast_bf16 = False

    def forward(self, x: Tensor, weight: Tensor, scale: Tensor | None) -> Tensor:
        """x […, in], weight [out, in], scale float32 [out] if it is int8 → […, out]"""
        if not x.is_cpu:  # torch's int8 kernel for CUDA, one output a thread, is slower
            return F.linear(x, widen(weight, scale, x.dtype))
        if self.fast_bf16 and weight.dtype == torch.bfloat16:
            return F.linear(x.to(torch.bfloat16), weight).to(x.dtype)
        rows = x.numel() // x.size(-1)
        if scale is not None and self.fast_bf16 and rows > 16:  # int8 is exact in bf16
            narrow = x.to(torch.bfloat16)
            seen: list[Tensor] = []
            for start in range(0, weight.size(0), 512):
                part = weight[start : start + 512].to(torch.bfloat16)
                seen.append(F.linear(narrow, part))
            return torch.cat(seen, -1).to(x.dtype) * scale.to(x.dtype)
        if scale is not None and rows <= 128 and x.size(-1) % 32 == 0:
            # torch's kernel: x in bf16, sums in float32; more rows are faster widened
            ones = torch.ones(weight.size(0), dtype=torch.bfloat16)
            flat = x.reshape(rows, x.size(-1)).to(torch.bfloat16)
            out = torch._weight_int8pack_mm(flat, weight, ones).to(x.dtype) * scale.to(x.dtype)
            return out.view(x.shape[:-1] + weight.shape[:1])
        if scale is None and rows == 1:  # reading the weight is all the work
            return F.linear(x.to(weight.dtype), weight).to(x.dtype)
        parts: list[Tensor] = []
        for start in range(0, weight.size(0), 256):  # channels: what is widened stays in the cache
            some = scale if scale is None else scale[start : start + 256]
            parts.append(F.linear(x, widen(weight[start : start + 256], some, x.dtype)))
        return torch.cat(parts, -1)


class Linear(nn.Linear):
    """x […, in] → […, out] in the dtype of x.

    A loader may leave `weight` in its file's dtype (`any_dtype` says so), and on x86 put `packed`
    in place of an fp16 one: FBGEMM's layout of weight and bias, by which it multiplies float32 x
    as fast as by a float32 weight, reading half the bytes.
    """

    packed: Optional[PackedHalf]  # noqa: UP045 (a ScriptClass knows no |)
    any_dtype: bool
    mixed: MatrixOfAnotherDtype

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, bias)
        self.register_parameter("scale", None)
        self.packed = None
        self.any_dtype = True
        self.mixed = Widen()

    def forward(self, x: Tensor) -> Tensor:
        """[…, in] → […, out]"""
        packed = self.packed
        if packed is not None:
            return torch.ops.quantized.linear_dynamic_fp16(x, packed)
        if self.weight.dtype == x.dtype:
            return F.linear(x, self.weight, self.bias)
        out = self.mixed(x, self.weight, self.scale)
        return out if self.bias is None else out + self.bias


class Table(nn.Embedding):
    """ids → rows, in the dtype of the weight, which a loader may leave as in the file."""

    any_dtype: bool
    mixed: MatrixOfAnotherDtype

    def __init__(self, rows: int, width: int) -> None:
        super().__init__(rows, width)
        self.any_dtype = True
        self.mixed = Widen()

    @torch.jit.export
    def transposed(self, x: Tensor) -> Tensor:
        """The same weight as a tied output layer: […, width] → […, rows]"""
        if self.weight.dtype == x.dtype:
            return F.linear(x, self.weight)
        return self.mixed(x, self.weight, None)


def to_int8(layer: Linear) -> None:
    """Rounds a weight to 8 bits in place: symmetric, a scale for each output channel."""
    weight = layer.weight.detach().float()
    scale = weight.abs().amax(1) / INT8_LARGEST
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)  # a channel of zeros stays one
    rounded = (weight / scale.unsqueeze(1)).round_()
    layer.weight = nn.Parameter(rounded.to(torch.int8), requires_grad=False)
    layer.scale = nn.Parameter(scale, requires_grad=False)


def hold_stored(module: nn.Module, stored: Mapping[str, Tensor]) -> None:
    """Makes room in a module without memory for weights as stored: int8 ones have a scale."""
    for name in stored:
        if name.endswith(".scale"):
            layer = module.get_submodule(name.removesuffix(".scale"))
            for own in ("weight", "scale"):
                empty = torch.empty_like(stored[name.replace("scale", own)], device="meta")
                layer.register_parameter(own, nn.Parameter(empty, requires_grad=False))
