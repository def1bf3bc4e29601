"""Memories of whole films with their questions, for training the second stage.

A film's blocks are its code (or what the frame encoder made of its frames), its long-term memory is
the paper's. Names are exchanged at random, colours for colours and shapes for shapes, which is one
matrix on the memory: a few hundred films serve as a few hundred times as many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mini import checkpoint
from mini.arguments import refuse
from mini.block_code import film_code, rename_block
from mini.consolidation import ARRIVING, KEEP, long_term
from mini.films import CAMEO_SHAPES, COLOURS, SHAPES, Cameo, Film, Scene
from mini.painting import FilmPainter
from mini.progress import tell_each_tenth
from mini.questions import (
    BREAKPOINT_KINDS,
    GLOBAL_KINDS,
    Question,
    ask_global,
    ask_now,
    draw_moment,
)
from mini.random_films import film_of_seed
from mini.sizes import IMAGE, TOKENS, WIDTH
from mini.video_file import through_codec
from moviechat_models.frame_encoder import FrameEncoder

WINDOWS = 128
PLANNED = WINDOWS * ARRIVING  # frames read of a film
POSITIONS = 256  # blocks that the reader can tell apart
UNIFORM = (8, 32)  # frames of the baseline
SCENES, CAMEOS = 6, 2  # of a film at most
SPARSE = 4  # of the planned frames, one in so many is painted


@dataclass
class Memory:
    """What one reading sees: blocks [T, N, C] of a film, up to a time, and how much of each is of
    each scene and cameo, [T, SCENES + CAMEOS].
    """

    blocks: np.ndarray
    shares: np.ndarray
    film: Film
    until: float
    is_global: bool
    uniform: bool
    questions: list[Question] = field(default_factory=list)


@dataclass(frozen=True)
class Names:
    """An exchange of names: colour i becomes colours[i], and so on."""

    colours: np.ndarray
    shapes: np.ndarray
    cameos: np.ndarray

    @staticmethod
    def draw(rng: np.random.Generator) -> Names:
        sizes = (len(COLOURS), len(SHAPES), len(CAMEO_SHAPES))
        return Names(*(rng.permutation(size) for size in sizes))

    def of_film(self, film: Film) -> Film:
        """The film with other names."""

        def colour(name: str) -> str:
            return list(COLOURS)[self.colours[list(COLOURS).index(name)]] if name else name

        def shape(name: str) -> str:
            return SHAPES[self.shapes[SHAPES.index(name)]]

        def scene(old: Scene) -> Scene:
            things = [
                replace(thing, colour=colour(thing.colour), shape=shape(thing.shape))
                for thing in old.things
            ]
            event = old.event and replace(old.event, colour=colour(old.event.colour))
            background = colour(old.background)
            return replace(old, things=tuple(things), event=event, background=background)

        def cameo(old: Cameo) -> Cameo:
            kind = CAMEO_SHAPES[self.cameos[CAMEO_SHAPES.index(old.shape)]]
            return replace(old, colour=colour(old.colour), shape=kind)

        scenes, cameos = tuple(map(scene, film.scenes)), tuple(map(cameo, film.cameos))
        return replace(film, scenes=scenes, cameos=cameos)

    def of_blocks(self, blocks: np.ndarray) -> np.ndarray:
        """[..., N, C] → [..., N, C]"""
        return rename_block(blocks, self.colours, self.shapes, self.cameos)


def planned_times(film: Film) -> np.ndarray:
    """When the program reads frames. → [PLANNED]"""
    return np.arange(PLANNED) * film.duration / PLANNED


def film_shares(film: Film, times: np.ndarray) -> np.ndarray:
    """Which scene and which cameo is on screen. → float32 [n, SCENES + CAMEOS]"""
    shares = np.zeros((len(times), SCENES + CAMEOS), np.float32)
    shares[np.arange(len(times)), film.numbers_at(times)] = 1.0
    for number, cameo in enumerate(film.cameos):
        shares[:, SCENES + number] = (times >= cameo.start) & (times < cameo.end)
    return shares


SeeFilm = Callable[[Film, np.ndarray], np.ndarray]  # a film at times [n] → blocks [n, N, C]


def see_film(encoder: FrameEncoder, film: Film, times: np.ndarray) -> np.ndarray:
    """A film painted, sent through H.264 and looked at by the frame encoder."""
    pictures = FilmPainter(film).frames(times)
    quality = 18 + film.scenes[0].seed % 13
    frames = through_codec(pictures, (film.width, film.height), 12, quality, IMAGE)
    with torch.inference_mode():
        parts = torch.from_numpy(frames).permute(0, 3, 1, 2).split(256)
        return torch.cat([encoder(part) for part in parts]).numpy()


def faults_path(folder: Path, seed: int, index: int) -> Path:
    """Where the faults of a film lie."""
    return folder / f"{seed}_{index:04d}.npy"


def keep_faults(see: SeeFilm, folder: Path, key: tuple[int, int]) -> None:
    """Writes what is seen of the film of a seed and index less its code, of every SPARSE-th planned
    frame.
    """
    film = film_of_seed(*key)
    times = planned_times(film)[::SPARSE]
    faults = (see(film, times) - film_code(film, times)).astype(np.float16)
    checkpoint.save_array(faults_path(folder, *key), faults)


def paint_films(folder: Path, films: int, seed: int, see: SeeFilm, processes: int) -> None:
    """Keeps the faults of what is seen of films, those that the folder has not yet."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = [(seed, i) for i in range(films) if not faults_path(folder, seed, i).exists()]
    if not keys:
        return
    # spawned: a fork of a process whose threads have worked may hang
    with get_context("spawn").Pool(processes, torch.set_num_threads, (1,)) as workers:
        kept = workers.imap_unordered(partial(keep_faults, see, folder), keys)
        for _ in tell_each_tenth(folder.name, kept, len(keys)):
            pass


def load_faults(folder: Path, films: int, seed: int) -> np.ndarray:
    """What paint_films() kept. → float16 [films, PLANNED / SPARSE, N, C]; SystemExit(2) where it
    has not been there.
    """
    try:
        return np.stack([np.load(faults_path(folder, seed, index)) for index in range(films)])
    except FileNotFoundError:
        refuse("train.py: stage 'paint' has not run to its end; add it to --stages")


class FilmPool:
    """Films with their long-term memories, float16 [films, 256, N, C], and the shares of scenes and
    cameos in their blocks.

    `even`: films of all lengths are drawn alike often; otherwise all films are, and few are long.
    `painted`: a folder of paint_films(), whose films' blocks are as the encoder saw them.
    """

    def __init__(
        self, films: int, seed: int, even: bool = False, painted: Path | None = None
    ) -> None:
        self.films = [film_of_seed(seed, index) for index in range(films)]
        self.faults = load_faults(painted, films, seed) if painted else None
        self._remember()
        lengths = np.array([film.duration for film in self.films])  # log-uniform
        self.chances = lengths / lengths.sum() if even else None

    def _draw(self, rng: np.random.Generator) -> int:
        return int(rng.choice(len(self.films), p=self.chances))

    def _remember(self) -> None:
        """Sets `long` and `shares`, [films, 256, …]"""
        remembered: list[tuple[np.ndarray, np.ndarray]] = []
        for index, film in enumerate(self.films):
            times = planned_times(film)
            blocks = film_code(film, times)
            if self.faults is not None:
                blocks += np.repeat(self.faults[index].astype(np.float32), SPARSE, axis=0)
            long, shares = long_term(blocks, film_shares(film, times))
            remembered.append((long.astype(np.float16), shares.astype(np.float16)))
        self.long, self.shares = map(np.stack, zip(*remembered, strict=True))

    def _blocks(self, index: int, film: Film, names: Names, times: np.ndarray) -> np.ndarray:
        """Single frames of a film, exchanged to `film`. → [n, N, C]"""
        blocks = film_code(film, times)
        if self.faults is not None and len(times):
            rows = np.minimum(times / film.duration, 1.0 - 1e-9) * self.faults.shape[1]
            blocks += names.of_blocks(self.faults[index, rows.astype(int)].astype(np.float32))
        return blocks

    def whole(self, rng: np.random.Generator, uniform: int = 0) -> Memory:
        """A film's memory, or that many frames of it; without questions."""
        index = self._draw(rng)
        names = Names.draw(rng)
        film = names.of_film(self.films[index])
        if uniform:
            times = np.arange(uniform) * film.duration / uniform
            blocks, shares = self._blocks(index, film, names, times), film_shares(film, times)
        else:
            blocks = names.of_blocks(self.long[index].astype(np.float32))
            shares = self.shares[index].astype(np.float32)
        return Memory(blocks, shares, film, film.duration, True, bool(uniform))

    def moment(self, rng: np.random.Generator, uniform: int = 0) -> Memory:
        """A film's memory at a calm moment, often one after an event."""
        while True:
            index = self._draw(rng)
            at = draw_moment(rng, self.films[index], bool(rng.uniform() < 0.35))
            if at is not None:
                break
        names = Names.draw(rng)
        film = names.of_film(self.films[index])
        step = film.duration / (uniform or PLANNED)
        before = int(np.ceil(at / step - 1e-9))  # frames strictly before the moment
        windows = 0 if uniform else before // ARRIVING
        times = np.append(np.arange(windows * ARRIVING, before) * step, at)
        recent = self._blocks(index, film, names, times)
        long = names.of_blocks(self.long[index, : KEEP * windows].astype(np.float32))
        over = max(0, len(long) + len(recent) - POSITIONS)  # the oldest short-term blocks give way
        blocks = np.concatenate([long, recent[over:]])
        shares = np.concatenate([self.shares[index, : len(long)], film_shares(film, times[over:])])
        return Memory(blocks, shares, film, at, False, bool(uniform))


def ask(
    rng: np.random.Generator,
    memory: Memory,
    count: int,
    weights: dict[str, float],
    yes_or_no: int = 0,
) -> list[Question]:
    """Up to `count` questions of different kinds, the heavier kinds more often, and some more that
    are answered by yes or no.
    """
    kinds = GLOBAL_KINDS if memory.is_global else BREAKPOINT_KINDS
    chance = np.array([weights.get(kind, 1.0) for kind in kinds])
    order = rng.choice(kinds, len(kinds), replace=False, p=chance / chance.sum())
    asked: list[Question] = []
    more = ["appears" if memory.is_global else "seen"] * yes_or_no
    for kind in [*map(str, order), *more]:
        if len(asked) >= count and kind not in more:
            continue
        if memory.is_global:
            question = ask_global(rng, memory.film, kind)
        else:
            question = ask_now(rng, memory.film, kind, memory.until)
        asked += [question] if question else []
    return asked


def pad(memories: list[Memory]) -> tuple[Tensor, Tensor]:
    """→ blocks float32 [B, T, N, C], mask bool [B, T], true for real blocks"""
    longest = max(len(memory.blocks) for memory in memories)
    blocks = torch.zeros(len(memories), longest, TOKENS, WIDTH)
    mask = torch.zeros(len(memories), longest, dtype=torch.bool)
    for row, memory in enumerate(memories):
        blocks[row, : len(memory.blocks)] = torch.from_numpy(memory.blocks)
        mask[row, : len(memory.blocks)] = True
    return blocks, mask


def disturb(rng: np.random.Generator, blocks: np.ndarray, strength: float) -> np.ndarray:
    """Blocks as an imperfect encoder would write them. [T, N, C] → [T, N, C]"""
    steady = rng.normal(size=(1, *blocks.shape[1:])) * strength
    passing = rng.normal(size=blocks.shape) * strength
    return (blocks + steady + passing).astype(np.float32)
