"""What the queries of the memory reader say: the code of a reading.

The reader learns to write it and the language model to answer from it, each by itself, before they
learn together. A reading is a sum of orthogonal directions (which query it is; a colour, a shape,
an event, …): 16 queries say what was on screen at 16 places of the memory, others name the scenes
in order, the colours that each shape had, the cameos, what is on screen now, the last event.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mini.consolidation import ARRIVING
from mini.films import CAMEO_SHAPES, COLOURS, DIRECTIONS, EVENTS, GLIDE, SHAPES, Scene
from mini.memories import CAMEOS, KEEP, PLANNED, SCENES, WINDOWS, Memory
from mini.questions import MOST_OBJECTS, seen_names
from mini.sizes import READING

BINS = 16
PLACES = 3
NONE = -100  # a label of what is not there
STRENGTH = 0.5  # of each direction
SHARPNESS = 12.0  # of a direction as a logit
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
    "scene": ("background", "shape", "colour", "number"),
    "cameo": ("cameo", "colour"),
    "now": ("present", "colour", "place", "direction"),
    "event": ("event", "shape", "colour", "other_shape", "other_colour"),
    "summary": ("background", "count"),
}
CLASSES = {
    "background": len(COLOURS) + 1,  # the last: no such scene
    "shape": len(SHAPES),
    "colour": len(COLOURS),
    "number": SCENES,  # of a scene, where it is not the query's own
    "cameo": len(CAMEO_SHAPES) + 1,  # the last: no such cameo
    "present": 2,
    "place": PLACES,
    "direction": len(DIRECTIONS),
    "event": len(EVENTS) + 1,  # the last: none
    "other_shape": len(SHAPES),  # of the thing met
    "other_colour": len(COLOURS),  # the new colour, or that of the thing met
    "count": MOST_OBJECTS + 2,
}
WEIGHTS = {"cameo": 5.0, "event": 1.5}  # of a group's losses: cameos are learned last
SEEN_WEIGHT, SEEN_CAMEOS_WEIGHT = 3.0, 25.0  # few of many labels are true
DISTANCE_WEIGHT = 2.0
QUERIES = {
    "scene": [*range(BINS), *range(FIRST_SCENE, BEFORE), BEFORE, NOW_SCENE],
    "cameo": list(range(FIRST_CAMEO, FIRST_CAMEO + CAMEOS)),
    "now": list(range(NOW, NOW + len(SHAPES))),
    "event": [EVENT],
    "summary": [SUMMARY],
}
COLOUR = {name: number for number, name in enumerate(COLOURS)}


def scene_labels(scene: Scene | None, number: int = NONE) -> list[int]:
    """background, shape, colour, number"""
    if scene is None:
        return [len(COLOURS), NONE, NONE, NONE]
    shape, colour = SHAPES.index(scene.main.shape), COLOUR[scene.main.colour]
    return [COLOUR[scene.background], shape, colour, number]


def scenes_of(memory: Memory) -> np.ndarray:
    """→ int64 [BINS + SCENES + 2, 4]"""
    film, until = memory.film, memory.until
    rows: list[list[int]] = []
    for place in range(BINS):
        window = (place + 0.5) * WINDOWS / BINS
        at = window * ARRIVING * film.duration / PLANNED
        if memory.uniform or KEEP * window > len(memory.blocks) or at > until:
            rows.append([NONE] * 4 if memory.uniform else scene_labels(None))
        else:
            rows.append(scene_labels(film.scene_at(at), film.scene_number(at)))
    last = film.scene_number(until)
    for number in range(SCENES):
        rows.append(scene_labels(film.scenes[number] if number <= last else None))
    rows.append(scene_labels(film.scenes[last - 1] if last else None, last - 1))
    rows.append(scene_labels(film.scenes[last], last))
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
    """The last event of the scene on screen. → int64 [1, 5]"""
    scene = memory.film.scene_at(memory.until)
    event = scene.event
    if not event or event.at + GLIDE > memory.until:
        return np.array([[len(EVENTS), NONE, NONE, NONE, NONE]])
    thing, other = scene.things[event.thing], (NONE, NONE)
    if event.kind == "colour":
        other = (NONE, COLOUR[event.colour])
    if event.kind == "meet":  # nobody sees who met whom: by shape
        pair = sorted(
            (thing, scene.things[event.other]), key=lambda thing: SHAPES.index(thing.shape)
        )
        thing = pair[0]
        other = (SHAPES.index(pair[1].shape), COLOUR[pair[1].colour])
    kind, shape = EVENTS.index(event.kind), SHAPES.index(thing.shape)
    return np.array([[kind, shape, COLOUR[thing.colour], *other]])


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


def directions() -> dict[str, Tensor]:
    """Orthonormal directions of a reading. → name: float32 [count, H]"""
    counts = {"query": USED, "seen_cameo": len(COLOURS)} | CLASSES
    raw = np.random.default_rng(9).normal(size=(READING, sum(counts.values())))
    columns = torch.from_numpy(np.linalg.qr(raw)[0].T.astype(np.float32).copy())
    return dict(zip(counts, columns.split(list(counts.values())), strict=True))


DIRECTIONS_OF = directions()


def labels_of(memories: list[Memory]) -> dict[str, Tensor]:
    """→ int64 [B, q, k] of each group, and "seen" float32 [B, 8, 8]"""
    labels = {name: np.stack([label(m) for m in memories]) for name, label in LABELS.items()}
    labels["seen"] = np.stack([seen_of(memory) for memory in memories])
    return {name: torch.from_numpy(label) for name, label in labels.items()}


def code_of_labels(labels: dict[str, Tensor]) -> Tensor:
    """What the reader should say. → [B, Q, H]"""
    batch = len(labels["seen"])
    code = DIRECTIONS_OF["query"].repeat(batch, 1, 1)
    for group, names in HEADS.items():
        for number, name in enumerate(names):
            truth = labels[group][:, :, number]
            said = DIRECTIONS_OF[name][truth.clamp(min=0)]  # [B, q, H]
            code[:, QUERIES[group]] += said * (truth != NONE).unsqueeze(-1)
    held = slice(SEEN, SEEN + len(SHAPES))
    things, cameos = labels["seen"].split(len(SHAPES), 1)
    code[:, held] += things @ DIRECTIONS_OF["colour"] + cameos @ DIRECTIONS_OF["seen_cameo"]
    return STRENGTH * code


def code_loss(
    readings: Tensor, memories: list[Memory], scenes: float = 1.0
) -> tuple[Tensor, dict[str, float]]:
    """How far readings [B, Q, H] are from what they should say, and how often each part of them is
    understood; `scenes` weighs their order: which is the n-th, and what number one has.
    """
    labels = labels_of(memories)
    losses: list[Tensor] = []
    right: dict[str, float] = {}
    for group, names in HEADS.items():
        held = readings[:, QUERIES[group]]  # [B, q, H]
        parts = {f"{group}_": slice(None)}
        if group == "scene":
            parts = {"bin_": slice(0, BINS), "nth_": slice(BINS, BINS + SCENES)}
            parts |= {"near_": slice(BINS + SCENES, None)}
        for number, name in enumerate(names):
            guess = SHARPNESS * held @ DIRECTIONS_OF[name].T
            for part, rows in parts.items():
                truth, logits = labels[group][:, rows, number], guess[:, rows]
                asked = truth != NONE
                if not bool(asked.any()):
                    continue
                each = F.cross_entropy(logits[asked], truth[asked])
                ordered = part == "nth_" or name == "number"
                weight = scenes if ordered else WEIGHTS.get(group, 1.0)
                losses.append(weight * each)
                hit = (logits.argmax(-1) == truth)[asked]
                right[part + name] = hit.float().mean().item()
    held = readings[:, SEEN : SEEN + len(SHAPES)]
    things, cameos = labels["seen"].split(len(SHAPES), 1)
    for name, direction, truth, weight in (
        ("seen", "colour", things, SEEN_WEIGHT),
        ("seen_cameos", "seen_cameo", cameos, SEEN_CAMEOS_WEIGHT),
    ):
        logits = 2.0 * SHARPNESS * (held @ DIRECTIONS_OF[direction].T - STRENGTH / 2.0)
        losses.append(weight * F.binary_cross_entropy_with_logits(logits, truth))
        right[name] = ((logits > 0) == (truth > 0.5)).all(-1).float().mean().item()
    distance = (readings - code_of_labels(labels)).square().sum(-1).mean()
    return torch.stack(losses).mean() + DISTANCE_WEIGHT * distance, right
