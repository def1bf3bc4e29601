"""The three modules of a model: what a frame passes on its way to an answer."""

from dataclasses import dataclass, fields

import torch
from torch import nn

from .frame_encoder import FrameEncoder
from .llama import LanguageModel
from .memory_reader import MemoryReader
from .sizes import ModelSizes


@dataclass(frozen=True)
class Model:
    """The three modules of a bundle."""

    frame_encoder: FrameEncoder
    memory_reader: MemoryReader
    language_model: LanguageModel

    @classmethod
    def create(cls, sizes: ModelSizes) -> "Model":
        """Untrained modules of these sizes."""
        return cls(
            FrameEncoder(sizes.frame_encoder),
            MemoryReader(sizes.memory_reader),
            LanguageModel(sizes.language_model),
        )

    @classmethod
    def parts(cls) -> tuple[str, ...]:
        """Names of the modules, in the order in which a frame passes them."""
        return tuple(field.name for field in fields(cls))

    @property
    def sizes(self) -> ModelSizes:
        return ModelSizes(
            self.frame_encoder.sizes, self.memory_reader.sizes, self.language_model.sizes
        )

    def modules(self) -> dict[str, nn.Module]:
        """File name → module"""
        return {f"{part}.pt": getattr(self, part) for part in self.parts()}


def empty_part(part: str, sizes: ModelSizes) -> nn.Module:
    """A module with shapes and no memory."""
    make = {
        "frame_encoder": FrameEncoder,
        "memory_reader": MemoryReader,
        "language_model": LanguageModel,
    }[part]
    with torch.device("meta"):
        return make(getattr(sizes, part))
