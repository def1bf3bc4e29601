"""Makes fresh films, asks the program about them, and says how many answers are right.

scripts/mini/evaluate --films N --seed S --out DIR [--profiles paper,…] [--lengths 1.4,14]

Prints tables of what `moviechat score` counts, with its 95 % intervals (films drawn whole); DIR
gets the films, the runs, results.json and lengths.png.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mini import arguments
from mini.checkout import ROOT
from mini.make_movies import draw_movie
from mini.phrasings import GLOBAL
from mini.questions import TRIES, ask_global, draw_questions
from mini.random_films import film_of_seed
from mini.scoring import Row, kinds_table, of_purpose, plot_lengths, score, summary, table
from mini.video_file import VideoError

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
    "L = 64 (plain mean)": memory(long_capacity=64, merge="mean"),
    "K = 3 (no short-term)": memory(short_capacity=3),
    "K = 10": memory(short_capacity=10),
    "K = 34": memory(short_capacity=34),
}
COLUMNS = ["global", "breakpoint", "cameo"]
MAIN = ("paper", "released", "uniform:32", "uniform:8")
EDGES = [0.0, 2.0, 5.0, 8.0, 10.0, 12.0, math.inf]  # minutes, of the plot
OWN = "film"  # questions of the film itself; others are extras


@dataclass(frozen=True)
class Item:
    """A question to ask: what for, its kind, the right answer, the breakpoint's frame."""

    purpose: str
    kind: str
    question: str
    answer: str
    frame: int | None = None


@dataclass(frozen=True)
class AskedFilm:
    """A film with what is asked about it; `info` is its annotation's."""

    info: dict[str, Any]
    items: list[Item]

    @property
    def name(self) -> str:
        return self.info["video_path"]


def own_items(annotation: dict[str, Any]) -> list[Item]:
    """The film's questions."""
    asked = [*annotation["global"], *annotation["breakpoint"]]
    return [Item(OWN, q["kind"], q["question"], q["answer"], q.get("time")) for q in asked]


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
        frame = None if asked.at is None else round(asked.at * film.fps)
        items.append(Item("rephrased", asked.kind, asked.question, asked.answer, frame))
    return items


def ask_program(
    options: argparse.Namespace, folder: Path, films: list[AskedFilm], profile: str, evidence: bool
) -> list[Row]:
    """The program's predictions for the films: one `moviechat eval` over all of them. Their names
    tell apart films of several folders.
    """
    run = options.out / "runs" / f"{folder.name}-{re.sub('[^a-z0-9]+', '-', profile.lower())}"
    shutil.rmtree(run, ignore_errors=True)
    run.parent.mkdir(parents=True, exist_ok=True)
    questions = run.with_name(f"{run.name}.jsonl")
    with questions.open("w") as file:
        for film in films:
            for item in film.items:
                line = {"video": film.name, "question": item.question, "answer": item.answer}
                line |= {"category": f"{item.purpose}: {item.kind}"}
                line |= {} if item.frame is None else {"at_frame": item.frame}
                file.write(json.dumps(line) + "\n")
    command = [options.moviechat, "eval", "--dataset", "jsonl", "--annotations", questions]
    command += ["--videos", folder / "videos", "--out", run, "--model", options.model]
    command += [*PROFILES[profile], *["--evidence"] * evidence]
    print(f"{profile}: {len(films)} films", file=sys.stderr, flush=True)
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"evaluate: moviechat eval ended with {done.returncode}\n{done.stdout}")
    rows = [json.loads(line) for line in (run / "predictions.jsonl").open()]
    return [row | {"video": f"{folder.name}/{row['video']}"} for row in rows]


@dataclass
class Evaluation:
    """What was answered: by profile, and by purpose for the paper's extras."""

    answers: dict[str, list[Row]]  # to the films' own questions
    extras: dict[str, list[Row]]
    overlaps: list[bool]  # top evidence of cameos answered rightly touches the cameo
    chances: list[float]  # a span of that length put anywhere would


def films_folder(options: argparse.Namespace, minutes: float | None) -> Path:
    """Films of another length lie in another folder."""
    return options.out / ("films" if minutes is None else f"films_{minutes:g}")


def make_films(
    options: argparse.Namespace, folder: Path, minutes: float | None
) -> list[dict[str, Any]]:
    """Makes the films that are missing. → their annotations"""
    annotations: list[dict[str, Any]] = []
    for index in range(options.films):
        movie = draw_movie(options.seed, index, "test", minutes)
        note = movie.annotation_in(folder)
        if not note.exists():
            movie.write(folder)
            print(f"{index + 1}/{options.films} {movie.video}", file=sys.stderr, flush=True)
        annotations.append(json.loads(note.read_text()))
        if annotations[-1] != json.loads(json.dumps(movie.annotation)):
            arguments.refuse(
                f"evaluate: '{note}' is of another film than this version draws; "
                f"remove '{folder}' or give another --out"
            )
    return annotations


def evaluate(
    options: argparse.Namespace, minutes: float | None, profiles: list[str], extras: bool
) -> Evaluation:
    """Asks about films, with each profile; the paper's is asked the extras too."""
    folder = films_folder(options, minutes)
    annotations = make_films(options, folder, minutes)
    result = Evaluation({}, {}, [], [])
    for profile in profiles:
        with_extras = profile == "paper" and extras
        films: list[AskedFilm] = []
        for index, annotation in enumerate(annotations):
            items = own_items(annotation)
            if with_extras:
                items += extra_items(options.seed, index, "test", minutes)
            films.append(AskedFilm(annotation["info"], items))
        rows = ask_program(options, folder, films, profile, evidence=with_extras)
        result.answers[profile] = of_purpose(rows, OWN)
        if with_extras:
            add_extras(result, films, rows)
        if options.wrong:
            print_wrong(profile, rows)
    return result


def add_extras(result: Evaluation, films: list[AskedFilm], rows: list[Row]) -> None:
    """Keeps the answers to all but the films' own questions, and judges evidence."""
    purposes = dict.fromkeys(item.purpose for film in films for item in film.items)
    result.extras = {name: of_purpose(rows, name) for name in purposes if name != OWN}
    for film, row in zip(films, result.extras["evidence"], strict=True):
        for got in row["results"]:
            if got["answer"] == got["reference"]:
                hit, chance = judge_evidence(film.info, got["evidence"])
                result.overlaps.append(hit)
                result.chances.append(chance)


def print_wrong(profile: str, rows: list[Row]) -> None:
    """The answers that are not the right ones to the letter."""
    for row in rows:
        for got in row["results"]:
            if got["answer"] != got["reference"]:
                purpose = got["category"].partition(":")[0]
                told = f"{got['question']} → {got['answer']} ({got['reference']})"
                print(f"  {profile} {row['video']} {purpose} {got['frame'] or ''} {told}")


def judge_evidence(info: dict[str, Any], spans: list[dict[str, float]]) -> tuple[bool, float]:
    """Does the top span overlap one of the cameos? And how likely would a span of its length that
    lies anywhere in the film?
    """
    if not spans:
        return False, 0.0
    top = max(spans, key=lambda span: span["score"])
    cameos = info["cameos"]
    hit = any(top["start"] < c["end"] and top["end"] > c["start"] for c in cameos)
    length = top["end"] - top["start"]
    free = max(info["duration"] - length, 1e-9)  # where it may begin; cameos are far apart
    chance = sum(length + c["end"] - c["start"] for c in cameos) / free
    return hit, min(1.0, chance)


def say_extras(program: Path, result: Evaluation) -> dict[str, Any]:
    """Prints and returns what was asked of the paper's profile beside the films' own questions."""
    told: dict[str, Any] = {}
    for purpose, rows in result.extras.items():
        modes = score(program, rows).modes
        told[purpose] = {mode: share.mean for mode, share in modes.items()}
        shown = ", ".join(f"{mode} {share}" for mode, share in modes.items())
        print(f"{purpose}: {shown} of {sum(share.count for share in modes.values())} questions")
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
    parser.add_argument("--films", type=arguments.count, default=40)
    parser.add_argument("--seed", type=arguments.seed, default=1000, help="of the films")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profiles", default=",".join(PROFILES), help="'main' for the first four")
    parser.add_argument(
        "--lengths",
        type=lambda text: [arguments.minutes(word) for word in text.split(",")],
        default=[],
        help="also films of these minutes, e.g. 1.4,14",
    )
    parser.add_argument("--minutes", type=arguments.minutes, help="of all films; without: 1 to 15")
    parser.add_argument("--no-extras", action="store_true", help="the films' own questions only")
    parser.add_argument("--at-least", type=float, help="fail where paper has a smaller share right")
    parser.add_argument("--wrong", action="store_true", help="print the wrong answers")
    parser.add_argument("--moviechat", type=Path, default=ROOT / "build/release/bin/moviechat")
    parser.add_argument("--model", type=Path, default=ROOT / "models/mini")
    options = parser.parse_args()
    names = options.profiles.split(",") if options.profiles != "main" else list(MAIN)
    options.profiles = list(dict.fromkeys(name.strip() for name in names))
    unknown = [name for name in options.profiles if name not in PROFILES]
    if unknown:
        parser.error(f"unknown profile '{unknown[0]}' (known: {', '.join(PROFILES)})")
    if options.at_least is not None:
        if "paper" not in options.profiles:
            parser.error("--at-least is about the profile paper; add it to --profiles")
        if not 0.0 <= options.at_least <= 1.0:
            parser.error(f"--at-least must lie between 0 and 1, got {options.at_least:g}")
    if not options.moviechat.is_file():
        parser.error(f"no program at '{options.moviechat}'; scripts/setup builds it")
    if not (options.model / "model.yaml").is_file():
        parser.error(f"no bundle at '{options.model}': it has no model.yaml")
    return options


def main() -> None:
    options = parse()
    try:
        report(options)
    except (OSError, VideoError) as error:
        raise SystemExit(f"evaluate: {error}") from None


def report(options: argparse.Namespace) -> None:
    """Evaluates, prints, and writes results.json and the plot."""
    program: Path = options.moviechat
    result = evaluate(options, options.minutes, options.profiles, not options.no_extras)
    scores = {name: score(program, rows) for name, rows in result.answers.items()}
    profiles = {name: summary(scored) for name, scored in scores.items()}
    print(table(scores, COLUMNS))
    print()
    shown = {name: scores[name] for name in scores if name in MAIN} or scores
    print(kinds_table(shown))
    print()
    told: dict[str, Any] = {"profiles": profiles}
    told |= {"extras": say_extras(program, result), "lengths": {}}
    for minutes in options.lengths:
        names = [name for name in ("paper", "uniform:32") if name in profiles]
        part = evaluate(options, minutes, names, extras=False).answers
        lengths = {name: score(program, rows) for name, rows in part.items()}
        told["lengths"][f"{minutes:g}"] = {name: summary(one) for name, one in lengths.items()}
        print(f"\nfilms of {minutes:g} minutes\n")
        print(table(lengths, COLUMNS))
        for name, rows in part.items():
            result.answers[name] += rows
    (options.out / "results.json").write_text(json.dumps(told, indent=1) + "\n")
    plotted = {name: result.answers[name] for name in shown}
    plot_lengths(program, plotted, options.out / "lengths.png", EDGES)
    for mode in ("global", "breakpoint"):
        if options.at_least is not None and profiles["paper"][mode] < options.at_least:
            raise SystemExit(
                f"evaluate: {profiles['paper'][mode]:.1%} of {mode} answers are right, "
                f"expected {options.at_least:.1%}"
            )


if __name__ == "__main__":
    main()
