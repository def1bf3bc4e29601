"""Where the reader's queries, and an answer's words, should look.

Attention that is told where to look finds it sooner, and names the moments that an answer rests on.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mini.films import CAMEO_SHAPES, SHAPES
from mini.memories import CAMEOS, SCENES, Memory
from mini.questions import Question
from mini.reading_code import (
    BEFORE,
    EVENT,
    FIRST_CAMEO,
    FIRST_SCENE,
    NOW,
    NOW_SCENE,
    SEEN,
    SUMMARY,
)
from moviechat_models.memory_reader import MemoryReader

ENOUGH = 0.3  # of the largest share: a block that shows something well
FAINT = 0.02  # less of a scene or a cameo than this is not seen
TINY = 1e-4  # attention
SPACE = "▁"  # sentencepiece's
_CAMEOS = range(FIRST_CAMEO, FIRST_CAMEO + CAMEOS)
_SCENES = range(FIRST_SCENE, FIRST_SCENE + SCENES)
_NOW = range(NOW, NOW + len(SHAPES))
_SEEN = range(SEEN, SEEN + len(SHAPES))
# the queries whose code holds the answer
ANSWERED_BY: dict[str, range] = {
    "cameo": _CAMEOS,
    "describe": _SCENES,
    "first": _SCENES,
    "after": _SCENES,
    "main_background": range(SUMMARY, SUMMARY + 1),
    "count": range(SUMMARY, SUMMARY + 1),
    "end": range(EVENT, EVENT + 1),
    "event": range(EVENT, EVENT + 1),
    "before": range(BEFORE, BEFORE + 1),
    "background": range(NOW_SCENE, NOW_SCENE + 1),
    **dict.fromkeys(("appears", "seen"), _SEEN),
    **dict.fromkeys(("things", "colour", "shape", "count_now", "place", "direction"), _NOW),
}
BY_SHAPE = ("appears", "seen", "colour", "place", "direction")  # asked about one
NEXT_PART = {"cameo": ("and", "."), "describe": (",", ".")}  # pieces that turn to the next query


def answered_by(asked: Question, pieces: list[str]) -> list[range]:
    """The queries that each piece of an answer should be told from."""
    queries = ANSWERED_BY[asked.kind]
    if asked.kind in BY_SHAPE:
        for number, shapes in enumerate(zip(SHAPES, CAMEO_SHAPES, strict=True)):
            if any(shape in asked.question.lower() for shape in shapes):
                queries = queries[number : number + 1]
                break
    if asked.kind not in NEXT_PART:
        return [queries] * len(pieces)
    told: list[range] = []
    part = 0
    for piece in pieces:
        part += piece.strip(SPACE) in NEXT_PART[asked.kind]
        part = min(part, len(queries) - 1)
        told.append(queries[part : part + 1])
    return told


def where(memories: list[Memory], queries: int) -> tuple[Tensor, Tensor]:
    """Blocks that queries should look at, at first and in the end. → bool [B, Q, T] each; a query
    without any may look where it likes

    At first a query for a cameo looks at all cameos, as it cannot know yet which one is the second;
    so it does in the end, where there is no second. A cameo of few frames is faint beside one of
    many: what finds it is that the query for its shape looks for nothing else.
    """
    longest = max(len(memory.blocks) for memory in memories)
    early = torch.zeros(len(memories), queries, longest, dtype=torch.bool)
    late = torch.zeros_like(early)
    for row, memory in enumerate(memories):
        shares = torch.from_numpy(memory.shares)  # [T, scenes and cameos]
        most = shares.amax(0)
        shown = (shares >= ENOUGH * most) & (most > FAINT)
        scenes, cameos = shown[:, :SCENES].T, shown[:, SCENES:].T  # [·, T]
        blocks = shares.size(0)
        last = memory.film.scene_number(memory.until)
        late[row, _SCENES[0] : _SCENES[-1] + 1, :blocks] = scenes
        late[row, BEFORE, :blocks] = scenes[last - 1] if last else False
        late[row, [NOW_SCENE, EVENT], :blocks] = scenes[last]
        early[row, [*_CAMEOS], :blocks] = cameos.any(0)
        for cameo, showing in zip(memory.film.cameos, cameos, strict=False):
            early[row, SEEN + CAMEO_SHAPES.index(cameo.shape), :blocks] |= showing
        late[row, [*_CAMEOS], :blocks] = cameos.where(cameos.any(1, keepdim=True), cameos.any(0))
        late[row, [*_NOW], blocks - 1] = True
    return early, late


def read_looking(
    reader: MemoryReader, blocks: Tensor, mask: Tensor, memories: list[Memory]
) -> tuple[Tensor, Tensor]:
    """As `reader.read_batch`, and how far the queries are from looking where they should. → [B, Q,
    H], scalar
    """
    placed, seen = reader.place(blocks), reader.token_mask(mask)
    hidden = reader.qformer._queries(blocks.size(0))
    looks: list[Tensor] = []
    for layer in reader.qformer.layers:
        hidden, weights = layer.with_weights(hidden, placed, seen)
        if weights is not None:
            looks.append(weights.unflatten(-1, (blocks.size(1), -1)).sum(-1))  # [B, Q, T]
    early, late = where(memories, hidden.size(1))
    losses = [missed(look, early) for look in looks[:-1]] + [missed(looks[-1], late)]
    return reader.proj(hidden), torch.stack(losses).mean()


def missed(look: Tensor, goal: Tensor) -> Tensor:
    """-log of the attention [..., n] that goes where `goal` is true, mean over rows with a goal."""
    asked = goal.any(-1)
    there = (look * goal).sum(-1)[asked] / look.sum(-1)[asked].clamp(min=TINY)
    return -(there + TINY).log().mean()
