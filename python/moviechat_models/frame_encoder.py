"""Frames → blocks: pixels, EVA ViT, ln_vision, frame Q-Former. `frame_encoder.pt` of a bundle."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from .eva_vit import EvaVit
from .layer_norm import WideLayerNorm
from .qformer import QFormer
from .sizes import FrameEncoderSizes


class FrameEncoder(nn.Module):
    """uint8 RGB [B, 3, S, S], any strides → blocks [B, N, C] in the parameters' dtype."""

    __jit_ignored_attributes__: ClassVar[list[str]] = ["sizes"]

    def __init__(self, sizes: FrameEncoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.image = sizes.vit.image
        # Python floats, so that no .to(float16) rounds them and no device is baked in
        self.mean = list(sizes.mean)
        self.std = list(sizes.std)
        self.vit = EvaVit(sizes.vit)
        self.ln_vision = WideLayerNorm(sizes.vit.width, eps=sizes.ln_eps)
        self.qformer = QFormer(sizes.qformer)

    def normalize(self, rgb: Tensor) -> Tensor:
        """uint8 [B, 3, S, S] → float32 [B, 3, S, S], contiguous: (rgb / 255 - mean) / std"""
        pixels = rgb.float() / 255.0
        planes = [(pixels[:, i] - self.mean[i]) / self.std[i] for i in range(3)]
        return torch.stack(planes, dim=1)

    def see(self, rgb: Tensor) -> Tensor:
        """uint8 [B, 3, S, S] → ViT output float32 [B, P, D], before ln_vision"""
        if (
            rgb.dim() != 4
            or rgb.size(1) != 3
            or rgb.size(2) != self.image
            or rgb.size(3) != self.image
        ):
            raise ValueError(
                f"frame encoder: expected RGB [B, 3, {self.image}, {self.image}], "
                f"got {list(rgb.shape)}"
            )
        return self.vit(self.normalize(rgb).to(self.vit.pos_embed.dtype))

    @torch.jit.export
    def condense(self, vit: Tensor) -> Tensor:
        """ViT output before ln_vision [B, P, D] → blocks [B, N, C]"""
        return self.qformer(self.ln_vision.narrow(self.ln_vision(vit)))

    def forward(self, rgb: Tensor) -> Tensor:
        """uint8 [B, 3, S, S] → blocks [B, N, C]"""
        return self.condense(self.see(rgb))
