"""Drawn films: what a film shows at every time, decided by a seed.

A film has a cast of one to four things. Its scenes follow each other with hard cuts or dissolves;
each shows some of the cast, the largest of them being the scene's main thing, and at most one event
(a thing comes in, leaves, changes its colour, grows, or meets another). A *cameo* interrupts a
scene once for one to three seconds: one large figure of a shape that nothing else has. The same
seed gives the same film. `painting` paints what is decided here, `questions` asks about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (215, 40, 40),
    "green": (40, 165, 60),
    "blue": (40, 75, 220),
    "yellow": (240, 220, 50),
    "orange": (245, 140, 25),
    "purple": (140, 50, 180),
    "white": (240, 240, 240),
    "black": (22, 22, 22),
}
SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star")
CAMEO_SHAPES: tuple[str, ...] = ("heart", "moon", "cross", "arrow")
TEXTURES: tuple[str, ...] = ("plain", "stripes", "checks", "dots")
EVENTS: tuple[str, ...] = ("enter", "leave", "colour", "grow", "meet")
DIRECTIONS: tuple[str, ...] = ("left", "right", "up", "down", "still")
FRAME_SIZES: tuple[tuple[int, int], ...] = ((160, 120), (144, 144), (176, 144), (192, 144))
FRAME_RATES: tuple[int, ...] = (12, 15, 24, 25, 30)

DISSOLVE = 0.5  # seconds
GLIDE = 0.8  # seconds that an event takes
GROWTH = 1.4
CALM = 1.5  # seconds between a cameo and a cut
SHORTEST = 8.0  # seconds of a scene
LONG = 7.0  # minutes: more than 10,000 frames at the rates that long films have
AFTER_EVENT = 5.0  # seconds in which nothing else happens


@dataclass(frozen=True)
class Thing:
    """One of the cast in one scene. Places are of its centre, 0..1 of the frame; it moves to and
    fro along `axis` between `low` and `high` at `speed` (frames a second), `other` is its place on
    the other axis.
    """

    shape: str
    colour: str
    size: float  # of the frame's height
    axis: int  # 0: x, 1: y
    low: float
    high: float
    other: float
    speed: float
    phase: float  # where it starts, 0..2
    angle: float  # radians

    @property
    def name(self) -> str:
        return f"{self.colour} {self.shape}"

    def place(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y and direction at times [n] since the scene's start → [n] each"""
        turn = np.mod(self.phase + self.speed * seconds / (self.high - self.low), 2.0)
        back = turn > 1.0
        along = self.low + (self.high - self.low) * np.where(back, 2.0 - turn, turn)
        still = np.full_like(along, self.other)
        if self.axis == 0:
            return along, still, np.where(back, 0, 1)
        return still, along, np.where(back, 2, 3)


@dataclass(frozen=True)
class Event:
    """What happens once in a scene, `at` seconds of the film. `thing` and `other` are members of
    the scene.
    """

    kind: str
    at: float
    thing: int
    other: int = -1
    colour: str = ""  # the new one


@dataclass(frozen=True)
class Cameo:
    """A large figure alone on the scene's background, from `start` to `end` of the film."""

    shape: str
    colour: str
    start: float
    end: float
    size: float

    @property
    def name(self) -> str:
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """What is seen from `start` to `end` of the film. things[0] is the main one."""

    start: float
    end: float
    background: str
    texture: str
    things: tuple[Thing, ...]
    event: Event | None = None
    dissolve: bool = False  # into the next scene
    seed: int = 0  # of colours' shades

    @property
    def main(self) -> Thing:
        return self.things[0]

    def colour_at(self, thing: int, seconds: float) -> str:
        """A member's colour at a time of the film."""
        event = self.event
        if event and event.kind == "colour" and event.thing == thing and seconds >= event.at:
            return event.colour
        return self.things[thing].colour

    def shown_at(self, seconds: float) -> list[tuple[str, str, Thing]]:
        """Shape, colour and thing of all members on screen at a time of the film, by shape."""
        event, shown = self.event, []
        for number, thing in enumerate(self.things):
            if event and event.thing == number:
                if event.kind == "enter" and seconds < event.at + GLIDE / 2:
                    continue
                if event.kind == "leave" and seconds >= event.at + GLIDE / 2:
                    continue
            shown.append((thing.shape, self.colour_at(number, seconds), thing))
        return sorted(shown, key=lambda item: SHAPES.index(item[0]))

    def names_at(self, seconds: float) -> list[str]:
        return [f"{colour} {shape}" for shape, colour, _ in self.shown_at(seconds)]

    def names(self) -> list[str]:
        """All that the scene ever shows, in the order in which it is first seen."""
        first = self.names_at(self.start)
        return first + [name for name in self.names_at(self.end) if name not in first]


@dataclass
class Look:
    """A film at n times: background [n]; of each shape [n, 4]: present, colour, x, y, size,
    direction, main; cameo [n]: colour · 4 + shape, or -1.
    """

    background: np.ndarray
    present: np.ndarray
    colour: np.ndarray
    x: np.ndarray
    y: np.ndarray
    size: np.ndarray
    direction: np.ndarray
    main: np.ndarray
    cameo: np.ndarray

    @staticmethod
    def empty(count: int) -> Look:
        def of(dtype: type, *shape: int) -> np.ndarray:
            return np.zeros((count, *shape), dtype)

        floats = [of(np.float32, len(SHAPES)) for _ in range(3)]
        return Look(
            of(np.int64),
            of(bool, len(SHAPES)),
            of(np.int64, len(SHAPES)),
            *floats,
            of(np.int64, len(SHAPES)),
            of(bool, len(SHAPES)),
            of(np.int64) - 1,
        )


@dataclass(frozen=True)
class Film:
    """A whole film: frame size, rate, scenes that follow each other without gaps, cameos."""

    width: int
    height: int
    fps: int
    scenes: tuple[Scene, ...]
    cameos: tuple[Cameo, ...]

    @property
    def duration(self) -> float:
        return self.scenes[-1].end

    @property
    def frame_count(self) -> int:
        return round(self.duration * self.fps)

    @property
    def aspect(self) -> float:
        """Height over width."""
        return self.height / self.width

    def scene_number(self, seconds: float) -> int:
        """Which scene is on screen at a time; the last one from its start on."""
        ends = [scene.end for scene in self.scenes[:-1]]
        return int(np.searchsorted(ends, seconds, side="right"))

    def scene_at(self, seconds: float) -> Scene:
        return self.scenes[self.scene_number(seconds)]

    def cameo_at(self, seconds: float) -> Cameo | None:
        for cameo in self.cameos:
            if cameo.start <= seconds < cameo.end:
                return cameo
        return None

    def dissolve_at(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """At times [n]: share of the other scene, and its number. → float64 [n], int64 [n]"""
        share, other = np.zeros(len(seconds)), np.zeros(len(seconds), np.int64)
        for number, (scene, following) in enumerate(pairwise(self.scenes)):
            if not scene.dissolve:
                continue
            passed = (seconds - scene.end) / DISSOLVE  # -0.5..0.5 in the dissolve
            before, after = (passed > -0.5) & (passed < 0.0), (passed >= 0.0) & (passed < 0.5)
            share[before], share[after] = 0.5 + passed[before], 0.5 - passed[after]
            other[before], other[after] = number + 1, number
            assert following.start == scene.end
        return share, other

    def look(self, seconds: np.ndarray, numbers: np.ndarray) -> Look:
        """What scenes `numbers` [n] show at times [n] of the film, cameos included."""
        seen = Look.empty(len(seconds))
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            look_at_scene(self.scenes[number], seconds[rows], rows, self.aspect, seen)
        for cameo in self.cameos:
            on = (seconds >= cameo.start) & (seconds < cameo.end)
            kind = CAMEO_SHAPES.index(cameo.shape)
            seen.cameo[on] = list(COLOURS).index(cameo.colour) * len(CAMEO_SHAPES) + kind
            seen.present[on] = False
        return seen

    def numbers_at(self, seconds: np.ndarray) -> np.ndarray:
        """Scene numbers at times [n] → int64 [n]"""
        ends = np.array([scene.end for scene in self.scenes[:-1]])
        return np.searchsorted(ends, seconds, side="right")


def smooth(share: np.ndarray) -> np.ndarray:
    """0..1 → 0..1, slow at both ends."""
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def meeting_place(scene: Scene, thing: int, other: int, aspect: float) -> tuple[float, float]:
    """Centres' x of two members that touch in the middle of the frame."""
    left, right = scene.things[thing].size * aspect, scene.things[other].size * aspect
    gap = 0.45 * (left + right)
    return 0.5 - gap / 2.0, 0.5 + gap / 2.0


def look_at_scene(
    scene: Scene, seconds: np.ndarray, rows: np.ndarray, aspect: float, seen: Look
) -> None:
    """Writes rows of `seen`: a scene at times [n] of the film."""
    names = list(COLOURS)
    seen.background[rows] = names.index(scene.background)
    event = scene.event
    passed = smooth((seconds - event.at) / GLIDE) if event else np.zeros(len(seconds))
    for number, thing in enumerate(scene.things):
        slot = SHAPES.index(thing.shape)
        x, y, direction = thing.place(seconds - scene.start)
        present, size = np.ones(len(seconds), bool), np.full(len(seconds), thing.size)
        colour = np.full(len(seconds), names.index(thing.colour))
        if event and number in (event.thing, event.other):
            if event.kind == "meet":
                places = meeting_place(scene, event.thing, event.other, aspect)
                goal = places[0] if number == event.thing else places[1]
                x, y = x + passed * (goal - x), y + passed * (0.5 - y)
                direction = np.where(seconds >= event.at, DIRECTIONS.index("still"), direction)
            elif number == event.thing and event.kind == "grow":
                size = size * (1.0 + (GROWTH - 1.0) * passed)
            elif number == event.thing and event.kind == "colour":
                new = names.index(event.colour)
                colour = np.where(seconds >= event.at, new, colour)
            elif number == event.thing:  # comes from the nearer side, or goes there
                away = -1.0 if event.at % 2.0 < 1.0 else 1.0
                share = 1.0 - passed if event.kind == "enter" else passed
                x = x + away * share
                half = thing.size * aspect / 2.0
                present = (x > -half) & (x < 1.0 + half)
        seen.present[rows, slot], seen.colour[rows, slot] = present, colour
        seen.x[rows, slot], seen.y[rows, slot], seen.size[rows, slot] = x, y, size
        seen.direction[rows, slot], seen.main[rows, slot] = direction, number == 0


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
    return draw_film(rng, minutes or length)
