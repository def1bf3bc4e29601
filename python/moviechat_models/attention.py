"""Scaled dot-product attention, with and without its probabilities. Shared by all modules."""

import torch
import torch.nn.functional as F
from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[B, n, heads·d] → [B, heads, n, d]"""
    return x.view(x.size(0), x.size(1), heads, x.size(2) // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """[B, heads, n, d] → [B, n, heads·d]"""
    return x.transpose(1, 2).reshape(x.size(0), x.size(2), x.size(1) * x.size(3))


def share_heads(x: Tensor, heads: int) -> Tensor:
    """Key or value heads [B, kv, n, d], each repeated for its group → [B, heads, n, d]"""
    groups = heads // x.size(1)
    if groups == 1:
        return x
    grouped = x.unsqueeze(2).expand(x.size(0), x.size(1), groups, x.size(2), x.size(3))
    return grouped.reshape(x.size(0), heads, x.size(2), x.size(3))


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool, dropout: float
) -> Tensor:
    """query [B, h, n, d], key and value [B, kv, m, d] → [B, h, n, d]

    Each key-value head serves h / kv query heads in a row. mask is true where to look and broadcast
    to [B, h, n, m]; causal needs n = m and no mask.
    """
    kv = key.size(1)
    if query.size(1) == kv:
        return F.scaled_dot_product_attention(query, key, value, mask, dropout, causal)
    if query.size(2) == 1 and mask is None:
        # the heads of a group ask the same keys, so they are queries of one head: nothing copied
        grouped = query.view(query.size(0), kv, query.size(1) // kv, query.size(3))
        seen = F.scaled_dot_product_attention(grouped, key, value, None, dropout, False)
        return seen.reshape(query.shape)
    return F.scaled_dot_product_attention(query, key, value, mask, dropout, causal, enable_gqa=True)


def attend_with_sums(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """query [B, h, n, d], key and value [B, kv, m, d] → seen [B, h, n, d], log Σ exp of scores

    The sums, float32 [B, h, n, 1], are the weights by which what was seen in several parts is put
    together.
    """
    kv, d = key.size(1), query.size(3)
    # the heads of a group ask the same keys, so they are queries of one head: nothing copied
    grouped = (query * d**-0.5).reshape(query.size(0), kv, -1, d)  # [B, kv, h/kv·n, d]
    scores = (grouped @ key.transpose(-1, -2)).float()
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    sums = scores.logsumexp(-1, keepdim=True)
    seen = (scores - sums).exp().to(value.dtype) @ value
    return seen.view(query.shape), sums.view(query.size(0), query.size(1), -1, 1)


def attend_with_weights(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """As `attend`, and the probabilities in float32 [B, h, n, m]."""
    key, value = share_heads(key, query.size(1)), share_heads(value, query.size(1))
    scores = (query * query.size(-1) ** -0.5) @ key.transpose(-1, -2)  # [B, h, n, m]
    scores = scores.float()
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(-1)
    return weights.to(value.dtype) @ value, weights


def causal_mask(new: int, total: int, device: torch.device) -> Tensor:
    """The last `new` of `total` positions look at themselves and at all before → [new, total]"""
    seen = torch.ones(new, total, dtype=torch.bool, device=device)
    return seen.tril(total - new)
