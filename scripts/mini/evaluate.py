"""Makes fresh films, asks the program about them, and says how many answers are exactly right.

scripts/mini/evaluate --films N --seed S --out DIR [--profiles paper,…] [--lengths 1.4,14]

Prints tables with 95 % intervals; DIR gets the films, results.json and lengths.png.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from mini.make_movies import make_movie
from mini.phrasings import GLOBAL
from mini.questions import TRIES, ask_global, draw_questions
from mini.random_films import film_of_seed
from mini.scoring import Answered, kinds_table, plot_lengths, share, summary, table

ROOT = Path(__file__).resolve().parents[2]
PLAN = ["--set", "plan.clips=256"]  # the frames of the paper, whatever the memory


def memory(**values: int | str) -> list[str]:
    return PLAN + [part for k, v in values.items() for part in ("--set", f"memory.{k}={v}")]


PROFILES: dict[str, list[str]] = {
    "paper": ["--profile", "paper"],
    "released": ["--profile", "released"],
    "uniform:32": ["--profile", "uniform", "--plan", "uniform:32"],
    "uniform:8": ["--profile", "uniform", "--plan", "uniform:8"],
    "L = 2 (no long-term)": memory(long_capacity=2),
    "L = 16": memory(long_capacity=16),
    "L = 64": memory(long_capacity=64),
    "L = 64, plain mean": memory(long_capacity=64, merge="mean"),
    "K = 3 (no short-term)": memory(short_capacity=3),
    "K = 10": memory(short_capacity=10),
    "K = 34": memory(short_capacity=34),
}
MAIN = ("paper", "released", "uniform:32", "uniform:8")
EDGES = [0.0, 2.0, 5.0, 8.0, 10.0, 12.0, 15.1]  # minutes, of the plot
OWN = "film"  # questions of the film itself; others are extras


@dataclass(frozen=True)
class Item:
    """A question to ask: what for, its kind, the right answer, the breakpoint's time."""

    purpose: str
    kind: str
    question: str
    answer: str
    at: float | None = None


def own_items(annotation: dict[str, Any]) -> list[Item]:
    """The film's questions; a breakpoint's time is the middle of its frame."""
    fps = annotation["info"]["fps"]
    items = [Item(OWN, q["kind"], q["question"], q["answer"]) for q in annotation["global"]]
    for q in annotation["breakpoint"]:
        items.append(Item(OWN, q["kind"], q["question"], q["answer"], (q["time"] + 0.5) / fps))
    return items


def extra_items(seed: int, index: int, split: str, minutes: float | None) -> list[Item]:
    """More questions about a film: its caption, its cameos, what it never shows, and the film's
    questions in phrasings that are never trained.
    """
    film = film_of_seed(seed, index, split, minutes)
    rng = np.random.default_rng([seed, index, 8])
    items: list[Item] = []
    for purpose, kind in (("caption", "describe"), ("evidence", "cameo")):
        asked = ask_global(rng, film, kind)
        items.append(Item(purpose, kind, GLOBAL[kind].trained[0], asked.answer))
    for _ in range(TRIES):
        asked = ask_global(rng, film, "appears")
        if asked and asked.answer == "No.":
            items.append(Item("never shown", "appears", asked.question, asked.answer))
            break
    whole, moments = draw_questions(rng, film, 3, 10, held_out=True)
    for asked in whole + moments:
        at = None if asked.at is None else (round(asked.at * film.fps) + 0.5) / film.fps
        items.append(Item("rephrased", asked.kind, asked.question, asked.answer, at))
    return items


def ask_program(
    options: argparse.Namespace, video: Path, items: list[Item], flags: list[str]
) -> list[dict[str, Any]]:
    """The program's results, one run for all questions."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as questions:
        for item in items:
            line = {"question": item.question} | ({} if item.at is None else {"at": item.at})
            questions.write(json.dumps(line) + "\n")
        questions.flush()
        command = [str(options.moviechat), "--model", str(options.model), "--video", str(video)]
        command += ["--questions", questions.name, "--json", *flags]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed on {video}: {done.stderr.strip()}")
    return json.loads(done.stdout)["results"]


@dataclass
class Evaluation:
    """What was answered: by profile, and by purpose for the paper's extras."""

    answers: dict[str, list[Answered]]
    extras: dict[str, list[Answered]]
    overlaps: list[bool]  # top evidence of cameos answered rightly touches the cameo
    chances: list[float]  # a span of that length put anywhere would


def film_paths(folder: Path, name: str) -> tuple[Path, Path] | None:
    """Video and annotation, if they are there."""
    note = folder / "annotations" / f"{name}.json"
    if not note.exists():
        return None
    return folder / "videos" / json.loads(note.read_text())["info"]["video_path"], note


def evaluate(
    options: argparse.Namespace, folder: Path, minutes: float | None, profiles: list[str]
) -> Evaluation:
    """Makes the films that are missing and asks about all of them."""
    result = Evaluation({name: [] for name in profiles}, {}, [], [])
    for index in range(options.films):
        name = f"test_{options.seed}_{index:04d}"
        if film_paths(folder, name) is None:
            make_movie(options.seed, index, folder, "test", minutes)
        video, note = film_paths(folder, name)
        annotation = json.loads(note.read_text())
        long = annotation["info"]["duration"] / 60.0
        for profile in profiles:
            items, flags = own_items(annotation), list(PROFILES[profile])
            if profile == "paper" and not options.no_extras:
                items += extra_items(options.seed, index, "test", minutes)
                flags.append("--evidence")
            results = ask_program(options, video, items, flags)
            for item, got in zip(items, results, strict=True):
                mode = "global" if item.at is None else "breakpoint"
                answer = Answered(
                    video.name, long, mode, item.kind, item.question, item.answer, got["answer"]
                )
                if item.purpose == OWN:
                    result.answers[profile].append(answer)
                else:
                    result.extras.setdefault(item.purpose, []).append(answer)
                if item.purpose == "evidence" and answer.right:
                    judge_evidence(result, annotation["info"], got["evidence"])
                if options.wrong and not answer.right:
                    told = f"{answer.question} → {answer.got} ({answer.expected})"
                    print(f"  {profile} {video.name} {item.purpose} {item.at or ''} {told}")
        print(f"{index + 1}/{options.films} {video.name}", file=sys.stderr, flush=True)
    return result


def judge_evidence(result: Evaluation, info: dict[str, Any], spans: list[dict[str, float]]) -> None:
    """Does the top span overlap one of the cameos? And how likely is that by chance?"""
    if not spans:
        result.overlaps.append(False)
        return
    top = max(spans, key=lambda span: span["score"])
    cameos, duration = info["cameos"], info["duration"]
    hit = any(top["start"] < c["end"] and top["end"] > c["start"] for c in cameos)
    result.overlaps.append(hit)
    length = top["end"] - top["start"]
    free = max(duration - length, 1e-9)
    missed = sum(max(0.0, 1.0 - (length + c["end"] - c["start"]) / free) for c in cameos)
    result.chances.append(1.0 - missed / len(cameos))


def say_extras(result: Evaluation) -> dict[str, Any]:
    """Prints and returns what was asked of the paper's profile beside the films' own questions."""
    told: dict[str, Any] = {}
    for purpose, answers in result.extras.items():
        told[purpose] = {
            mode: share(a for a in answers if a.mode == mode)
            for mode in ("global", "breakpoint")
            if any(a.mode == mode for a in answers)
        }
        shown = ", ".join(f"{mode} {value:.1%}" for mode, value in told[purpose].items())
        print(f"{purpose}: {shown} of {len(answers)} questions")
    if result.overlaps:
        told["evidence overlaps"] = float(np.mean(result.overlaps))
        told["evidence by chance"] = float(np.mean(result.chances)) if result.chances else 0.0
        print(
            f"evidence of cameos: the top span overlaps in {told['evidence overlaps']:.1%} "
            f"of {len(result.overlaps)}, by chance {told['evidence by chance']:.1%}"
        )
    return told


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1000, help="training uses seeds below 1000")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profiles", default=",".join(PROFILES), help="'main' for the first four")
    parser.add_argument("--lengths", default="", help="also films of these minutes, e.g. 1.4,14")
    parser.add_argument("--minutes", type=float, help="length of the films; without: 1 to 15")
    parser.add_argument("--no-extras", action="store_true", help="the films' own questions only")
    parser.add_argument("--wrong", action="store_true", help="print the wrong answers")
    parser.add_argument("--moviechat", type=Path, default=ROOT / "build/release/bin/moviechat")
    parser.add_argument("--model", type=Path, default=ROOT / "models/mini")
    options = parser.parse_args()
    names = options.profiles.split(",") if options.profiles != "main" else list(MAIN)
    options.profiles = [name.strip() for name in names]
    unknown = [name for name in options.profiles if name not in PROFILES]
    if unknown:
        parser.error(f"unknown profile '{unknown[0]}' (known: {', '.join(PROFILES)})")
    if options.seed < 1000:
        parser.error(f"--seed must be 1000 or more, got {options.seed}: training uses those below")
    return options


def main() -> None:
    options = parse()
    result = evaluate(options, options.out / "films", options.minutes, options.profiles)
    profiles = {name: summary(answers) for name, answers in result.answers.items()}
    print(table(profiles, ["global", "breakpoint", "cameo"]))
    print()
    print(kinds_table({name: profiles[name] for name in profiles if name in MAIN}))
    print()
    told: dict[str, Any] = {"profiles": profiles, "extras": say_extras(result), "lengths": {}}
    for text in filter(None, options.lengths.split(",")):
        names = [name for name in ("paper", "uniform:32") if name in profiles]
        folder = options.out / f"films_{text}"
        part = evaluate(options, folder, float(text), names).answers
        told["lengths"][text] = {name: summary(answers) for name, answers in part.items()}
        print(f"\nfilms of {text} minutes\n")
        print(table(told["lengths"][text], ["global", "breakpoint", "cameo"]))
        for name, answers in part.items():
            result.answers[name] += answers
    (options.out / "results.json").write_text(json.dumps(told, indent=1) + "\n")
    plotted = {name: result.answers[name] for name in result.answers if name in MAIN}
    plot_lengths(plotted, options.out / "lengths.png", EDGES)


if __name__ == "__main__":
    main()
