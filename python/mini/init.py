"""How the mini model starts, so that a small model learns soon."""

from __future__ import annotations

import torch

from moviechat_models.frame_encoder import FrameEncoder
from moviechat_models.llama import LanguageModel
from moviechat_models.memory_reader import MemoryReader

RAMP, WAVE, NOISE = 1.5, 0.35, 0.3  # amplitudes


def init_positions(reader: MemoryReader) -> None:
    """Positions start as time itself: a ramp that rises with every block, and waves for early,
    middle and late.

    With alpha = n / (n + 1), position i·n + j is p_0 + n·(p_i - p_0) + (p_j - p_0), so that a ramp
    in the table is one in all n² positions: what is later, and what is last, can be read off.
    """
    rows, width = reader.position_table.shape
    share = reader.alpha / (1.0 - reader.alpha)
    count = torch.arange(rows).unsqueeze(1) / (rows - 1)  # [rows, 1], 0..1
    waves = torch.cos(torch.pi * count * torch.arange(1, 8)) * WAVE  # [rows, 7]
    ramp = (2.0 * count - 1.0) * RAMP
    coarse = torch.cat([ramp, waves], 1) @ torch.randn(8, width) + NOISE * torch.randn(rows, width)
    with torch.no_grad():
        reader.position_table.copy_(coarse[:1] + (coarse - coarse[:1]) / share)


def init_vision(encoder: FrameEncoder) -> None:
    """The start of the ViT: positions are 2-D waves, queries and keys the same projection.

    So it looks at neighbours from the first step, and a small ViT learns shapes much sooner
    (Trockman and Kolter, arXiv 2305.09828).
    """
    vit, sizes = encoder.vit, encoder.sizes.vit
    axis = torch.arange(sizes.grid, dtype=torch.float32)
    rates = torch.pi / sizes.grid * 2.0 ** torch.linspace(-1.0, 2.0, sizes.width // 4)
    waves = torch.cat([(axis[:, None] * rates).sin(), (axis[:, None] * rates).cos()], 1)  # [g, D/2]
    rows = waves[:, None].expand(-1, sizes.grid, -1)
    columns = waves[None].expand(sizes.grid, -1, -1)
    with torch.no_grad():
        vit.pos_embed[0, 1:] = torch.cat([rows, columns], -1).flatten(0, 1)
        head = sizes.width // sizes.heads
        for block in vit.blocks:
            for h in range(sizes.heads):
                shared = torch.linalg.qr(torch.randn(sizes.width, head))[0].T * 1.3  # [d, D]
                query, key = h * head, sizes.width + h * head
                block.attn.qkv.weight[query : query + head] = shared
                block.attn.qkv.weight[key : key + head] = shared
        encoder.qformer.query_tokens.normal_()


def init_language(language: LanguageModel) -> None:
    """Words start as long as a reading's embeddings are."""
    torch.nn.init.normal_(
        language.embed_tokens.weight, std=language.embed_tokens.weight.size(1) ** -0.5
    )
