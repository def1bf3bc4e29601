"""The mini model in Python: a film file → answers. What the C++ program does, for checking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mini.consolidation import ARRIVING, KEEP, long_term
from mini.dataset import POSITIONS, WINDOWS
from mini.sizes import IMAGE
from mini.tokenizer import MiniTokenizer
from mini.train_frames import to_rgb
from mini.video_file import read_video
from moviechat_models.export import Model, load_modules

PLANNED = WINDOWS * ARRIVING
MAX_NEW_TOKENS = 40


class WatchedFilm:
    """A film after its one pass: planned frames as blocks, long-term memory."""

    def __init__(self, model: Model, path: Path, fps: float) -> None:
        self._model, self._fps = model, fps
        self._frames = read_video(path, IMAGE)  # [frames, S, S, 3]
        count = len(self._frames)
        self._step = count / fps / PLANNED
        shown = np.arange(PLANNED) * count // PLANNED
        with torch.inference_mode():
            parts = [self._encode(self._frames[s]) for s in np.split(shown, WINDOWS)]
            self._blocks = torch.cat(parts)  # [2048, N, C]
            self.long = long_term(self._blocks.unsqueeze(0))[0]  # [256, N, C]

    def _encode(self, frames: np.ndarray) -> Tensor:
        return self._model.frame_encoder(to_rgb(frames))

    def memory_at(self, seconds: float) -> Tensor:
        """The breakpoint's blocks [T, N, C]: long-term before, not yet consolidated, current."""
        before = int(np.ceil(seconds / self._step - 1e-9))
        windows, raw = divmod(before, ARRIVING)
        frame = min(int(seconds * self._fps + 1e-6), len(self._frames) - 1)
        with torch.inference_mode():
            current = self._encode(self._frames[frame : frame + 1])
        raw_blocks = self._blocks[windows * ARRIVING : before]
        over = max(0, windows * KEEP + raw + 1 - POSITIONS)
        return torch.cat([self.long[: windows * KEEP], raw_blocks[over:], current])


def answer(model: Model, tokens: MiniTokenizer, blocks: Tensor, question: str) -> str:
    """Greedy answer to one question about blocks [T, N, C]."""
    language = model.language_model
    with torch.inference_mode():
        video = model.memory_reader(blocks)  # [Q, H]
        before = language.embed(torch.tensor(tokens.before))
        after = language.embed(torch.tensor(tokens.after(question)))
        embedded = torch.cat([before, video, after]).unsqueeze(0)
        length = embedded.shape[1]
        keys, values = language.make_cache(1, length + MAX_NEW_TOKENS)
        logits = language.step(embedded, keys, values, 0)
        ids: list[int] = []
        while len(ids) < MAX_NEW_TOKENS:
            ids.append(int(logits.argmax()))
            if ids[-1] == 2 or any(ids[-len(stop) :] == stop for stop in tokens.stop()):
                break
            token = language.embed(torch.tensor(ids[-1:])).unsqueeze(0)
            logits = language.step(token, keys, values, length + len(ids) - 1)
    return tokens.decode(ids)


def load(folder: Path) -> tuple[Model, MiniTokenizer]:
    """A bundle folder's modules and tokenizer."""
    return load_modules(folder), MiniTokenizer(folder / "tokenizer.model")
