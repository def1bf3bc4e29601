"""Embeddings → logits: LLaMA with its cache in the caller's hands. `language_model.pt` of a bundle.

Touvron et al., arXiv 2302.13971. Reference: `LlamaForCausalLM` of transformers 4.28: pre-norm
layers with RMSNorm in float32, rotate-half rotary positions, SwiGLU, no biases. Key-value heads may
be fewer than query heads.

    keys, values = model.make_cache(batch=1, capacity=2048)
    logits = model.step(prompt, keys, values, start=0)                      # [1, n, H], prefill
    logits = model.step(model.embed(ids)[None], keys, values, start=n)      # one token more

Several answers side by side have a cache for what is their own and share prefixes that lie in
caches of their own, read once whatever the number of rows:

    logits = model.step_rows(model.embed(ids)[:, None], keys, values, slots, positions, prefix_of,
                             prefix_keys, prefix_values)                    # [B, rows]
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import (
    attend,
    attend_with_sums,
    attend_with_weights,
    causal_mask,
    merge_heads,
    split_heads,
)
from .linear import Linear, Table
from .sizes import LlamaSizes


class RmsNorm(nn.Module):
    """x / rms(x) · weight, the rms in float32."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """[…, H] → […, H]"""
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(self.weight.dtype)


def rotary_at(
    positions: Tensor, head_dim: int, base: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """cos and sin for positions float32 [n] → each [n, d] in dtype

    The angles are float32 and made from Python numbers: nothing that .to(float16) could round.
    """
    even = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32)
    inv_freq = 1.0 / torch.pow(base, even / head_dim)  # [d/2]
    angles = positions.unsqueeze(1) * inv_freq.unsqueeze(0)  # [n, d/2]
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotary_tables(
    start: int, count: int, head_dim: int, base: float, like: Tensor
) -> tuple[Tensor, Tensor]:
    """For positions start … start+count-1 → each [count, d], dtype and device of `like`"""
    positions = torch.arange(start, start + count, device=like.device, dtype=torch.float32)
    return rotary_at(positions, head_dim, base, like.dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x [B, h, n, d], cos and sin [n, d] or [B, 1, n, d] → [B, h, n, d]

    Rotate-half, as in HF checkpoints.
    """
    half = x.size(-1) // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + turned * sin


class LlamaAttention(nn.Module):
    """Causal attention: projections and rotary positions; the caller keeps keys and values."""

    def __init__(self, sizes: LlamaSizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.kv_heads = sizes.kv_heads
        self.q_proj = Linear(sizes.width, sizes.heads * sizes.head_dim, bias=False)
        self.k_proj = Linear(sizes.width, sizes.kv_heads * sizes.head_dim, bias=False)
        self.v_proj = Linear(sizes.width, sizes.kv_heads * sizes.head_dim, bias=False)
        self.o_proj = Linear(sizes.heads * sizes.head_dim, sizes.width, bias=False)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, n, H] → query [B, heads, n, d], key and value [B, kv_heads, n, d]"""
        query = rotate(split_heads(self.q_proj(x), self.heads), cos, sin)
        key = rotate(split_heads(self.k_proj(x), self.kv_heads), cos, sin)
        return query, key, split_heads(self.v_proj(x), self.kv_heads)

    def look(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """query [B, heads, n, d], key and value [B, kv_heads, m, d] → [B, n, H]

        Without a mask: causal, which needs n = m, or the newest position alone, which sees all.
        """
        causal = mask is None and query.size(2) > 1
        return self.o_proj(merge_heads(attend(query, key, value, mask, causal, 0.0)))

    def look_at_prefix(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """One position a row, at a prefix that all share: query [B, heads, 1, d], key and value
        [kv_heads, P, d] → what is seen [B, heads, 1, d], log Σ exp of scores [B, heads, 1, 1]

        The rows are queries of one batch: the prefix is read once, not once a row.
        """
        rows, kv, d = query.size(0), key.size(0), query.size(3)
        together = query.view(rows, kv, -1, d).transpose(0, 1).reshape(1, kv, -1, d)
        seen, sums = attend_with_sums(together, key.unsqueeze(0), value.unsqueeze(0), None)
        seen = seen.view(kv, rows, -1, d).transpose(0, 1).reshape(query.shape)
        return seen, sums.view(kv, rows, -1, 1).transpose(0, 1).reshape(rows, -1, 1, 1)

    def look_with_weights(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As look with mask [n, m], and the probabilities, mean over heads, float32 [B, n, m]"""
        seen, weights = attend_with_weights(query, key, value, mask)
        return self.o_proj(merge_heads(seen)), weights.mean(1)


class LlamaMlp(nn.Module):
    """SwiGLU."""

    def __init__(self, sizes: LlamaSizes) -> None:
        super().__init__()
        self.gate_proj = Linear(sizes.width, sizes.ffn, bias=False)
        self.up_proj = Linear(sizes.width, sizes.ffn, bias=False)
        self.down_proj = Linear(sizes.ffn, sizes.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, n, H] → [B, n, H]"""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaLayer(nn.Module):
    """Pre-norm layer in two halves, `project` and `finish`; what happens in between differs."""

    def __init__(self, sizes: LlamaSizes) -> None:
        super().__init__()
        self.dropout = sizes.dropout
        self.input_layernorm = RmsNorm(sizes.width, sizes.rms_eps)
        self.self_attn = LlamaAttention(sizes)
        self.post_attention_layernorm = RmsNorm(sizes.width, sizes.rms_eps)
        self.mlp = LlamaMlp(sizes)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, n, H] → query [B, heads, n, d], key and value [B, kv_heads, n, d]"""
        return self.self_attn.project(self.input_layernorm(x), cos, sin)

    def finish(self, x: Tensor, seen: Tensor) -> Tensor:
        """x and what attention saw [B, n, H] → [B, n, H]"""
        x = x + F.dropout(seen, self.dropout, self.training)
        out = self.mlp(self.post_attention_layernorm(x))
        return x + F.dropout(out, self.dropout, self.training)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None) -> Tensor:
        """Without a cache, all positions at once. x [B, n, H], mask [B, 1, n, n] → [B, n, H]"""
        query, key, value = self.project(x, cos, sin)
        return self.finish(x, self.self_attn.look(query, key, value, mask))

    def cached(
        self,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor | None,
        keys: Tensor,
        values: Tensor,
        start: int,
    ) -> Tensor:
        """x [B, n, H] at positions start … start+n-1 → [B, n, H]

        keys and values [B, kv_heads, capacity, d] are written in place there; mask [n, start+n]
        """
        query, key, value = self.project(x, cos, sin)
        key, value = remember(keys, key, start), remember(values, value, start)
        return self.finish(x, self.self_attn.look(query, key, value, mask))

    def cached_with_weights(
        self,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor,
        keys: Tensor,
        values: Tensor,
        start: int,
    ) -> tuple[Tensor, Tensor]:
        """As cached, and the attention, mean over heads, float32 [B, n, start+n]"""
        query, key, value = self.project(x, cos, sin)
        key, value = remember(keys, key, start), remember(values, value, start)
        seen, weights = self.self_attn.look_with_weights(query, key, value, mask)
        return self.finish(x, seen), weights

    def cached_rows(
        self,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor,
        keys: Tensor,
        values: Tensor,
        slots: Tensor,
        prefix_of: Tensor,
        prefix_keys: list[Tensor],
        prefix_values: list[Tensor],
    ) -> Tensor:
        """x [B, 1, H], row b at slots[b] of its own cache, behind prefix prefix_of[b] → [B, 1, H]

        mask [B, 1, 1, capacity] of the own cache; prefixes [kv_heads, P, d] each.
        """
        query, key, value = self.project(x, cos, sin)
        index = slots.view(-1, 1, 1, 1).expand_as(key)
        keys.scatter_(2, index, key)
        values.scatter_(2, index, value)
        if len(prefix_keys) == 0:
            return self.finish(x, self.self_attn.look(query, keys, values, mask))
        own, own_sum = attend_with_sums(
            query, keys, values, mask
        )  # [B, heads, 1, d], [B, heads, 1, 1]
        seen = own
        for p in range(len(prefix_keys)):
            # All rows look at each prefix, whoever stands behind it: no row's numbers depend on
            # how many others do.
            prefix, prefix_sum = self.self_attn.look_at_prefix(
                query, prefix_keys[p], prefix_values[p]
            )
            share = torch.sigmoid(prefix_sum - own_sum)
            share = share.masked_fill((prefix_of != p).view(-1, 1, 1, 1), 0.0)
            seen = seen + share.to(own.dtype) * (prefix - own)
        return self.finish(x, self.self_attn.o_proj(merge_heads(seen)))


def remember(cache: Tensor, new: Tensor, start: int) -> Tensor:
    """Writes new [B, kv, n, d] into cache [B, kv, capacity, d] → view [B, kv, start+n, d]

    No work grows with the capacity.
    """
    cache.narrow(2, start, new.size(2)).copy_(new)
    return cache.narrow(2, 0, start + new.size(2))


class LanguageModel(nn.Module):
    """Embeddings → logits.

    The cache is two tensors [layers, B, kv_heads, capacity, d] that `step` writes in place; to
    reorder beams, index-select their dimension 1.
    """

    __jit_ignored_attributes__: ClassVar[list[str]] = ["sizes"]

    def __init__(self, sizes: LlamaSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.width = sizes.width
        self.layer_count = sizes.layers
        self.kv_heads = sizes.kv_heads
        self.head_dim = sizes.head_dim
        self.rope_base = sizes.rope_base
        self.embed_tokens = Table(sizes.rows, sizes.width)
        self.layers = nn.ModuleList([LlamaLayer(sizes) for _ in range(sizes.layers)])
        self.norm = RmsNorm(sizes.width, sizes.rms_eps)
        self.lm_head = None if sizes.tied else Linear(sizes.width, sizes.rows, bias=False)
        nn.init.normal_(self.embed_tokens.weight, std=0.02)

    @torch.jit.export
    def embed(self, ids: Tensor) -> Tensor:
        """int64 […] → […, H]"""
        return self.embed_tokens(ids).to(self.norm.weight.dtype)

    @torch.jit.export
    def make_cache(self, batch: int, capacity: int) -> tuple[Tensor, Tensor]:
        """→ keys and values [layers, B, kv_heads, capacity, d], zeros"""
        weight = self.norm.weight  # in the dtype to compute in, as matrices need not be
        shape = [self.layer_count, batch, self.kv_heads, capacity, self.head_dim]
        keys = torch.zeros(shape, dtype=weight.dtype, device=weight.device)
        return keys, torch.zeros_like(keys)

    def _logits(self, x: Tensor) -> Tensor:
        """Output of the last layer […, H] → float32 […, rows]"""
        x = self.norm(x)
        if self.lm_head is not None:
            return self.lm_head(x).float()
        return self.embed_tokens.transposed(x).float()

    def _check(self, embeddings: Tensor, keys: Tensor, start: int) -> None:
        rows = keys.size(1)
        if embeddings.dim() != 3 or embeddings.size(0) != rows or embeddings.size(2) != self.width:
            raise ValueError(
                f"language model: expected embeddings [{rows}, n, {self.width}], "
                f"got {list(embeddings.shape)}"
            )
        if start < 0 or embeddings.size(1) < 1 or start + embeddings.size(1) > keys.size(3):
            raise ValueError(
                f"language model: {embeddings.size(1)} positions from {start} on "
                f"do not fit a cache of {keys.size(3)}"
            )

    def _run(self, embeddings: Tensor, keys: Tensor, values: Tensor, start: int) -> Tensor:
        """[B, n, H] → [B, n, H] before the final norm; writes the cache"""
        self._check(embeddings, keys, start)
        n = embeddings.size(1)
        x = embeddings.to(self.norm.weight.dtype)
        cos, sin = rotary_tables(start, n, self.head_dim, self.rope_base, x)
        mask: Tensor | None = None
        if n > 1 and start > 0:
            mask = causal_mask(n, start + n, x.device)
        for i, layer in enumerate(self.layers):
            x = layer.cached(x, cos, sin, mask, keys[i], values[i], start)
        return x

    @torch.jit.export
    def step(self, embeddings: Tensor, keys: Tensor, values: Tensor, start: int) -> Tensor:
        """[B, n, H] at positions start … start+n-1 → logits of the last one, float32 [B, rows]"""
        return self._logits(self._run(embeddings, keys, values, start)[:, -1])

    @torch.jit.export
    def step_rows(
        self,
        embeddings: Tensor,
        keys: Tensor,
        values: Tensor,
        slots: Tensor,
        positions: Tensor,
        prefix_of: Tensor,
        prefix_keys: list[Tensor],
        prefix_values: list[Tensor],
    ) -> Tensor:
        """One token a row, [B, 1, H] → logits float32 [B, rows]

        Row b writes slots[b] of its own cache and stands behind prefix prefix_of[b] (-1: none); its
        position, counted with the prefix, is positions[b]; all int64 [B]. Prefixes are
        [layers, 1, kv_heads, P, d] each and are only read. Rows need not be equally long. The same
        work on the same shapes at every position, and nothing read back from the device: it can be
        captured as a CUDA graph. Hence attention runs over the whole capacity, and that slots fit
        it is the caller's care.
        """
        self._check(embeddings, keys, 0)
        x = embeddings.to(self.norm.weight.dtype)
        cos, sin = rotary_at(positions.float(), self.head_dim, self.rope_base, x.dtype)  # [B, d]
        cos, sin = cos.unsqueeze(1).unsqueeze(1), sin.unsqueeze(1).unsqueeze(1)  # [B, 1, 1, d]
        capacity = torch.arange(keys.size(3), device=x.device)
        mask = (capacity <= slots.unsqueeze(1)).unsqueeze(1).unsqueeze(1)  # [B, 1, 1, capacity]
        for i, layer in enumerate(self.layers):
            x = layer.cached_rows(
                x,
                cos,
                sin,
                mask,
                keys[i],
                values[i],
                slots,
                prefix_of,
                [prefix[i, 0] for prefix in prefix_keys],
                [prefix[i, 0] for prefix in prefix_values],
            )
        return self._logits(x[:, -1])

    @torch.jit.export
    def step_attention(
        self, embeddings: Tensor, keys: Tensor, values: Tensor, start: int
    ) -> tuple[Tensor, Tensor]:
        """As step, and the attention, mean over layers and heads, float32 [B, n, start+n]"""
        self._check(embeddings, keys, start)
        n = embeddings.size(1)
        x = embeddings.to(self.norm.weight.dtype)
        cos, sin = rotary_tables(start, n, self.head_dim, self.rope_base, x)
        mask = causal_mask(n, start + n, x.device)
        total = torch.zeros(x.size(0), n, start + n, device=x.device)  # float32
        for i, layer in enumerate(self.layers):
            x, weights = layer.cached_with_weights(x, cos, sin, mask, keys[i], values[i], start)
            total = total + weights
        return self._logits(x[:, -1]), total / self.layer_count

    @torch.jit.export
    def score(self, embeddings: Tensor, mask: Tensor | None = None) -> Tensor:
        """Without a cache, for training: [B, n, H] → logits float32 [B, n, rows]

        mask bool [B, n], true for real positions, is needed only where padding is not on the right:
        causal attention never looks at what comes later. Positions count from 0, padding included.
        """
        n = embeddings.size(1)
        x = embeddings.to(self.norm.weight.dtype)
        cos, sin = rotary_tables(0, n, self.head_dim, self.rope_base, x)
        seen: Tensor | None = None
        if mask is not None:
            # every position sees itself, so that padding has no empty row (NaN)
            itself = torch.eye(n, dtype=torch.bool, device=x.device)
            seen = ((causal_mask(n, n, x.device) & mask.unsqueeze(1)) | itself).unsqueeze(1)
        for layer in self.layers:
            x = layer(x, cos, sin, seen)
        return self._logits(x)
