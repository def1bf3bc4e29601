"""A bank of scenes: drawn, sent through H.264, and kept as small frames with what they show.

Films for training are put together from these scenes, so that a few thousand scenes give films
without end.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from mini.films import COLOURS, SHAPES, Scene, SceneRenderer, draw_scene
from mini.sizes import IMAGE
from mini.video_file import through_codec

FRAMES = 32  # kept of each scene, evenly over it
SCENES_A_STREAM = 40
SMALL_SIZES = ((112, 84), (112, 112), (136, 112), (134, 112))  # the films' shapes, cheap to encode


@dataclass
class SceneBank:
    """scenes[i] is what frames[i] shows: uint8 [F, S, S, 3]."""

    scenes: list[Scene]
    frames: np.ndarray  # [scenes, F, S, S, 3]
    aspects: np.ndarray  # [scenes], height / width before the frames were made square

    def save(self, path: Path) -> None:
        np.save(path.with_suffix(".npy"), self.frames)
        path.with_suffix(".pickle").write_bytes(pickle.dumps((self.scenes, self.aspects)))

    @staticmethod
    def load(path: Path) -> SceneBank:
        scenes, aspects = pickle.loads(path.with_suffix(".pickle").read_bytes())
        return SceneBank(scenes, np.load(path.with_suffix(".npy"), mmap_mode="r"), aspects)


def draw_stream(seed: tuple[int, int]) -> tuple[list[Scene], np.ndarray, float]:
    """A stream of scenes in one H.264 run. → scenes, uint8 [SCENES_A_STREAM, F, S, S, 3], aspect"""
    rng = np.random.default_rng(seed)
    width, height = SMALL_SIZES[rng.integers(len(SMALL_SIZES))]
    scenes = [draw_scene(rng, 0.0, float(rng.uniform(8, 60))) for _ in range(SCENES_A_STREAM)]

    def frames():
        for scene in scenes:
            renderer = SceneRenderer(scene, width, height)
            for k in range(FRAMES):
                yield renderer.frame((k + 0.5) * scene.end / FRAMES)

    quality = int(rng.integers(16, 29))
    seen = through_codec(frames(), width, height, 12, quality, IMAGE)
    seen = seen.reshape(SCENES_A_STREAM, FRAMES, IMAGE, IMAGE, 3)
    return scenes, seen, height / width


def draw_bank(scenes: int, seed: int, processes: int = 2) -> SceneBank:
    """A bank of at least that many scenes."""
    streams = [(seed, index) for index in range(-(-scenes // SCENES_A_STREAM))]
    with Pool(processes) as pool:
        parts = pool.map(draw_stream, streams)
    return SceneBank(
        [scene for part in parts for scene in part[0]],
        np.concatenate([part[1] for part in parts]),
        np.repeat([part[2] for part in parts], SCENES_A_STREAM),
    )


def scene_labels(scenes: list[Scene]) -> dict[str, np.ndarray]:
    """What frames show, for auxiliary heads: background int64 [n], and float32 0/1: colours [n, 8],
    shapes [n, 4],
    pairs [n, 32] (colour · 4 + shape)"""
    names = list(COLOURS)
    background = np.array([names.index(scene.background) for scene in scenes])
    colours = np.zeros((len(scenes), len(COLOURS)), np.float32)
    shapes = np.zeros((len(scenes), len(SHAPES)), np.float32)
    pairs = np.zeros((len(scenes), len(COLOURS) * len(SHAPES)), np.float32)
    for row, scene in enumerate(scenes):
        for thing in scene.things:
            colour, shape = names.index(thing.colour), SHAPES.index(thing.shape)
            colours[row, colour] = shapes[row, shape] = 1.0
            pairs[row, colour * len(SHAPES) + shape] = 1.0
    return {"background": background, "colours": colours, "shapes": shapes, "pairs": pairs}


def scene_places(scenes: list[Scene]) -> np.ndarray:
    """First thing's place in each kept frame. → float32 [scenes, F, 2], 0..1 of the free area"""
    return np.array(
        [
            [scene.things[0].place((k + 0.5) * scene.end / FRAMES) for k in range(FRAMES)]
            for scene in scenes
        ],
        np.float32,
    )


def patch_labels(bank: SceneBank, grid: int) -> np.ndarray:
    """Which shapes (4) and colours (8) each patch lies inside. → bool [scenes, F, grid², 12]"""
    centres = (np.arange(grid) + 0.5) / grid
    names = list(COLOURS)
    labels = np.zeros((len(bank.scenes), FRAMES, grid, grid, len(SHAPES) + len(names)), bool)
    for row, scene in enumerate(bank.scenes):
        for thing in scene.things:
            place = [thing.place((k + 0.5) * scene.end / FRAMES) for k in range(FRAMES)]
            wide, high = thing.size * bank.aspects[row], thing.size
            x = np.array([p[0] for p in place])[:, None] * (1.0 - wide) + wide / 2.0  # [F, 1]
            y = np.array([p[1] for p in place])[:, None] * (1.0 - high) + high / 2.0
            across = np.abs(centres - x) < wide * 0.4  # [F, grid]
            down = np.abs(centres - y) < high * 0.4
            inside = down[:, :, None] & across[:, None, :]
            labels[row, :, :, :, SHAPES.index(thing.shape)] |= inside
            labels[row, :, :, :, len(SHAPES) + names.index(thing.colour)] |= inside
    return labels.reshape(len(bank.scenes), FRAMES, grid * grid, -1)
