"""Films made up by chance: the same seed gives the same film."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mini.films import (
    AFTER_EVENT,
    CAMEO_SHAPES,
    COLOURS,
    EVENTS,
    SHAPES,
    TEXTURES,
    Cameo,
    Event,
    Film,
    Scene,
    Thing,
)

FRAME_SIZES: tuple[tuple[int, int], ...] = ((160, 120), (144, 144), (176, 144), (192, 144))
FRAME_RATES: tuple[int, ...] = (12, 15, 24, 25, 30)
CALM = 1.5  # seconds between a cameo and a cut
SHORTEST = 8.0  # seconds of a scene
LONG = 7.0  # minutes: more than 10,000 frames at the rates that long films have


def draw_cuts(rng: np.random.Generator, duration: float, scenes: int, fps: int) -> list[float]:
    """Scene borders on frames, 0 and the duration included; half of the time is shared out
    evenly. → [scenes + 1]
    """
    least = max(SHORTEST, duration / scenes * 0.5)
    shares = least + (duration - least * scenes) * rng.dirichlet(np.ones(scenes) * 1.5)
    borders = np.concatenate([[0.0], np.cumsum(shares)])
    borders[-1] = duration
    return [round(float(border) * fps) / fps for border in borders]


def draw_cast(rng: np.random.Generator) -> list[tuple[str, str]]:
    """One to four different (colour, shape)."""
    count = int(rng.choice([1, 2, 3, 4], p=[0.05, 0.2, 0.35, 0.4]))
    cast: list[tuple[str, str]] = []
    while len(cast) < count:
        member = (str(rng.choice(list(COLOURS))), str(rng.choice(SHAPES)))
        if member not in cast:
            cast.append(member)
    return cast


def draw_things(
    rng: np.random.Generator, members: list[tuple[str, str]], aspect: float
) -> list[Thing]:
    """Members of the cast as things with sizes and paths of their own, each in its own part of the
    frame.
    """
    count = len(members)
    if count == 1:
        cells = [(0.0, 1.0, 0.0, 1.0)]
    elif count == 2 and rng.uniform() < 0.5:
        cells = [(0.0, 0.5, 0.0, 1.0), (0.5, 1.0, 0.0, 1.0)]
    elif count == 2:
        cells = [(0.0, 1.0, 0.0, 0.5), (0.0, 1.0, 0.5, 1.0)]
    else:
        cells = [(x, x + 0.5, y, y + 0.5) for x in (0.0, 0.5) for y in (0.0, 0.5)]
    cells = [cells[i] for i in rng.permutation(len(cells))[:count]]
    things: list[Thing] = []
    for number, ((colour, shape), cell) in enumerate(zip(members, cells, strict=True)):
        top = 0.5 if count == 1 else 0.44
        size = float(rng.uniform(0.38, top) if number == 0 else rng.uniform(0.25, 0.3))
        half = (size * aspect / 2.0, size / 2.0)
        ranges = []  # of the centre, x and y
        for axis in (0, 1):
            low, high = cell[2 * axis] + half[axis], cell[2 * axis + 1] - half[axis]
            middle = (cell[2 * axis] + cell[2 * axis + 1]) / 2.0
            ranges.append((min(low, middle - 0.05), max(high, middle + 0.05)))
        axis = int(rng.integers(2))
        low, high = ranges[axis]
        things.append(
            Thing(
                shape=shape,
                colour=colour,
                size=size,
                axis=axis,
                low=low,
                high=high,
                other=float(rng.uniform(*ranges[1 - axis])),
                speed=float(rng.uniform(0.06, 0.2)),
                phase=float(rng.uniform(0.0, 2.0)),
                angle=float(rng.uniform(-0.15, 0.15)),
            )
        )
    return things


def draw_event(
    rng: np.random.Generator, start: float, end: float, things: list[Thing], colours: list[str]
) -> Event | None:
    """An event in the middle of a scene, only one that leaves the main thing what it is; `colours`
    are free for a new one.
    """
    if rng.uniform() < 0.12:
        return None
    at = float(rng.uniform(start + max(2.5, 0.3 * (end - start)), end - AFTER_EVENT))
    kind = str(rng.choice(EVENTS)) if len(things) > 1 else "grow"
    if kind == "grow":
        return Event(kind, at, 0)
    extra = int(rng.integers(1, len(things)))
    if kind == "colour":
        return Event(kind, at, extra, colour=str(rng.choice(colours)))
    if kind == "meet":
        pair = (0, extra) if rng.uniform() < 0.5 else (extra, 0)
        return Event(kind, at, *pair)
    return Event(kind, at, extra)


def draw_scenes(rng: np.random.Generator, cuts: list[float], aspect: float) -> list[Scene]:
    """Scenes between the cuts, from one cast; neighbours differ in background and, where the cast
    allows, main thing.
    """
    cast, names = draw_cast(rng), list(COLOURS)
    scenes: list[Scene] = []
    for start, end in pairwise(cuts):
        order = [cast[i] for i in rng.permutation(len(cast))]
        if scenes and len(cast) > 1:
            before = (scenes[-1].main.colour, scenes[-1].main.shape)
            if order[0] == before:
                order = order[1:] + order[:1]
        wanted = int(rng.choice([1, 2, 3, 4], p=[0.4, 0.35, 0.15, 0.1]))
        members: list[tuple[str, str]] = []
        for colour, shape in order:
            if len(members) < wanted and all(colour != c and shape != s for c, s in members):
                members.append((colour, shape))
        used = {colour for colour, _ in members}
        taken = used | ({scenes[-1].background} if scenes else set())
        background = str(rng.choice([name for name in names if name not in taken]))
        things = draw_things(rng, members, aspect)
        free = [name for name in names if name not in used | {background}]
        scenes.append(
            Scene(
                start=start,
                end=end,
                background=background,
                texture=str(rng.choice(TEXTURES)),
                things=tuple(things),
                event=draw_event(rng, start, end, things, free),
                dissolve=bool(rng.uniform() < 0.35),
                seed=int(rng.integers(1 << 30)),
            )
        )
    return scenes


def draw_cameos(rng: np.random.Generator, scenes: list[Scene]) -> list[Cameo]:
    """One or two, in different scenes, in order; never in the seconds after an event."""
    wanted = 1 if rng.uniform() < 0.6 else 2
    cameos: list[Cameo] = []
    hosts: set[int] = set()
    for _ in range(200):
        if len(cameos) == wanted:
            break
        number = int(rng.integers(len(scenes)))
        scene, length = scenes[number], float(rng.uniform(1.0, 3.0))
        start = float(rng.uniform(scene.start + CALM, scene.end - CALM - 1.0))
        end = start + length
        event = scene.event
        if number in hosts or end > scene.end - CALM:
            continue
        if event and start < event.at + AFTER_EVENT and end > event.at - CALM:
            continue
        colour = str(rng.choice([name for name in COLOURS if name != scene.background]))
        shape = str(rng.choice(CAMEO_SHAPES))
        if any(cameo.name == f"{colour} {shape}" for cameo in cameos):
            continue
        hosts.add(number)
        cameos.append(Cameo(shape, colour, start, end, float(rng.uniform(0.7, 0.85))))
    return sorted(cameos, key=lambda cameo: cameo.start)


def draw_film(rng: np.random.Generator, minutes: float) -> Film:
    """A random film of 2 to 6 scenes."""
    width, height = FRAME_SIZES[rng.integers(len(FRAME_SIZES))]
    rates = FRAME_RATES if minutes < LONG else FRAME_RATES[2:]
    fps = rates[rng.integers(len(rates))]
    duration = round(minutes * 60.0 * fps) / fps
    most = min(6, int(duration / (SHORTEST + 2.0)))
    while True:
        cuts = draw_cuts(rng, duration, int(rng.integers(2, most + 1)), fps)
        scenes = draw_scenes(rng, cuts, height / width)
        cameos = draw_cameos(rng, scenes)
        if cameos:
            return Film(width, height, fps, tuple(scenes), tuple(cameos))


def draw_minutes(rng: np.random.Generator, split: str) -> float:
    """A film's length: 1 to 15 minutes. In `test`, most films have more than 10,000 frames."""
    if split == "test" and rng.uniform() < 0.7:
        return float(rng.uniform(LONG, 15.0))
    return float(np.exp(rng.uniform(np.log(1.0), np.log(15.0))))


SPLITS: dict[str, int] = {"train": 0, "test": 1}


def film_of_seed(seed: int, index: int, split: str = "train", minutes: float | None = None) -> Film:
    """Film number `index` of a set: the same for the same arguments."""
    rng = np.random.default_rng([seed, index, SPLITS[split]])
    length = draw_minutes(rng, split)
    return draw_film(rng, length if minutes is None else minutes)
