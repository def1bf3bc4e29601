"""Memory → language-model embeddings: positions, video Q-Former, projection. `memory_reader.pt`.

Reference: `encode_long_video` of MovieChat, in evaluation mode and with positions from the loaded
table.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from .linear import Linear
from .positions import extend_positions
from .qformer import QFormer
from .sizes import MemoryReaderSizes


class MemoryReader(nn.Module):
    """Blocks [T, N, C] in the order long-term, short-term, current → [Q, H]. 1 <= T <= n².

    The position table is kept as trained and extended in float32 at every call (n²·C sums, a
    thousandth of the Q-Former's work), so that it trains, and so that half precision rounds it
    once.
    """

    __jit_ignored_attributes__: ClassVar[list[str]] = ["sizes"]

    def __init__(self, sizes: MemoryReaderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.tokens = sizes.tokens
        self.width = sizes.width
        self.levels = sizes.positions.levels
        self.alpha = sizes.positions.alpha
        self.position_table = nn.Parameter(torch.empty(sizes.positions.rows, sizes.width))
        self.qformer = QFormer(sizes.qformer)
        self.proj = Linear(sizes.qformer.width, sizes.out)
        nn.init.normal_(self.position_table, std=0.02)

    def place(self, blocks: Tensor) -> Tensor:
        """Adds position k to the N tokens of block k. [B, T, N, C] → tokens [B, T·N, C]"""
        t = blocks.size(1)
        if blocks.dim() != 4 or blocks.size(2) != self.tokens or blocks.size(3) != self.width:
            raise ValueError(
                f"memory reader: expected blocks [T, {self.tokens}, {self.width}], "
                f"got {list(blocks.shape[1:])}"
            )
        if t < 1 or t > self.levels * self.levels:
            raise ValueError(
                f"memory reader: expected 1 to {self.levels * self.levels} blocks, got {t}"
            )
        positions = extend_positions(self.position_table, self.levels, self.alpha, t)  # [T, C]
        placed = blocks.float() + positions.unsqueeze(1)  # [B, T, N, C]
        return placed.to(self.position_table.dtype).flatten(1, 2)

    def token_mask(self, mask: Tensor | None) -> Tensor | None:
        """Block mask [B, T] → token mask [B, 1, 1, T·N]"""
        if mask is None:
            return None
        return mask.repeat_interleave(self.tokens, dim=1).unsqueeze(1).unsqueeze(1)

    @torch.jit.export
    def read_batch(self, blocks: Tensor, mask: Tensor | None = None) -> Tensor:
        """Several memories. blocks [B, T, N, C], mask bool [B, T] → [B, Q, H]

        mask is true for real blocks, which come first in each row; at least one.
        """
        return self.proj(self.qformer(self.place(blocks), self.token_mask(mask)))

    @torch.jit.export
    def read(self, blocks: Tensor) -> tuple[Tensor, Tensor]:
        """[T, N, C] → [Q, H], and how each query spreads its attention over the blocks, float32 [Q,
        T]

        Probabilities of the cross-attention: mean over layers and heads, sum over a block's N
        tokens.
        """
        hidden, weights = self.qformer.with_weights(self.place(blocks.unsqueeze(0)))
        weights = weights[0].unflatten(-1, (blocks.size(0), self.tokens))  # [Q, T, N]
        return self.proj(hidden)[0], weights.sum(-1)

    def forward(self, blocks: Tensor) -> Tensor:
        """[T, N, C] → [Q, H]"""
        return self.read_batch(blocks.unsqueeze(0), None)[0]
