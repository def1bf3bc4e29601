"""Stage 2: the memory reader and the language model learn to answer from memories of whole films.

The reader learns to write the code of a reading, the language model to answer from that code; then
both learn together. Each memory is read once and asked several questions, which the language model
sees side by side behind one prefix.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mini import checkpoint
from mini.looking import answered_by, missed, read_looking
from mini.memories import UNIFORM, FilmPool, Memory, ask, disturb, pad
from mini.phrasings import loosen
from mini.progress import Progress
from mini.questions import Question
from mini.reading_code import code_loss, code_of_labels, labels_of
from mini.tokenizer import MiniTokenizer
from mini.train_frames import lr_at
from moviechat_models.llama import LanguageModel, rotary_tables
from moviechat_models.memory_reader import MemoryReader

IGNORE = -100
WARM_UP = 100  # steps
SAVE_EVERY = 100  # steps
PREFIX = -1  # the segment that all see
PARTS = ("reader", "language")


@dataclass(frozen=True)
class AnswerOptions:
    """What learns, a part alone or both, from where the stages `after` left them."""

    folder: Path
    stage: str
    steps: int
    learns: tuple[str, ...] = PARTS
    after: tuple[str, ...] = ()
    seed: int = 1
    peak: float = 1e-3
    batch: tuple[int, int] = (6, 6)  # whole films and moments
    questions: tuple[int, int] = (6, 6)  # of different kinds about a film, about a moment
    yes_or_no: int = 2  # more of those: half of them are right by chance, so they teach slowly
    uniform: float = 0.1  # share of memories that are the baseline's frames
    noise: float = 0.12  # of the blocks
    reading_noise: float = 0.1  # of the code, where the language model learns alone
    looking: float = 0.1  # weight of where attention goes
    scenes: float = 1.0  # weight of the scenes in order, among what a reading says
    weights: dict[str, float] = field(default_factory=lambda: dict(QUESTION_WEIGHTS))

    @property
    def reads(self) -> bool:
        return "reader" in self.learns

    @property
    def talks(self) -> bool:
        return "language" in self.learns

    def rate(self, step: int) -> float:
        return lr_at(step, self.steps, self.peak, WARM_UP)


QUESTION_WEIGHTS = {"describe": 1.5, "event": 2.0, "end": 1.5, "first": 1.5, "after": 1.5}


@dataclass
class Packed:
    """Prompts of one memory side by side: ids, targets and segments [B, n], positions [B, n]."""

    ids: Tensor
    target: Tensor
    segment: Tensor
    position: Tensor
    question: Tensor  # [B, n] number of the question, where target is set
    questions: int
    sources: list[range]  # for each target in turn the queries that it should be told from


@dataclass
class Told:
    """Cross-entropy of answers, how far their words are from looking at the embeddings that hold
    the answer, and which answers are right in the order of the questions.
    """

    loss: Tensor
    looking: Tensor
    right: np.ndarray


class Answerer(nn.Module):
    """Memory reader and language model with the prompt between them."""

    def __init__(self, reader: MemoryReader, language: LanguageModel, tokens: MiniTokenizer):
        super().__init__()
        self.reader, self.language, self.tokens = reader, language, tokens

    def pack(self, asked: list[list[Question]]) -> Packed:
        """Questions and answers of each memory behind its prefix (of which ids are left out)."""
        start = len(self.tokens.before) + self.reader.sizes.qformer.queries
        rows: list[list[tuple[int, int, int, int, int]]] = []
        sources: list[range] = []
        number = 0
        for questions in asked:
            row: list[tuple[int, int, int, int, int]] = []
            for segment, q in enumerate(questions):
                prompt, wanted = self.tokens.after(q.question), self.tokens.answer(q.answer)
                sources += answered_by(q, self.tokens.names(wanted))
                ids = prompt + wanted[:-1]
                target = [IGNORE] * (len(prompt) - 1) + wanted
                row += [
                    (token, goal, segment, start + place, number)
                    for place, (token, goal) in enumerate(zip(ids, target, strict=True))
                ]
                number += 1
            rows.append(row)
        longest = max(len(row) for row in rows)
        filler = (0, IGNORE, PREFIX - 1, start, 0)
        packed = torch.tensor([row + [filler] * (longest - len(row)) for row in rows])
        return Packed(*packed.unbind(-1), number, sources)

    def loss(self, readings: Tensor, asked: list[list[Question]]) -> Told:
        """How well the answers are told (teacher-forced, which for greedy decoding is the same)."""
        packed = self.pack(asked)
        batch, language = len(asked), self.language
        before = language.embed(torch.tensor(self.tokens.before)).expand(batch, -1, -1)
        x = torch.cat([before, readings, language.embed(packed.ids)], 1)
        head = x.size(1) - packed.ids.size(1)
        segment = F.pad(packed.segment, (head, 0), value=PREFIX)  # [B, n]
        position = torch.cat([torch.arange(head).expand(batch, -1), packed.position], 1)
        n = x.size(1)
        mask = (segment.unsqueeze(1) == segment.unsqueeze(2)) | (segment == PREFIX).unsqueeze(1)
        mask = (mask & torch.ones(n, n, dtype=torch.bool).tril()).unsqueeze(1)  # [B, 1, n, n]
        longest = int(position.max()) + 1
        cos, sin = rotary_tables(0, longest, language.head_dim, language.rope_base, x)
        cos, sin = cos[position].unsqueeze(1), sin[position].unsqueeze(1)  # [B, 1, n, d]
        chosen = packed.target != IGNORE
        looks: list[Tensor] = []
        for layer in language.layers:
            query, key, value = layer.project(x, cos, sin)
            seen, weights = layer.self_attn.look_with_weights(query, key, value, mask)
            x = layer.finish(x, seen)
            looks.append(weights[:, head:, before.size(1) : head][chosen])  # [answers' tokens, Q]
        logits = language._logits(x[:, head:][chosen])  # [answers' tokens, rows]
        target, question = packed.target[chosen], packed.question[chosen]
        each = F.cross_entropy(logits, target, reduction="none")
        length = torch.bincount(question, minlength=packed.questions).float()
        # long answers count more than short ones, but not as much as they are longer
        loss = (each * length[question].rsqrt()).sum() / length.sqrt().sum()
        wrong = torch.bincount(question[logits.argmax(-1) != target], minlength=packed.questions)
        goals = torch.zeros(len(target), readings.size(1), dtype=torch.bool)
        for row, source in enumerate(packed.sources):
            goals[row, source] = True
        looking = missed(torch.stack(looks).mean(0), goals)
        return Told(loss, looking, (wrong == 0).numpy())


def draw_memories(pool: FilmPool, rng: np.random.Generator, options: AnswerOptions) -> list[Memory]:
    """Whole films and moments, some of them the baseline's."""
    memories: list[Memory] = []
    draws = zip((pool.whole, pool.moment), options.batch, options.questions, strict=True)
    for draw, films, count in draws:
        for _ in range(films):
            uniform = int(rng.choice(UNIFORM)) if rng.uniform() < options.uniform else 0
            memory = draw(rng, uniform)
            if options.talks:
                memory.questions = ask(rng, memory, count, options.weights, options.yes_or_no)
            if options.reads:
                strength = options.noise * float(rng.uniform())
                memory.blocks = disturb(rng, memory.blocks, strength)
            memories.append(memory)
    return memories


def asked_loosely(rng: np.random.Generator, memories: list[Memory]) -> list[list[Question]]:
    return [
        [replace(q, question=loosen(rng, q.question)) for q in memory.questions]
        for memory in memories
    ]


def load_parts(answerer: Answerer, saved: dict[str, Any]) -> None:
    """The parts that a stage has taught."""
    for part, state in saved["parts"].items():
        getattr(answerer, part).load_state_dict(state)


def read(
    answerer: Answerer, memories: list[Memory], options: AnswerOptions
) -> tuple[Tensor, Tensor]:
    """The reader's readings, or where it does not learn their code with noise, and how far it is
    from looking where it should. → [B, Q, H], scalar
    """
    if options.reads:
        return read_looking(answerer.reader, *pad(memories), memories)
    code = code_of_labels(labels_of(memories))
    return code + options.reading_noise * torch.randn_like(code), torch.zeros(())


def train_answers(
    answerer: Answerer, pool: FilmPool, held_out: FilmPool, options: AnswerOptions
) -> None:
    """Trains in place; resumes from and saves to options.folder/<stage>.pt."""
    table = answerer.reader.position_table
    learning = [p for part in options.learns for p in getattr(answerer, part).parameters()]
    groups = [{"params": [p for p in learning if p is not table], "pace": 1.0}]
    if options.reads:  # a step of the table is one of 1 / (1 - alpha) times that of the positions
        pace = 1.0 - answerer.reader.alpha
        groups.append({"params": [table], "pace": pace, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.02, betas=(0.9, 0.98))
    path, start = options.folder / f"{options.stage}.pt", 0
    if path.exists():
        saved = checkpoint.load(path)
        load_parts(answerer, saved)
        optimizer.load_state_dict(saved["optimizer"])
        start = saved["step"]
    else:
        for stage in options.after:
            load_parts(answerer, checkpoint.load_finished(options.folder / f"{stage}.pt"))
    rng = np.random.default_rng([options.seed, 31, start])
    progress = Progress(options.stage, options.folder, start, options.steps)
    for step in range(start, options.steps):
        for group in optimizer.param_groups:
            group["lr"] = options.rate(step) * group["pace"]
        memories = draw_memories(pool, rng, options)
        readings, looking = read(answerer, memories, options)
        loss = options.looking * looking
        if options.reads:
            code = code_loss(readings, memories, options.scenes)[0]
            loss = loss + code
            progress.add(code=code.item(), look=looking.item())
        if options.talks:
            told = answerer.loss(readings, asked_loosely(rng, memories))
            progress.add(loss=told.loss.item(), answer_look=told.looking.item())
            loss = told.loss + options.looking * told.looking + 0.5 * loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == options.steps:
            parts = {part: getattr(answerer, part).state_dict() for part in options.learns}
            state = {"parts": parts, "optimizer": optimizer.state_dict()}
            checkpoint.save(path, state, step + 1, options.steps)
            thorough = (step + 1) % 500 == 0 or step + 1 == options.steps
            progress.tell(step, validate(answerer, held_out, options, 8 if thorough else 2))


def validate(
    answerer: Answerer, pool: FilmPool, options: AnswerOptions, batches: int
) -> dict[str, float]:
    """Shares of right answers by kind, and of what readings say, on films that are not trained
    on.
    """
    rng = np.random.default_rng(77)
    right: dict[str, list[float]] = defaultdict(list)
    even = replace(options, batch=(6, 6), uniform=0.0, weights={}, yes_or_no=0)
    answerer.eval()
    with torch.inference_mode():
        for _ in range(batches):
            memories = draw_memories(pool, rng, even)
            readings, looking = read(answerer, memories, even)
            if options.reads:
                right["~look"].append(looking.item())
                for name, share in code_loss(readings, memories)[1].items():
                    right[f"~{name}"].append(share)
            if not options.talks:
                continue
            told = answerer.loss(readings, asked_loosely(rng, memories))
            right["~answer_look"].append(told.looking.item())
            asked = [(m.is_global, q.kind) for m in memories for q in m.questions]
            for (is_global, kind), ok in zip(asked, told.right.tolist(), strict=True):
                right["GLOBAL" if is_global else "BREAKPOINT"].append(ok)
                right[kind].append(ok)
    answerer.train()
    return {name: float(np.mean(oks)) for name, oks in sorted(right.items())}
