"""A language model published as the difference to LLaMA."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .checkpoint import WEIGHTS, Problem, Shape, TensorFolder
from .upstream import IGNORED_LLAMA


@dataclass(frozen=True)
class Sum:
    """A base and a delta, tensor by tensor: both rounded to float16, added in float16.

    Tables of tokens get rows of zeros when the delta has more: Vicuna v0 added its padding token.
    """

    base: TensorFolder
    delta: TensorFolder
    new_rows: int = 1

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return self.delta.shapes

    @property
    def dtypes(self) -> Mapping[str, str]:
        return self.delta.dtypes

    def file_of(self, name: str) -> str:
        return self.delta.file_of(name)

    def read(self, name: str) -> Tensor:
        base, delta = self.base.read(name).half(), self.delta.read(name).half()
        if base.size(0) + self.new_rows == delta.size(0):
            base = torch.cat((base, base.new_zeros(self.new_rows, *base.shape[1:])))
        return base + delta

    def problems(self) -> Iterator[Problem]:
        """Tensors of the two that cannot be added."""
        known = re.compile("|".join(IGNORED_LLAMA))
        for name in self.base.shapes.keys() | self.delta.shapes.keys():
            if known.fullmatch(name):
                continue
            if name not in self.delta.shapes:
                detail = f"{self.base.path.name} has it"
                yield Problem(self.delta.file_of(name), "missing", name, detail)
                continue
            if name not in self.base.shapes:
                detail = f"{self.delta.path.name} has it"
                yield Problem(self.base.file_of(name), "missing", name, detail)
                continue
            base, delta = self.base.shapes[name], self.delta.shapes[name]
            if (kind := self.base.dtypes.get(name)) not in WEIGHTS:
                detail = f"found {kind}, expected floating point, as published: not quantized"
                yield Problem(self.base.file_of(name), "wrong dtype", name, detail)
            grown = (base[0] + self.new_rows, *base[1:]) if self._is_table(name) else base
            if grown != delta:
                detail = f"found {list(base)}, expected {self._expected(name, delta)} for the delta"
                yield Problem(self.base.file_of(name), "wrong shape", name, detail)

    def _is_table(self, name: str) -> bool:
        return name in ("model.embed_tokens.weight", "lm_head.weight")

    def _expected(self, name: str, delta: Shape) -> list[int]:
        return [delta[0] - self.new_rows, *delta[1:]] if self._is_table(name) else list(delta)
