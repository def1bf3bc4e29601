"""A bank of frames: films drawn, sent through H.264, and kept as small pictures with their code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from mini import checkpoint
from mini.block_code import film_code
from mini.films import CAMEO_SHAPES, COLOURS, DISSOLVE, SHAPES, Film
from mini.painting import FilmPainter
from mini.progress import tell_each_tenth
from mini.random_films import film_of_seed
from mini.sizes import IMAGE
from mini.video_file import through_codec

FRAMES = 16  # kept of each film: many films teach more than many frames of a few
CAMEO_FRAMES = 2
DISSOLVE_FRAMES = 1
TOGETHER = 40  # films drawn by one task; those of a frame size go through one encoder
GRID = IMAGE // 8  # patches along a side
PATCH_KINDS = len(SHAPES) + len(CAMEO_SHAPES) + len(COLOURS)


@dataclass
class FrameBank:
    """frames[i] shows what codes[i] says; patches[i] is what its patches lie inside of."""

    frames: np.ndarray  # uint8 [films · F, S, S, 3]
    codes: np.ndarray  # float16 [films · F, N, C]
    patches: np.ndarray  # bool [films · F, GRID², PATCH_KINDS]: shapes, cameo shapes, colours

    def save(self, folder: Path) -> None:
        for name in ("codes", "patches", "frames"):  # the largest last: it says that all is there
            checkpoint.save_array(folder / f"bank_{name}.npy", getattr(self, name))

    @staticmethod
    def exists(folder: Path) -> bool:
        return (folder / "bank_frames.npy").exists()

    @staticmethod
    def load(folder: Path) -> FrameBank:
        def part(name: str) -> np.ndarray:
            return np.load(folder / f"bank_{name}.npy", mmap_mode="r")

        return FrameBank(part("frames"), part("codes"), part("patches"))


def moments_of(rng: np.random.Generator, film: Film) -> np.ndarray:
    """Times to look at: all over the scenes, in cameos, in dissolves. → sorted [FRAMES]"""
    times: list[float] = []
    for cameo in film.cameos:
        times += list(rng.uniform(cameo.start, cameo.end, CAMEO_FRAMES // len(film.cameos)))
    soft = [scene.end for scene in film.scenes[:-1] if scene.dissolve]
    if soft:
        times += list(rng.choice(soft, DISSOLVE_FRAMES) + rng.uniform(-0.5, 0.5) * DISSOLVE)
    share = np.linspace(0.0, len(film.scenes), FRAMES - len(times), endpoint=False)
    for place in share:  # as many of every scene
        scene = film.scenes[int(place)]
        times.append(float(rng.uniform(scene.start, scene.end)))
    return np.sort(np.array(times))


def patch_labels(film: Film, times: np.ndarray) -> np.ndarray:
    """Shapes, cameo shapes and colours that each patch's centre lies inside of. → bool [n, GRID²,
    PATCH_KINDS]
    """
    look = film.look(times, film.numbers_at(times))
    centres = (np.arange(GRID) + 0.5) / GRID
    labels = np.zeros((len(times), GRID, GRID, PATCH_KINDS), bool)
    rows = np.arange(len(times))
    colours = len(SHAPES) + len(CAMEO_SHAPES)

    def put(on: np.ndarray, x, y, size, kind: np.ndarray, colour: np.ndarray) -> None:
        across = np.abs(centres - x[:, None]) < size[:, None] * film.aspect * 0.4
        down = np.abs(centres - y[:, None]) < size[:, None] * 0.4
        inside = down[:, :, None] & across[:, None, :] & on[:, None, None]
        for label in (kind, colours + colour):
            labels[rows, :, :, label] |= inside

    for slot in range(len(SHAPES)):
        kind = np.full(len(times), slot)
        x, y, size = look.x[:, slot], look.y[:, slot], look.size[:, slot]
        put(look.present[:, slot], x, y, size, kind, look.colour[:, slot])
    colour, kind = np.divmod(np.maximum(look.cameo, 0), len(CAMEO_SHAPES))
    middle, size = np.full(len(times), 0.5), np.full(len(times), 0.75)
    put(look.cameo >= 0, middle, middle, size, len(SHAPES) + kind, colour)
    return labels.reshape(len(times), GRID * GRID, PATCH_KINDS)


def draw_part(key: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames, codes and patches of the films of a seed from number `begin` to before `end`."""
    seed, begin, end = key
    rng = np.random.default_rng([seed, begin, 3])
    minutes = rng.uniform(1.0, 3.0, end - begin)
    films = [film_of_seed(seed, begin + i, "train", float(m)) for i, m in enumerate(minutes)]
    films.sort(key=lambda film: (film.width, film.height))
    times = [moments_of(rng, film) for film in films]
    frames: list[np.ndarray] = []
    for size, alike in groupby(range(len(films)), lambda i: (films[i].width, films[i].height)):
        pictures = paint([(films[i], times[i]) for i in alike])
        frames.append(through_codec(pictures, size, 12, int(rng.integers(18, 31)), IMAGE))
    pairs = list(zip(films, times, strict=True))
    codes = np.concatenate([film_code(*pair).astype(np.float16) for pair in pairs])
    return np.concatenate(frames), codes, np.concatenate([patch_labels(*pair) for pair in pairs])


def paint(pairs: list[tuple[Film, np.ndarray]]) -> Iterator[np.ndarray]:
    """Films at their times, one behind the other."""
    for film, times in pairs:
        yield from FilmPainter(film).frames(times)


def draw_bank(films: int, seed: int, processes: int = 2) -> FrameBank:
    """A bank of that many films."""
    keys = [(seed, i, min(i + TOGETHER, films)) for i in range(0, films, TOGETHER)]
    with Pool(processes) as pool:
        drawn = pool.imap(draw_part, keys)
        parts = list(tell_each_tenth("bank", drawn, len(keys)))
    return FrameBank(*(np.concatenate([part[i] for part in parts]) for i in range(3)))
