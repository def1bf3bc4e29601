"""Films as pictures: paints what `films` decides. Things draw a short tail behind them, so that one
frame shows where they move.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from mini.films import (
    CAMEO_SHAPES,
    COLOURS,
    DIRECTIONS,
    SHAPES,
    Cameo,
    Film,
    Look,
    Scene,
)

TAIL = ((0.7, 0.25), (0.35, 0.45))  # how far behind, in sizes, and how opaque
BEHIND = {"left": (1.0, 0.0), "right": (-1.0, 0.0), "up": (0.0, 1.0), "down": (0.0, -1.0)}
SHADE = 12  # how far a colour may be from its own
CHUNK = 256  # frames decided at once


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


def shape_inside(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points -1..1 (y down) inside a shape. x, y [n, n] → bool [n, n]"""
    if shape == "circle":
        return x * x + y * y <= 0.9
    if shape == "square":
        return np.maximum(abs(x), abs(y)) <= 0.82
    if shape == "triangle":
        return (y <= 0.8) & (y >= 1.8 * abs(x) - 0.95)
    if shape == "star":
        return star_inside(x, y)
    if shape == "heart":
        u, v = 1.2 * x, 0.25 - 1.15 * y
        return (u * u + v * v - 0.75) ** 3 <= u * u * v**3 * 1.6
    if shape == "moon":
        return (x * x + y * y <= 0.9) & ((x - 0.5) ** 2 + (y + 0.1) ** 2 > 0.55)
    if shape == "cross":
        return (np.minimum(abs(x), abs(y)) <= 0.26) & (np.maximum(abs(x), abs(y)) <= 0.92)
    if shape == "arrow":
        head = (x >= 0.05) & (abs(y) <= 0.95 - x)
        return head | ((x < 0.05) & (x >= -0.95) & (abs(y) <= 0.26))
    raise ValueError(f"unknown shape '{shape}'; known: {', '.join(SHAPES + CAMEO_SHAPES)}")


@lru_cache(maxsize=4096)
def shape_mask(shape: str, size: int, angle: float) -> np.ndarray:
    """How much of each pixel of its square a shape covers. → float32 [size, size, 1], 0..1"""
    over = 3
    axis = (np.arange(size * over) + 0.5) / (size * over) * 2.0 - 1.0
    x0, y0 = np.meshgrid(axis, axis)
    x = x0 * np.cos(angle) + y0 * np.sin(angle)
    y = -x0 * np.sin(angle) + y0 * np.cos(angle)
    inside = shape_inside(shape, x, y)
    return inside.reshape(size, over, size, over).mean((1, 3), dtype=np.float32)[:, :, None]


def shade(rng: np.random.Generator, colour: str) -> np.ndarray:
    """A colour moved a little, still the same to the eye. → float32 [3]"""
    moved = np.array(COLOURS[colour]) + rng.integers(-SHADE, SHADE + 1, 3)
    return np.clip(moved, 0, 255).astype(np.float32)


def textured(
    rng: np.random.Generator, colour: str, texture: str, width: int, height: int
) -> np.ndarray:
    """A background. → uint8 [height, width, 3]"""
    y, x = np.mgrid[0:height, 0:width] / height
    period = rng.uniform(0.12, 0.3)
    turn = rng.uniform(0.0, np.pi)
    across = x * np.cos(turn) + y * np.sin(turn)
    if texture == "stripes":
        light = (across / period % 1.0 < 0.5).astype(np.float32)
    elif texture == "checks":
        light = ((x // period + y // period) % 2.0).astype(np.float32)
    elif texture == "dots":
        light = ((x % period - period / 2) ** 2 + (y % period - period / 2) ** 2) * 12.0
        light = (light < period**2).astype(np.float32)
    else:
        light = y.astype(np.float32)
    strength = rng.uniform(0.06, 0.14)
    painted = shade(rng, colour) * (1.0 - strength * light[:, :, None])
    if colour == "black":  # darker than black shows nothing
        painted = painted + 25.0 * strength * light[:, :, None]
    return np.clip(painted, 0, 255).astype(np.uint8)


def blend(picture: np.ndarray, mask: np.ndarray, rgb: np.ndarray, x: float, y: float) -> None:
    """Paints a shape with its centre at x, y (pixels); what is outside is cut off."""
    size, (height, width) = mask.shape[0], picture.shape[:2]
    left, top = round(x - size / 2.0), round(y - size / 2.0)
    x0, x1, y0, y1 = max(left, 0), min(left + size, width), max(top, 0), min(top + size, height)
    if x0 >= x1 or y0 >= y1:
        return
    part = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    under = picture[y0:y1, x0:x1]
    picture[y0:y1, x0:x1] = under + part * (rgb - under)


class ScenePainter:
    """Paints frames of one scene; keeps its background and shades. One thread at a time."""

    def __init__(self, scene: Scene, cameos: list[Cameo], width: int, height: int) -> None:
        rng = np.random.default_rng(scene.seed)
        self._width, self._height = width, height
        self._canvas = textured(rng, scene.background, scene.texture, width, height)
        self._angle = {thing.shape: thing.angle for thing in scene.things}
        self._rgb = {name: shade(rng, name) for name in COLOURS}
        self._cameo_sizes = {cameo.name: cameo.size for cameo in cameos}

    def frame(self, look: Look, row: int) -> np.ndarray:
        """The picture of one row of a look. → uint8 [height, width, 3]"""
        picture, names = self._canvas.copy(), list(COLOURS)
        if look.cameo[row] >= 0:
            colour, kind = divmod(int(look.cameo[row]), len(CAMEO_SHAPES))
            shape, colour = CAMEO_SHAPES[kind], names[colour]
            size = round(self._cameo_sizes[f"{colour} {shape}"] * self._height)
            mask = shape_mask(shape, size, 0.0)
            blend(picture, mask, self._rgb[colour], self._width / 2.0, self._height / 2.0)
            return picture
        slots = [slot for slot in range(len(SHAPES)) if look.present[row, slot]]
        drawn = []
        for slot in sorted(slots, key=lambda slot: -look.size[row, slot]):
            size = max(4, round(float(look.size[row, slot]) * self._height))
            mask = shape_mask(SHAPES[slot], size, self._angle[SHAPES[slot]])
            rgb = self._rgb[names[look.colour[row, slot]]]
            x, y = float(look.x[row, slot]) * self._width, float(look.y[row, slot]) * self._height
            drawn.append((mask, rgb, x, y))
            direction = DIRECTIONS[look.direction[row, slot]]
            if direction == "still":
                continue
            dx, dy = BEHIND[direction]
            for far, opaque in TAIL:
                blend(picture, mask * opaque, rgb, x + dx * far * size, y + dy * far * size)
        for item in drawn:
            blend(picture, *item)
        return picture


class FilmPainter:
    """Paints frames of a film at any times."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._painters = [
            ScenePainter(scene, list(film.cameos), film.width, film.height) for scene in film.scenes
        ]

    def frames(self, seconds: np.ndarray) -> Iterator[np.ndarray]:
        """Pictures at times [n] → uint8 [height, width, 3] each"""
        film = self._film
        numbers = film.numbers_at(seconds)
        share, other = film.dissolve_at(seconds)
        look, look_other = film.look(seconds, numbers), None
        if share.any():
            look_other = film.look(seconds, np.where(share > 0, other, numbers))
        for row, number in enumerate(numbers):
            picture = self._painters[number].frame(look, row)
            if share[row] > 0:
                mixed = self._painters[other[row]].frame(look_other, row).astype(np.float32)
                mixed = picture + share[row] * (mixed - picture)
                picture = mixed.astype(np.uint8)
            yield picture


def film_frames(film: Film) -> Iterator[np.ndarray]:
    """All frames of a film in order. → uint8 [height, width, 3] each"""
    painter = FilmPainter(film)
    for begin in range(0, film.frame_count, CHUNK):
        yield from painter.frames(np.arange(begin, min(begin + CHUNK, film.frame_count)) / film.fps)
