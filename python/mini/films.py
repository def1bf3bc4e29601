"""Drawn films: what a film shows at every time.

A film has a cast of one to four things. Its scenes follow each other with hard cuts or dissolves;
each shows some of the cast, the largest of them being the scene's main thing, and at most one event
(a thing comes in, leaves, changes its colour, grows, or meets another). A *cameo* interrupts a
scene once for one to three seconds: one large figure of a shape that nothing else has.
`random_films` makes films up, `painting` paints what they show, `questions` asks about it.
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

DISSOLVE = 0.5  # seconds
GLIDE = 0.8  # seconds that an event takes
GROWTH = 1.4
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
