"""What each query of the memory reader is asked to hold, by linear heads that are thrown away.

So that reading the memory is learned directly, and the language model finds everything in its
place: 16 queries say what was on screen at 16 places of the memory, others name the scenes in
order, the colours that each shape had, the cameos, what is on screen now, the last event.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mini.consolidation import ARRIVING
from mini.films import CAMEO_SHAPES, COLOURS, DIRECTIONS, EVENTS, GLIDE, SHAPES, Scene
from mini.memories import KEEP, PLANNED, WINDOWS, Memory
from mini.questions import MOST_OBJECTS, seen_names

BINS, SCENES, CAMEOS = 16, 6, 2
PLACES = 3
NONE = -100  # a label that is not asked for
# query numbers
FIRST_SCENE = BINS
BEFORE, NOW_SCENE = FIRST_SCENE + SCENES, FIRST_SCENE + SCENES + 1
SEEN = NOW_SCENE + 1
FIRST_CAMEO = SEEN + len(SHAPES)
NOW = FIRST_CAMEO + CAMEOS
EVENT = NOW + len(SHAPES)
SUMMARY = EVENT + 1
USED = SUMMARY + 1

HEADS = {
    "scene": ("background", "shape", "colour"),
    "cameo": ("cameo_shape", "cameo_colour"),
    "now": ("present", "now_colour", "place", "direction"),
    "event": ("event", "event_shape", "event_colour", "event_other"),
    "summary": ("main_background", "count"),
}
CLASSES = {
    "background": len(COLOURS) + 1,  # the last: no such scene
    "shape": len(SHAPES),
    "colour": len(COLOURS),
    "cameo_shape": len(CAMEO_SHAPES) + 1,
    "cameo_colour": len(COLOURS),
    "present": 2,
    "now_colour": len(COLOURS),
    "place": PLACES,
    "direction": len(DIRECTIONS),
    "event": len(EVENTS) + 1,
    "event_shape": len(SHAPES),
    "event_colour": len(COLOURS),
    "event_other": len(COLOURS),  # the new colour, or that of the thing met
    "main_background": len(COLOURS),
    "count": MOST_OBJECTS + 2,
}
WEIGHTS = {"cameo": 5.0, "event": 1.5}  # of a group's losses: cameos are learned last
SEEN_WEIGHT, SEEN_CAMEOS_WEIGHT = 3.0, 25.0  # few of many labels are true
QUERIES = {
    "scene": [*range(BINS), *range(FIRST_SCENE, BEFORE), BEFORE, NOW_SCENE],
    "cameo": list(range(FIRST_CAMEO, FIRST_CAMEO + CAMEOS)),
    "now": list(range(NOW, NOW + len(SHAPES))),
    "event": [EVENT],
    "summary": [SUMMARY],
}
COLOUR = {name: number for number, name in enumerate(COLOURS)}


def scene_labels(scene: Scene | None) -> list[int]:
    """background, shape, colour"""
    if scene is None:
        return [len(COLOURS), NONE, NONE]
    return [COLOUR[scene.background], SHAPES.index(scene.main.shape), COLOUR[scene.main.colour]]


def scenes_of(memory: Memory) -> np.ndarray:
    """→ int64 [BINS + SCENES + 2, 3]"""
    film, until = memory.film, memory.until
    rows: list[list[int]] = []
    for place in range(BINS):
        window = (place + 0.5) * WINDOWS / BINS
        at = window * ARRIVING * film.duration / PLANNED
        if memory.uniform or KEEP * window > len(memory.blocks) or at > until:
            rows.append([NONE, NONE, NONE] if memory.uniform else scene_labels(None))
        else:
            rows.append(scene_labels(film.scene_at(at)))
    last = film.scene_number(until)
    for number in range(SCENES):
        rows.append(scene_labels(film.scenes[number] if number <= last else None))
    rows.append(scene_labels(film.scenes[last - 1] if last else None))
    rows.append(scene_labels(film.scenes[last]))
    return np.array(rows)


def cameos_of(memory: Memory) -> np.ndarray:
    """→ int64 [CAMEOS, 2]"""
    seen = [cameo for cameo in memory.film.cameos if cameo.start <= memory.until]
    rows = [[CAMEO_SHAPES.index(c.shape), COLOUR[c.colour]] for c in seen]
    return np.array((rows + [[len(CAMEO_SHAPES), NONE]] * CAMEOS)[:CAMEOS])


def now_of(memory: Memory) -> np.ndarray:
    """→ int64 [4, 4]"""
    at = np.array([min(memory.until, memory.film.duration - 1e-3)])
    look = memory.film.look(at, memory.film.numbers_at(at))
    rows = np.full((len(SHAPES), 4), NONE)
    rows[:, 0] = look.present[0]
    for slot in np.flatnonzero(look.present[0]):
        rows[slot, 1] = look.colour[0, slot]
        if not memory.is_global:  # a merged block does not tell where things were at the end
            place = int(np.clip(look.x[0, slot] * PLACES, 0, PLACES - 1))
            rows[slot, 2:] = (place, look.direction[0, slot])
    return rows


def event_of(memory: Memory) -> np.ndarray:
    """The last event of the scene on screen. → int64 [1, 4]"""
    scene = memory.film.scene_at(memory.until)
    event = scene.event
    if not event or event.at + GLIDE > memory.until:
        return np.array([[len(EVENTS), NONE, NONE, NONE]])
    thing = scene.things[event.thing]
    other = NONE
    if event.kind == "colour":
        other = COLOUR[event.colour]
    if event.kind == "meet":
        other = COLOUR[scene.things[event.other].colour]
    kind, shape = EVENTS.index(event.kind), SHAPES.index(thing.shape)
    return np.array([[kind, shape, COLOUR[thing.colour], other]])


def summary_of(memory: Memory) -> np.ndarray:
    """→ int64 [1, 2]"""
    length: dict[str, float] = {}
    for scene in memory.film.scenes:
        shown = min(scene.end, memory.until) - scene.start
        if shown > 0:
            length[scene.background] = length.get(scene.background, 0.0) + shown
    count = min(len(seen_names(memory.film, memory.until)), MOST_OBJECTS + 1)
    return np.array([[COLOUR[max(length, key=lambda name: length[name])], count]])


def seen_of(memory: Memory) -> np.ndarray:
    """Which colours each shape, and each cameo shape, has had. → float32 [8, 8]"""
    kinds = SHAPES + CAMEO_SHAPES
    seen = np.zeros((len(kinds), len(COLOURS)), np.float32)
    for name in seen_names(memory.film, memory.until):
        colour, shape = name.split()
        seen[kinds.index(shape), COLOUR[colour]] = 1.0
    return seen


LABELS = {
    "scene": scenes_of,
    "cameo": cameos_of,
    "now": now_of,
    "event": event_of,
    "summary": summary_of,
}


class ReadingHeads(nn.Module):
    """Readings [B, Q, H] → what their queries are asked to hold."""

    def __init__(self, width: int) -> None:
        super().__init__()
        names = [name for group in HEADS.values() for name in group]
        self.heads = nn.ModuleDict({name: nn.Linear(width, CLASSES[name]) for name in names})
        self.seen = nn.Linear(width, len(COLOURS))
        self.seen_cameos = nn.Linear(width, len(COLOURS))

    def loss(self, readings: Tensor, memories: list[Memory]) -> tuple[Tensor, dict[str, float]]:
        """Mean of all heads' losses, and how often each is right."""
        losses: list[Tensor] = []
        right: dict[str, float] = {}
        for group, names in HEADS.items():
            labels = torch.from_numpy(np.stack([LABELS[group](m) for m in memories]))  # [B, q, k]
            held = readings[:, QUERIES[group]]  # [B, q, H]
            parts = {"": slice(None)}
            if group == "scene":
                parts = {"bin_": slice(0, BINS), "nth_": slice(BINS, BINS + SCENES)}
                parts |= {"near_": slice(BINS + SCENES, None)}
            for number, name in enumerate(names):
                guess = self.heads[name](held)
                for part, rows in parts.items():
                    truth, logits = labels[:, rows, number], guess[:, rows]
                    asked = truth != NONE
                    if not bool(asked.any()):
                        continue
                    each = F.cross_entropy(logits[asked], truth[asked])
                    losses.append(WEIGHTS.get(group, 1.0) * each)
                    hit = (logits.argmax(-1) == truth)[asked]
                    right[part + name] = hit.float().mean().item()
        seen = torch.from_numpy(np.stack([seen_of(memory) for memory in memories]))  # [B, 8, 8]
        held = readings[:, SEEN : SEEN + len(SHAPES)]
        for name, head, truth, weight in (
            ("seen", self.seen, seen[:, : len(SHAPES)], SEEN_WEIGHT),
            ("seen_cameos", self.seen_cameos, seen[:, len(SHAPES) :], SEEN_CAMEOS_WEIGHT),
        ):
            logits = head(held)
            losses.append(weight * F.binary_cross_entropy_with_logits(logits, truth))
            right[name] = ((logits > 0) == (truth > 0.5)).all(-1).float().mean().item()
        return torch.stack(losses).mean(), right
