"""The EVA-CLIP vision transformer (Sun et al., arXiv 2303.15389), as BLIP-2 cuts it.

Reference: `models/eva_vit.py` of MovieChat, with timm 0.6.13. Pre-norm blocks, learned absolute
positions, a class token, exact GELU, no final norm: the output is the last block's.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import attend, merge_heads
from .layer_norm import WideLayerNorm
from .linear import Linear
from .sizes import VitSizes


class VitAttention(nn.Module):
    """Self-attention. The published model has no key bias: rows D…2D of `qkv.bias` are zero.

    A key bias adds the same to all scores of a query and so changes no softmax; training leaves it
    alone.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Linear(width, 3 * width)
        self.proj = Linear(width, width)
        with torch.no_grad():
            self.qkv.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """[B, P, D] → [B, P, D]"""
        b, p, d = x.shape
        qkv = self.qkv(x).view(b, p, 3, self.heads, d // self.heads)
        qkv = qkv.permute(2, 0, 3, 1, 4)  # [3, B, heads, P, d]
        seen = attend(qkv[0], qkv[1], qkv[2], None, False, 0.0)
        return self.proj(merge_heads(seen))


class VitMlp(nn.Module):
    """Two linear layers with the exact GELU."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = Linear(width, hidden)
        self.fc2 = Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, P, D] → [B, P, D]"""
        return self.fc2(F.gelu(self.fc1(x)))


class VitBlock(nn.Module):
    """Pre-norm transformer block.

    The residual stream is float32 in any dtype of the parameters.
    """

    def __init__(self, sizes: VitSizes) -> None:
        super().__init__()
        self.norm1 = WideLayerNorm(sizes.width, eps=sizes.eps)
        self.attn = VitAttention(sizes.width, sizes.heads)
        self.norm2 = WideLayerNorm(sizes.width, eps=sizes.eps)
        self.mlp = VitMlp(sizes.width, sizes.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """float32 [B, P, D] → float32 [B, P, D]"""
        x = x + self.attn(self.norm1.narrow(self.norm1(x)))
        return x + self.mlp(self.norm2.narrow(self.norm2(x)))


class PatchEmbed(nn.Module):
    """Cuts an image into patches and maps each to the ViT's width."""

    def __init__(self, sizes: VitSizes) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, sizes.width, kernel_size=sizes.patch, stride=sizes.patch)

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, S, S] → [B, P-1, D], row by row"""
        return self.proj(pixels).flatten(2).transpose(1, 2)


class EvaVit(nn.Module):
    """Normalised pixels → one vector a patch, and the class token's first."""

    def __init__(self, sizes: VitSizes) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, sizes.width))
        self.pos_embed = nn.Parameter(torch.empty(1, sizes.tokens, sizes.width))
        self.patch_embed = PatchEmbed(sizes)
        self.blocks = nn.ModuleList([VitBlock(sizes) for _ in range(sizes.depth)])
        nn.init.normal_(self.cls_token, std=0.02)
        nn.init.normal_(self.pos_embed, std=0.02)

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, S, S] in the parameters' dtype → float32 [B, P, D]"""
        patches = self.patch_embed(pixels)  # [B, P-1, D]
        cls = self.cls_token.expand(patches.size(0), -1, -1)
        x = torch.cat((cls, patches), dim=1).float() + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return x


def resize_pos_embed(pos_embed: Tensor, grid: int) -> Tensor:
    """Positions of another square grid [1, 1+g², D] → float32 [1, 1+grid², D]

    The class position stays. Reference: `interpolate_pos_embed`: bicubic (a = -0.75), align_corners
    false, no antialiasing.
    """
    pos_embed = pos_embed.float()
    cls, patches = pos_embed[:, :1], pos_embed[:, 1:]
    old = round(patches.size(1) ** 0.5)
    if old * old != patches.size(1):
        raise ValueError(
            f"pos_embed: expected 1 + a square number of positions, got {pos_embed.size(1)}"
        )
    if old == grid:
        return pos_embed
    square = patches.reshape(1, old, old, -1).permute(0, 3, 1, 2)  # [1, D, g, g]
    square = F.interpolate(square, size=(grid, grid), mode="bicubic", align_corners=False)
    return torch.cat((cls, square.permute(0, 2, 3, 1).flatten(1, 2)), dim=1)
