"""Drawn films: what a film shows, decided by a seed, and its frames as arrays.

A film is a list of scenes with hard cuts. A scene has a coloured background and one or two moving
shapes. `draw_film` decides everything from a random generator; `SceneRenderer` only paints. The
same seed gives the same film.
"""

from __future__ import annotations

from collections.abc import Iterator
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
FRAME_SIZES: tuple[tuple[int, int], ...] = ((320, 240), (256, 256), (352, 288), (288, 240))
FRAME_RATES: tuple[int, ...] = (12, 15, 24, 25, 30)


@dataclass(frozen=True)
class Thing:
    """One moving shape. Lengths are fractions of the frame's height, times are seconds, angles
    radians.
    """

    shape: str
    colour: str
    rgb: tuple[int, int, int]
    size: float  # width of the shape
    angle: float
    start: tuple[float, float]  # position at the scene's start, 0..1 of the free area
    speed: tuple[float, float]  # free areas per second; bounces at the borders

    @property
    def name(self) -> str:
        return f"{self.colour} {self.shape}"

    def place(self, seconds: float) -> tuple[float, float]:
        """Position at a time since the scene's start, as fractions of the free area."""

        def bounce(x: float) -> float:
            x %= 2.0
            return 2.0 - x if x > 1.0 else x

        return (
            bounce(self.start[0] + self.speed[0] * seconds),
            bounce(self.start[1] + self.speed[1] * seconds),
        )


@dataclass(frozen=True)
class Scene:
    """What is seen from `start` to `end` (seconds in the film)."""

    start: float
    end: float
    background: str
    rgb: tuple[int, int, int]
    shade: float  # brightness falls by this share from top to bottom
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class Film:
    """A whole film: frame size, rate and scenes that follow each other without gaps."""

    width: int
    height: int
    fps: int
    scenes: tuple[Scene, ...]

    @property
    def duration(self) -> float:
        return self.scenes[-1].end

    @property
    def frame_count(self) -> int:
        return round(self.duration * self.fps)

    def scene_at(self, seconds: float) -> Scene:
        """The scene on screen at a time; the last one from its start on."""
        for scene in self.scenes:
            if seconds < scene.end:
                return scene
        return self.scenes[-1]


def jitter(rng: np.random.Generator, rgb: tuple[int, int, int], by: int) -> tuple[int, int, int]:
    """A colour moved a little, still the same colour to the eye."""
    moved = np.clip(np.array(rgb) + rng.integers(-by, by + 1, 3), 0, 255)
    return int(moved[0]), int(moved[1]), int(moved[2])


def draw_thing(rng: np.random.Generator, shape: str, colour: str) -> Thing:
    """A shape of the given kind and colour with a random size, path and speed."""
    heading = rng.uniform(0.0, 2.0 * np.pi)
    speed = rng.uniform(0.08, 0.35)
    return Thing(
        shape=shape,
        colour=colour,
        rgb=jitter(rng, COLOURS[colour], 12),
        size=float(rng.uniform(0.38, 0.55)),
        angle=float(rng.uniform(-0.2, 0.2)),
        start=(float(rng.uniform()), float(rng.uniform())),
        speed=(float(speed * np.cos(heading)), float(speed * np.sin(heading))),
    )


def draw_scene(
    rng: np.random.Generator, start: float, end: float, not_background: str | None = None
) -> Scene:
    """A random scene; `not_background` is the background of the scene before it."""
    names = list(COLOURS)
    background = str(rng.choice([name for name in names if name != not_background]))
    count = 2 if rng.uniform() < 0.25 else 1
    colours = rng.permutation([name for name in names if name != background])[:count]
    shapes = rng.permutation(list(SHAPES))[:count]
    things = [draw_thing(rng, str(s), str(c)) for s, c in zip(shapes, colours, strict=True)]
    return Scene(
        start=start,
        end=end,
        background=background,
        rgb=jitter(rng, COLOURS[background], 12),
        shade=float(rng.uniform(0.0, 0.12)),
        things=tuple(sorted(things, key=lambda thing: names.index(thing.colour))),
    )


def draw_cuts(rng: np.random.Generator, duration: float, scenes: int) -> list[float]:
    """Scene borders, 0 and the duration included; no scene under 60 % of an equal share. → [scenes
    + 1]
    """
    shares = 0.6 + 0.4 * scenes * rng.dirichlet(np.ones(scenes) * 1.5)
    borders = np.concatenate([[0.0], np.cumsum(shares) / shares.sum()]) * duration
    return [float(b) for b in borders]


def draw_film(rng: np.random.Generator) -> Film:
    """A random film of 1 to 3 minutes with 2 to 6 scenes."""
    width, height = FRAME_SIZES[rng.integers(len(FRAME_SIZES))]
    fps = FRAME_RATES[rng.integers(len(FRAME_RATES))]
    duration = round(float(rng.uniform(60.0, 180.0)) * fps) / fps
    cuts = draw_cuts(rng, duration, int(rng.integers(2, 7)))
    cuts = [round(cut * fps) / fps for cut in cuts]  # a cut lies on a frame
    scenes: list[Scene] = []
    for start, end in pairwise(cuts):
        before = scenes[-1].background if scenes else None
        scenes.append(draw_scene(rng, start, end, before))
    return Film(width, height, fps, tuple(scenes))


def film_of_seed(seed: int, index: int) -> Film:
    """Film number `index` of a set: the same for the same two numbers."""
    return draw_film(np.random.default_rng([seed, index]))


def shape_mask(shape: str, size: int, angle: float) -> np.ndarray:
    """Coverage of a shape in its square. → float32 [size, size, 1], 0 outside, 1 inside, smooth at
    the border
    """
    over = 4
    axis = (np.arange(size * over) + 0.5) / (size * over) * 2.0 - 1.0
    x0, y0 = np.meshgrid(axis, axis)
    x = x0 * np.cos(angle) + y0 * np.sin(angle)
    y = -x0 * np.sin(angle) + y0 * np.cos(angle)
    if shape == "circle":
        inside = x * x + y * y <= 0.92
    elif shape == "square":
        inside = np.maximum(abs(x), abs(y)) <= 0.78
    elif shape == "triangle":
        inside = (y <= 0.7) & (y >= 1.75 * abs(x) - 0.85)
    elif shape == "star":
        inside = star_inside(x, y)
    else:
        raise ValueError(f"unknown shape '{shape}'; known: {', '.join(SHAPES)}")
    mask = inside.reshape(size, over, size, over).mean((1, 3), dtype=np.float32)
    return mask[:, :, None]


def star_inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points inside a five-pointed star of radius 0.97. x, y [n, n] → bool [n, n]"""
    corners = np.arange(10) * np.pi / 5.0 - np.pi / 2.0
    radius = np.where(np.arange(10) % 2 == 0, 0.97, 0.42)
    px, py = radius * np.cos(corners), radius * np.sin(corners)
    inside = np.zeros(x.shape, dtype=bool)
    for i in range(10):
        j = (i + 9) % 10
        crosses = (py[i] > y) != (py[j] > y)
        inside ^= crosses & (x < (px[j] - px[i]) * (y - py[i]) / (py[j] - py[i] + 1e-12) + px[i])
    return inside


class SceneRenderer:
    """Paints the frames of one scene. Keeps the background and the shapes' masks; one thread at a
    time.
    """

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        self._scene = scene
        self._width, self._height = width, height
        fade = 1.0 - scene.shade * np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None, None]
        colour = np.array(scene.rgb, dtype=np.float32)
        self._canvas = np.broadcast_to(colour * fade, (height, width, 3)).astype(np.uint8)
        self._masks = [
            shape_mask(thing.shape, max(4, round(thing.size * height)), thing.angle)
            for thing in scene.things
        ]

    def frame(self, seconds: float) -> np.ndarray:
        """The picture at a time of the film. → uint8 [height, width, 3]"""
        picture = self._canvas.copy()
        for thing, mask in zip(self._scene.things, self._masks, strict=True):
            size = mask.shape[0]
            x, y = thing.place(seconds - self._scene.start)
            left, top = round(x * (self._width - size)), round(y * (self._height - size))
            under = picture[top : top + size, left : left + size]
            painted = under + mask * (np.array(thing.rgb, dtype=np.float32) - under)
            picture[top : top + size, left : left + size] = painted
        return picture


def film_frames(film: Film) -> Iterator[np.ndarray]:
    """All frames of a film in order. → uint8 [height, width, 3] each"""
    index = 0
    for scene in film.scenes:
        renderer = SceneRenderer(scene, film.width, film.height)
        while index < film.frame_count and (
            index / film.fps < scene.end - 1e-6 or scene is film.scenes[-1]
        ):
            yield renderer.frame(index / film.fps)
            index += 1
