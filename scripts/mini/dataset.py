"""Memories of whole films, put together from the scene bank, with their questions.

A film is random scenes with random cuts; its frames are blocks of the bank, and its long-term
memory is built by the paper's consolidation (with 4 frames a window where the program has 16:
neighbours are nearly the same). A breakpoint's memory is the long-term prefix, raw frames, and the
current frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mini.consolidation import ARRIVING, KEEP, long_term
from mini.films import Film, Scene, draw_cuts
from mini.questions import (
    BREAKPOINT_KINDS,
    GLOBAL_KINDS,
    WHOLE_FILM,
    Question,
    ask_global,
    ask_now,
)
from mini.sizes import TOKENS, WIDTH

WINDOWS = 128
POSITIONS = 256  # blocks that the reader can tell apart
SIMULATED = 4  # frames a window here


@dataclass
class Memory:
    """What one reading sees: blocks [T, N, C], the scenes on screen first and last, questions about
    it.
    """

    blocks: Tensor
    first: Scene
    last: Scene
    seen: list[Scene]
    questions: list[Question]


class FilmPool:
    """Films of banked scenes: `long` float16 [films, 256, N, C], and where each film's scenes are.

    blocks [scenes, F, N, C] are the bank's frames through the frame encoder. 0.2 MB a film.
    """

    def __init__(self, scenes: list[Scene], blocks: Tensor, films: int, seed: int) -> None:
        self._scenes, self._blocks = scenes, blocks
        rng = np.random.default_rng([seed, 21])
        self.films: list[Film] = []
        self.members: list[np.ndarray] = []  # bank numbers of each film's scenes
        self.long = torch.empty(films, WINDOWS * KEEP, TOKENS, WIDTH, dtype=torch.float16)
        for begin in range(0, films, 200):
            part = [self._draw(rng) for _ in range(min(200, films - begin))]
            frames = torch.stack(
                [self._frames(rng, film, who, WINDOWS * SIMULATED) for film, who in part]
            )
            self.long[begin : begin + len(part)] = long_term(frames, SIMULATED).half()

    def _draw(self, rng: np.random.Generator) -> tuple[Film, np.ndarray]:
        """Cuts and scenes of one film, remembered in `films` and `members`."""
        duration = float(rng.uniform(60.0, 180.0))
        cuts = draw_cuts(rng, duration, int(rng.integers(2, 7)))
        who: list[int] = []
        while len(who) < len(cuts) - 1:
            candidate = int(rng.integers(len(self._scenes)))
            before = self._scenes[who[-1]].background if who else None
            if self._scenes[candidate].background != before:
                who.append(candidate)
        scenes = [
            replace(self._scenes[i], start=a, end=b)
            for i, a, b in zip(who, cuts[:-1], cuts[1:], strict=True)
        ]
        film = Film(0, 0, 25, tuple(scenes))
        self.films.append(film)
        self.members.append(np.array(who))
        return film, self.members[-1]

    def _at(self, film: Film, members: np.ndarray, times: np.ndarray, blend: np.ndarray) -> Tensor:
        """Blocks shown at times [n], between two kept frames by blend [n] → float32 [n, N, C]"""
        starts = np.array([scene.start for scene in film.scenes])
        ends = np.array([scene.end for scene in film.scenes])
        scene = np.searchsorted(starts, times, side="right") - 1
        count = self._blocks.shape[1]
        place = (times - starts[scene]) / (ends[scene] - starts[scene]) * (count - 1)
        low = np.clip(place.astype(int), 0, count - 2)
        who = torch.from_numpy(members[scene])
        index = torch.from_numpy(low)
        share = torch.from_numpy(blend.astype(np.float32)).view(-1, 1, 1)
        left, right = self._blocks[who, index].float(), self._blocks[who, index + 1].float()
        return left * (1.0 - share) + right * share

    def _frames(
        self, rng: np.random.Generator, film: Film, members: np.ndarray, count: int
    ) -> Tensor:
        """Frames evenly over a film. → float32 [count, N, C]"""
        times = np.arange(count) * film.duration / count
        blend = rng.uniform(size=count) * (rng.uniform(size=count) < 0.5)
        return self._at(film, members, times, blend)

    def whole(self, rng: np.random.Generator, index: int, questions: int) -> Memory:
        """A film's global memory. Half of the questions are on all scenes: learned last."""
        film = self.films[index]
        asked: list[Question] = []
        kinds = [str(kind) for kind in rng.permutation(GLOBAL_KINDS)]
        kinds += [str(kind) for kind in rng.permutation(list(WHOLE_FILM))[: questions // 2]]
        while len(asked) < questions:
            question = ask_global(rng, film, kinds.pop())
            asked += [question] if question else []
        scenes = list(film.scenes)
        return Memory(self.long[index], scenes[0], scenes[-1], scenes, asked)

    def moment(self, rng: np.random.Generator, index: int, questions: int) -> Memory:
        """A film's memory at a random moment, a quarter second or more after a cut."""
        film, members = self.films[index], self.members[index]
        step = film.duration / (WINDOWS * ARRIVING)
        while True:
            time = float(rng.uniform(0.0, film.duration))
            scene = film.scene_at(time)
            if time - scene.start > 0.25:
                break
        before = int(np.ceil(time / step))  # planned frames strictly before t
        windows = before // ARRIVING
        times = np.append((np.arange(windows * ARRIVING, before)) * step, time)
        recent = self._at(film, members, times, np.full(len(times), rng.uniform() * 0.2))
        blocks = torch.cat([self.long[index, : KEEP * windows], recent.half()])
        over = len(blocks) - POSITIONS
        if over > 0:  # the oldest short-term blocks give way
            kept = KEEP * windows
            blocks = torch.cat([blocks[:kept], blocks[kept + over :]])
        asked: list[Question] = []
        kinds = [str(kind) for kind in rng.permutation(BREAKPOINT_KINDS)]
        while len(asked) < questions and kinds:
            question = ask_now(rng, scene, kinds.pop(), time)
            asked += [question] if question else []
        seen = [other for other in film.scenes if other.start < time]
        return Memory(blocks, film.scenes[0], scene, seen, asked)


def pad(memories: list[Memory]) -> tuple[Tensor, Tensor]:
    """→ blocks float32 [B, T, N, C], mask bool [B, T], true for real blocks"""
    longest = max(len(memory.blocks) for memory in memories)
    blocks = torch.zeros(len(memories), longest, TOKENS, WIDTH)
    mask = torch.zeros(len(memories), longest, dtype=torch.bool)
    for row, memory in enumerate(memories):
        blocks[row, : len(memory.blocks)] = memory.blocks.float()
        mask[row, : len(memory.blocks)] = True
    return blocks, mask
