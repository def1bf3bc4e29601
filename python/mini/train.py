"""Trains the mini model in stages, each of which resumes where it stopped:

  bank       draws films and keeps frames of them with their code
  tokenizer  learns the words of the questions
  reader     the memory reader learns what to say of memories of whole films
  language   the language model learns to answer from what the reader is to say
  frames     the frame encoder learns to write the code
  answers    reader and language model together
  paint      draws films and keeps what the frame encoder sees of them
  adapt      the same as answers on memories of painted films
  bundle     writes --out

reader and then answers do not need frames and then paint: they run side by side, a thread each.

python scripts/mini/train.py --work DIR [--quick] [--stages bank,…,bundle] [--out DIR/bundle]
"""

from __future__ import annotations

import argparse
import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mini import arguments, checkpoint
from mini.checkout import ROOT
from mini.curves import draw_curves
from mini.frame_bank import FrameBank, draw_bank
from mini.init import init_language, init_positions, init_vision
from mini.memories import FilmPool, paint_films, see_film
from mini.sizes import VOCABULARY, mini_sizes
from mini.tokenizer import PROMPT, MiniTokenizer, train_tokenizer
from mini.train_answers import Answerer, AnswerOptions, load_parts, train_answers
from mini.train_frames import FrameOptions, train_frames
from mini.video_file import VideoError
from mini.whole_file import whole_file
from moviechat_models.export import BundleInfo, Prompt, is_replaceable, write_bundle
from moviechat_models.model import Model

# in an order that each can be run in, the longest of those that run side by side first
STAGES = (
    "bank",
    "tokenizer",
    "reader",
    "language",
    "frames",
    "answers",
    "paint",
    "adapt",
    "bundle",
)
# those that run side by side, and which of them each goes on from
SIDE_BY_SIDE: dict[str, tuple[str, ...]] = {
    "reader": (),
    "language": (),
    "frames": (),
    "answers": ("reader", "language"),
    "paint": ("frames",),
}
# once both parts know what to say: whole films are harder than moments, and the list of their
# scenes is what is hard about them
TOGETHER: dict[str, Any] = {"batch": (8, 4), "looking": 0.3, "scenes": 3.0}
SEEDS_A_RUN = 10  # training uses seeds 10·seed … 10·seed + 9 of the films


@dataclass(frozen=True)
class Recipe:
    """How much of everything."""

    bank_films: int
    frame_steps: int
    pool_films: int
    reader_steps: int
    language_steps: int
    answer_steps: int
    painted_films: int
    adapt_steps: int


FULL = Recipe(8000, 16000, 6000, 7000, 4500, 4500, 300, 1200)
# five minutes: that all of it runs, not that it knows
QUICK = Recipe(100, 500, 60, 200, 250, 100, 0, 0)


def parse(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="checkpoints, curves, frames")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--quick", action="store_true", help="a few minutes, a poor model")
    parser.add_argument("--seed", type=arguments.seed, default=1)
    parser.add_argument("--threads", type=arguments.count, default=2)
    parser.add_argument("--out", type=Path, help="the bundle, replaced (default: WORK/bundle)")
    options = parser.parse_args(words)
    options.out = options.out or options.work / "bundle"
    if options.out.exists() and not is_replaceable(options.out):
        parser.error(f"'{options.out}' is not a bundle (no model.yaml); it is not replaced")
    options.stages = options.stages.split(",")
    unknown = set(options.stages) - set(STAGES)
    if unknown:
        parser.error(f"unknown stage '{unknown.pop()}' (known: {', '.join(STAGES)})")
    return options


class Training:
    """The stages of one run, each a method; checkpoints in `work`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.recipe = QUICK if options.quick else FULL
        self.work: Path = options.work
        self.first_seed = options.seed * SEEDS_A_RUN
        torch.manual_seed(options.seed)
        self.model = Model.create(mini_sizes())
        init_positions(self.model.memory_reader)
        init_vision(self.model.frame_encoder)
        init_language(self.model.language_model)

    def bank(self) -> None:
        if not FrameBank.exists(self.work):
            draw_bank(self.recipe.bank_films, self.first_seed, self.options.threads).save(self.work)

    def tokenizer(self) -> None:
        if not (self.work / "tokenizer.model").exists():
            train_tokenizer(self.work / "tokenizer.model", VOCABULARY, seed=self.first_seed)

    def reader(self) -> None:
        steps = self.recipe.reader_steps
        self._learn("reader", steps, learns=("reader",), batch=(8, 8), peak=1.2e-3)

    def language(self) -> None:
        self._learn("language", self.recipe.language_steps, learns=("language",))

    def frames(self) -> None:
        chosen = FrameOptions(self.work, self.recipe.frame_steps, seed=self.options.seed)
        train_frames(self.model.frame_encoder, FrameBank.load(self.work), chosen)

    def answers(self) -> None:
        choices = {"after": ("reader", "language"), "peak": 4e-4}
        self._learn("answers", self.recipe.answer_steps, even=True, **choices, **TOGETHER)

    def _learn(self, stage: str, steps: int, even: bool = False, **choices: Any) -> None:
        """A stage on films as their code has them, of all lengths alike often if `even`."""
        pool = FilmPool(self.recipe.pool_films, self.first_seed + 1, even)
        held_out = FilmPool(max(20, self.recipe.pool_films // 30), self.first_seed + 2)
        chosen = AnswerOptions(self.work, stage, steps, seed=self.options.seed, **choices)
        train_answers(self._answerer(), pool, held_out, chosen)

    def paint(self) -> None:
        if not self.recipe.painted_films:
            return
        self._load_encoder()
        see = partial(see_film, self.model.frame_encoder.eval())
        for films in self._painted():
            paint_films(*films, see, self.options.threads)

    def _painted(self) -> list[tuple[Path, int, int]]:
        """Folder, number and seed of the painted films to learn from and of those to judge by."""
        count, seed = self.recipe.painted_films, self.first_seed
        return [
            (self.work / "painted", count, seed + 3),
            (self.work / "held_out", count // 4, seed + 4),
        ]

    def adapt(self) -> None:
        if not self.recipe.adapt_steps:
            return
        steps = self.recipe.adapt_steps
        pools = [FilmPool(films, seed, True, path) for path, films, seed in self._painted()]
        chosen = AnswerOptions(
            self.work,
            "adapt",
            steps,
            after=("answers",),
            seed=self.options.seed,
            peak=2e-4,
            noise=0.03,
            **TOGETHER,
        )
        train_answers(self._answerer(), *pools, chosen)

    def bundle(self) -> None:
        self._load_encoder()
        answerer = self._answerer()
        last = "adapt" if self.recipe.adapt_steps else "answers"
        load_parts(answerer, checkpoint.load_finished(self.work / f"{last}.pt"))
        out: Path = self.options.out
        prompt = Prompt(template=PROMPT, stop=answerer.tokens.stop(), context=300)
        info = BundleInfo(
            name="mini",
            prompt=prompt,
            dtype="fp16",
            memory={"short_capacity": 18, "keep": 2, "long_capacity": 256},
            plan={"window": 8},
            generation={"max_new_tokens": 100},
        )
        samples = {path: path.read_bytes() for path in out.glob("sample.*")}
        write_bundle(out, self.model, info, self.work / "tokenizer.model", replace=True)
        for path, data in samples.items():  # the folder was replaced whole
            path.write_bytes(data)
        command = f"scripts/mini/train.py --work DIR --seed {self.options.seed}"
        command += " --quick" if self.options.quick else ""
        commits = ", then ".join(read_recipe(self.work)["commits"])
        with (out / "model.yaml").open("a") as file:
            file.write(f"# made by: python {command}\n# at commit {commits}\n")

    def _answerer(self) -> Answerer:
        tokens = MiniTokenizer(self.work / "tokenizer.model")
        return Answerer(self.model.memory_reader, self.model.language_model, tokens)

    def _load_encoder(self) -> None:
        saved = checkpoint.load_finished(self.work / "frames.pt")
        self.model.frame_encoder.load_state_dict(saved["encoder"])


def commit() -> str:
    """The checkout's commit, and whether files were changed since."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def read_recipe(work: Path) -> dict[str, Any]:
    return json.loads((work / "recipe.json").read_text())


def check_recipe(options: argparse.Namespace) -> None:
    """Stages go on from what lies in --work: it must be of the same seed and recipe. Keeps the
    commits at which they ran.
    """
    recipe: dict[str, Any] = asdict(QUICK if options.quick else FULL) | {"seed": options.seed}
    path: Path = options.work / "recipe.json"
    found = read_recipe(options.work) if path.exists() else recipe
    other = [name for name in recipe if found.get(name) != recipe[name]]
    if other:
        arguments.refuse(
            f"train.py: '{options.work}' holds a training with {other[0]} {found.get(other[0])}, "
            f"this one has {recipe[other[0]]}; give another --work"
        )
    commits = list(dict.fromkeys([*found.get("commits", []), commit()]))
    if found.get("commits") != commits:
        with whole_file(path) as part:
            part.write_text(json.dumps(recipe | {"commits": commits}, indent=1) + "\n")


@contextmanager
def only_here(work: Path, stage: str) -> Iterator[None]:
    """No other process runs the stage meanwhile: two would write the same files."""
    with (work / f"{stage}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            arguments.refuse(
                f"train.py: another process runs the stage {stage} in '{work}'; "
                "let it end, or stop it first"
            )
        yield


def run_stages(options: argparse.Namespace, stages: list[str]) -> None:
    """One after the other, in this process."""
    torch.set_num_threads(options.threads)
    training = Training(options)
    for stage in stages:
        print(f"stage {stage}", flush=True)
        begun = time.monotonic()
        with only_here(options.work, stage):
            getattr(training, stage)()
        print(f"stage {stage}: {(time.monotonic() - begun) / 60:.1f} minutes", flush=True)
        draw_curves(options.work)


def run_side_by_side(options: argparse.Namespace, stages: list[str]) -> None:
    """A process of one thread for each, once those that it goes on from are through; as many at
    once as there are threads. Where one fails those that run go on, and no more begin.
    """
    command = [sys.executable, str(ROOT / "scripts" / "mini" / "train.py")]
    command += ["--work", str(options.work), "--seed", str(options.seed)]
    command += ["--threads", "1", "--out", str(options.out)] + ["--quick"] * options.quick
    waiting, running = list(stages), dict[Future[Any], str]()
    with ThreadPoolExecutor(options.threads) as pool:
        while waiting or running:
            unfinished = {*waiting, *running.values()}
            ready = [stage for stage in waiting if unfinished.isdisjoint(SIDE_BY_SIDE[stage])]
            for stage in ready[: options.threads - len(running)]:
                waiting.remove(stage)
                running[pool.submit(subprocess.run, [*command, "--stages", stage])] = stage
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                stage = running.pop(done)
                if done.result().returncode:
                    raise SystemExit(f"train.py: stage {stage} failed")


def main(words: list[str] | None = None) -> None:
    options = parse(words)
    options.work.mkdir(parents=True, exist_ok=True)
    check_recipe(options)
    wanted = [stage for stage in STAGES if stage in options.stages]
    try:
        run(options, wanted)
    except (OSError, VideoError) as error:
        raise SystemExit(f"train.py: {error}") from None


def run(options: argparse.Namespace, wanted: list[str]) -> None:
    """Stages in the order of STAGES: those that can side by side, the others before and after."""
    together = [stage for stage in wanted if stage in SIDE_BY_SIDE]
    if options.threads == 1 or len(together) == 1:
        run_stages(options, wanted)
        return
    first = STAGES.index(next(iter(SIDE_BY_SIDE)))
    run_stages(options, [stage for stage in wanted if STAGES.index(stage) < first])
    run_side_by_side(options, together)
    run_stages(options, [s for s in wanted if s not in together and STAGES.index(s) > first])


if __name__ == "__main__":
    main()
