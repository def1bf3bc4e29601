"""The paper's memory, many films at once: K = 18, m = 2, cosine, plain mean in windows.

A second implementation of what the program does; checked against it by evaluation through real
films.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

KEEP = 2  # m
ARRIVING = 16  # K - m


def merge_to(blocks: Tensor, keep: int) -> Tensor:
    """Merges the most alike neighbours (the first of equals) until `keep` blocks are left.

    blocks float32 [B, M, N, C] → [B, keep, N, C]
    """
    while blocks.size(1) > keep:
        alike = F.cosine_similarity(blocks[:, :-1], blocks[:, 1:], dim=-1).mean(-1)  # [B, M-1]
        at = alike.argmax(1)  # [B]
        index = torch.arange(blocks.size(1) - 1).unsqueeze(0)  # [1, M-1]
        index = (index + (index > at.unsqueeze(1))).view(*alike.shape, 1, 1)
        rows = torch.arange(blocks.size(0))
        merged = (blocks[rows, at] + blocks[rows, at + 1]) / 2.0
        blocks = blocks.gather(1, index.expand(-1, -1, *blocks.shape[2:]))
        blocks[rows, at] = merged
    return blocks


def long_term(frames: Tensor, arriving: int = ARRIVING) -> Tensor:
    """Whole films' long-term memories. frames float32 [B, windows · arriving, N, C] → [B, windows ·
    m, N, C]

    The m merged blocks of a window stay in short-term memory, and are merged again with the next
    window.
    """
    kept: list[Tensor] = []
    for window in frames.split(arriving, dim=1):
        short = torch.cat([kept[-1], window], dim=1) if kept else window
        kept.append(merge_to(short, KEEP))
    return torch.cat(kept, dim=1)
