"""The Q-Former of BLIP-2 (Li et al., arXiv 2301.12597): BERT layers over learned queries.

Reference: `models/Qformer.py` of MovieChat, query branch only: the queries pass the embeddings'
LayerNorm (no word or position embedding), every layer is post-norm, layers 0, cross_every, … look
at the memory.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import attend, attend_with_weights, merge_heads, split_heads
from .layer_norm import WideLayerNorm
from .linear import Linear
from .sizes import QFormerSizes


class BertAttention(nn.Module):
    """Attention with its output layer, residual and post-norm (BERT's `attention.self` and
    `.output`).
    """

    def __init__(self, sizes: QFormerSizes, memory_width: int) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.dropout = sizes.dropout
        self.query = Linear(sizes.width, sizes.width)
        self.key = Linear(memory_width, sizes.width)
        self.value = Linear(memory_width, sizes.width)
        self.dense = Linear(sizes.width, sizes.width)
        self.norm = WideLayerNorm(sizes.width, eps=sizes.eps)

    def _project(self, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """→ query [B, heads, Q, d], key and value [B, heads, M, d] in the parameters' dtype"""
        hidden, memory = self.norm.narrow(hidden), self.norm.narrow(memory)
        query = split_heads(self.query(hidden), self.heads)
        key = split_heads(self.key(memory), self.heads)
        return query, key, split_heads(self.value(memory), self.heads)

    def _finish(self, seen: Tensor, hidden: Tensor) -> Tensor:
        """seen [B, heads, Q, d], hidden [B, Q, C] → float32 [B, Q, C]"""
        out = F.dropout(self.dense(merge_heads(seen)), self.dropout, self.training)
        return self.norm(hidden + out)

    def forward(self, hidden: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """hidden float32 [B, Q, C], memory [B, M, W], mask [B, 1, 1, M] true where to look →
        float32 [B, Q, C]
        """
        query, key, value = self._project(hidden, memory)
        dropout = self.dropout if self.training else 0.0
        return self._finish(attend(query, key, value, mask, False, dropout), hidden)

    def with_weights(
        self, hidden: Tensor, memory: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As forward, and the probabilities, mean over heads, float32 [B, Q, M]; not dropped."""
        query, key, value = self._project(hidden, memory)
        seen, weights = attend_with_weights(query, key, value, mask)
        return self._finish(seen, hidden), weights.mean(1)


class BertFeedForward(nn.Module):
    """The query branch's feed-forward (`intermediate_query`, `output_query`)."""

    def __init__(self, sizes: QFormerSizes) -> None:
        super().__init__()
        self.dropout = sizes.dropout
        self.intermediate = Linear(sizes.width, sizes.ffn)
        self.dense = Linear(sizes.ffn, sizes.width)
        self.norm = WideLayerNorm(sizes.width, eps=sizes.eps)

    def forward(self, hidden: Tensor) -> Tensor:
        """float32 [B, Q, C] → float32 [B, Q, C]"""
        out = self.dense(F.gelu(self.intermediate(self.norm.narrow(hidden))))
        return self.norm(hidden + F.dropout(out, self.dropout, self.training))


class QFormerLayer(nn.Module):
    """Self-attention, cross-attention where `crosses`, feed-forward."""

    def __init__(self, sizes: QFormerSizes, crosses: bool) -> None:
        super().__init__()
        self.attention = BertAttention(sizes, sizes.width)
        self.crossattention = BertAttention(sizes, sizes.memory_width) if crosses else None
        self.feed_forward = BertFeedForward(sizes)

    def forward(self, hidden: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """hidden float32 [B, Q, C], memory [B, M, W], mask [B, 1, 1, M] → float32 [B, Q, C]"""
        hidden = self.attention(hidden, hidden)
        if self.crossattention is not None:
            hidden = self.crossattention(hidden, memory, mask)
        return self.feed_forward(hidden)

    def with_weights(
        self, hidden: Tensor, memory: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """As forward, and the cross-attention [B, Q, M], or None where the layer does not cross."""
        hidden = self.attention(hidden, hidden)
        weights: Tensor | None = None
        if self.crossattention is not None:
            hidden, weights = self.crossattention.with_weights(hidden, memory, mask)
        return self.feed_forward(hidden), weights


class QFormer(nn.Module):
    """A memory of any length → a fixed number of query outputs."""

    def __init__(self, sizes: QFormerSizes) -> None:
        super().__init__()
        self.dropout = sizes.dropout
        self.query_tokens = nn.Parameter(torch.empty(1, sizes.queries, sizes.width))
        self.norm = WideLayerNorm(sizes.width, eps=sizes.eps)
        self.layers = nn.ModuleList(
            [QFormerLayer(sizes, i % sizes.cross_every == 0) for i in range(sizes.layers)]
        )
        nn.init.normal_(self.query_tokens, std=0.02)

    def _queries(self, batch: int) -> Tensor:
        """→ float32 [B, Q, C]"""
        queries = F.dropout(self.norm(self.query_tokens), self.dropout, self.training)
        return queries.expand(batch, -1, -1)

    def forward(self, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """memory [B, M, W], mask [B, 1, 1, M] true where to look → [B, Q, C]"""
        hidden = self._queries(memory.size(0))
        for layer in self.layers:
            hidden = layer(hidden, memory, mask)
        return self.norm.narrow(hidden)

    def with_weights(self, memory: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As forward, and the cross-attention, mean over layers and heads, float32 [B, Q, M]."""
        hidden = self._queries(memory.size(0))
        total = torch.zeros(
            hidden.size(0), hidden.size(1), memory.size(1), device=memory.device
        )  # float32
        crossings = 0
        for layer in self.layers:
            hidden, weights = layer.with_weights(hidden, memory, mask)
            if weights is not None:
                total = total + weights
                crossings += 1
        return self.norm.narrow(hidden), total / crossings
