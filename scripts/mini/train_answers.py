"""Stage 2: the memory reader and the language model learn to answer from memories of whole films.

Each memory is read once and asked several questions. Linear heads on the readings (first scene,
last scene, everything seen) speed up the start and are thrown away.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mini.dataset import FilmPool, Memory, pad
from mini.films import Scene
from mini.questions import Question, loosen
from mini.scene_bank import scene_labels
from mini.tokenizer import MiniTokenizer
from mini.train_frames import lr_at
from moviechat_models.llama import LanguageModel
from moviechat_models.memory_reader import MemoryReader

RENEW = 60  # steps on one set of films
FILMS = 260  # in a set
LABELS = {"background": 8, "colours": 8, "shapes": 4, "pairs": 32}
IGNORE = -100


@dataclass(frozen=True)
class AnswerOptions:
    """`start_from`: another run's answers.pt to begin with (its encoder may be an older one)."""

    folder: Path
    steps: int
    seed: int = 1
    peak: float = 1e-3
    batch: int = 7
    start_from: Path | None = None


class ReadingHeads(nn.Module):
    """Readings [B, Q, H] → what is on screen first and last, and what was seen at all."""

    def __init__(self, queries: int, width: int) -> None:
        super().__init__()
        outputs = {f"{when}_{k}": n for when in ("first", "last") for k, n in LABELS.items()}
        outputs |= {"seen_background": 8, "seen_pairs": 32}
        self.heads = nn.ModuleDict({k: nn.Linear(queries * width, n) for k, n in outputs.items()})

    def loss(self, readings: Tensor, memories: list[Memory]) -> Tensor:
        """Mean of all heads' losses."""
        flat = readings.flatten(1)
        losses: list[Tensor] = []
        for when in ("first", "last"):
            labels = scene_labels([getattr(memory, when) for memory in memories])
            for name, values in labels.items():
                losses.append(self._loss(f"{when}_{name}", flat, torch.from_numpy(values)))
        all_seen = [scene_labels(memory.seen) for memory in memories]
        pairs = np.stack([labels["pairs"].max(0) for labels in all_seen])
        backgrounds = np.zeros((len(memories), 8), np.float32)
        for row, labels in enumerate(all_seen):
            backgrounds[row, labels["background"]] = 1.0
        losses.append(self._loss("seen_pairs", flat, torch.from_numpy(pairs)))
        losses.append(self._loss("seen_background", flat, torch.from_numpy(backgrounds)))
        return torch.stack(losses).mean()

    def _loss(self, name: str, flat: Tensor, truth: Tensor) -> Tensor:
        seen = self.heads[name](flat)
        if truth.dtype == torch.int64:
            return F.cross_entropy(seen, truth)
        return truth.shape[1] / 4.0 * F.binary_cross_entropy_with_logits(seen, truth)


class Answerer(nn.Module):
    """Memory reader and language model with the prompt between them."""

    def __init__(self, reader: MemoryReader, language: LanguageModel, tokens: MiniTokenizer):
        super().__init__()
        self.reader, self.language, self.tokens = reader, language, tokens

    def loss(
        self, readings: Tensor, rows: list[int], texts: list[str], answers: list[str]
    ) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the answers; rows[i] is question i's reading. → loss, which are right
        [n]
        """
        before, queries = self.tokens.before, readings.shape[1]
        after = [self.tokens.after(text) for text in texts]
        wanted = [self.tokens.answer(answer) for answer in answers]
        head = len(before) + queries
        longest = max(len(a) + len(w) for a, w in zip(after, wanted, strict=True))
        ids = torch.zeros(len(texts), longest, dtype=torch.int64)
        target = torch.full((len(texts), head + longest), IGNORE)
        for row, (a, w) in enumerate(zip(after, wanted, strict=True)):
            ids[row, : len(a) + len(w)] = torch.tensor(a + w)
            start = head + len(a) - 1  # the position before an answer's token predicts it
            target[row, start : start + len(w)] = torch.tensor(w)
        embed = self.language.embed
        prefix = embed(torch.tensor(before)).unsqueeze(0).expand(len(texts), -1, -1)
        embedded = torch.cat([prefix, readings[rows], embed(ids.flatten()).view(*ids.shape, -1)], 1)
        logits = self.language.score(embedded[:, :-1], None)  # [n, L - 1, rows]
        target = target[:, :-1]
        chosen = target != IGNORE
        loss = F.cross_entropy(logits[chosen], target[chosen])
        right = ((logits.argmax(-1) == target) | ~chosen).all(1)
        return loss, right


def ask(
    answerer: Answerer, memories: list[Memory], rng: np.random.Generator
) -> tuple[Tensor, Tensor, list[Question], Tensor]:
    """Reads and asks. → loss, which are right [n], the questions [n], readings [B, Q, H]"""
    blocks, mask = pad(memories)
    readings = answerer.reader.read_batch(blocks, None if bool(mask.all()) else mask)
    rows = [row for row, memory in enumerate(memories) for _ in memory.questions]
    asked = [question for memory in memories for question in memory.questions]
    texts = [loosen(rng, question.question) for question in asked]
    answers = [question.answer for question in asked]
    loss, right = answerer.loss(readings, rows, texts, answers)
    return loss, right, asked, readings


def train_answers(
    answerer: Answerer,
    scenes: list[Scene],
    blocks: Tensor,
    options: AnswerOptions,
) -> None:
    """Trains in place; resumes from and saves to options.folder/answers.pt.

    scenes are the bank's, blocks [scenes, F, N, C] their frames encoded. Films are put together new
    every RENEW steps: a fixed set is learned by heart, and questions about whole films are not
    learned. The last twentieth of the scenes is only for validation, as it was for the encoder.
    """
    sizes = answerer.reader.sizes
    heads = ReadingHeads(sizes.qformer.queries, sizes.out)
    parameters = [*answerer.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.02, betas=(0.9, 0.98))
    checkpoint, start = options.folder / "answers.pt", 0
    for path in (checkpoint, options.start_from):
        if path is not None and path.exists():
            saved = torch.load(path, weights_only=False)
            answerer.load_state_dict(saved["answerer"])
            heads.load_state_dict(saved["heads"])
            if path == checkpoint:
                optimizer.load_state_dict(saved["optimizer"])
                start = saved["step"]
            break
    rng = np.random.default_rng([options.seed, 31, start])
    train = len(scenes) * 19 // 20
    held_out = FilmPool(scenes[train:], blocks[train:], 60, options.seed)
    pool = FilmPool(scenes[:train], blocks[:train], FILMS, int(rng.integers(1 << 30)))

    began, total = time.time(), 0.0
    for step in range(start, options.steps):
        if (step + 1) % RENEW == 0:
            pool = FilmPool(scenes[:train], blocks[:train], FILMS, int(rng.integers(1 << 30)))
        for group in optimizer.param_groups:
            group["lr"] = lr_at(step, options.steps, options.peak)
        chosen = draw_memories(pool, rng, options.batch)
        loss, _, _, readings = ask(answerer, chosen, rng)
        help_ = heads.loss(readings, chosen)
        optimizer.zero_grad()
        (loss + 0.5 * help_).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        total += loss.item()
        if (step + 1) % 50 == 0:
            print(
                f"answers {step + 1}/{options.steps} loss {total / 50:.3f} "
                f"heads {help_.item():.3f} {time.time() - began:.0f}s",
                flush=True,
            )
            total = 0.0
        if (step + 1) % 100 == 0 or step + 1 == options.steps:
            state = {"answerer": answerer.state_dict(), "heads": heads.state_dict()}
            state |= {"optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").replace(checkpoint)
        if (step + 1) % 400 == 0 or step + 1 == options.steps:
            batches = [draw_memories(held_out, rng, 20) for _ in range(3)]
            print(validation(answerer, batches, rng), flush=True)


def draw_memories(pool: FilmPool, rng: np.random.Generator, count: int) -> list[Memory]:
    """`count` whole films with 5 questions each, and as many moments with 2."""
    whole = [pool.whole(rng, int(i), 5) for i in rng.integers(0, len(pool.films), count)]
    moments = [pool.moment(rng, int(i), 2) for i in rng.integers(0, len(pool.films), count)]
    return whole + moments


def validation(answerer: Answerer, batches: list[list[Memory]], rng: np.random.Generator) -> str:
    """Share of right answers (teacher-forced, which for greedy decoding is the same) by kind."""
    right: dict[str, list[bool]] = {}
    answerer.eval()
    with torch.no_grad():
        for batch in batches:
            _, correct, asked, _ = ask(answerer, batch, rng)
            for question, ok in zip(asked, correct.tolist(), strict=True):
                right.setdefault(question.kind, []).append(ok)
    answerer.train()
    parts = [f"{kind} {np.mean(oks):.2f}" for kind, oks in sorted(right.items())]
    sides = {"global": [], "breakpoint": []}
    for kind, oks in right.items():
        sides["breakpoint" if kind.endswith("_now") else "global"] += oks
    means = " ".join(f"{side} {np.mean(oks):.3f}" for side, oks in sides.items())
    return f"  {means} | {' '.join(parts)}"
