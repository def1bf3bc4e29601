"""Makes fresh films, asks the program about them, and prints how many answers are exactly right.

python scripts/mini/evaluate.py --films 20 --seed 1000 [--moviechat build/release/moviechat |
--python]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from mini.make_movies import make_movie
from mini.model import WatchedFilm, answer, load
from mini.questions import loosen

ROOT = Path(__file__).resolve().parents[2]


def items(annotation: dict[str, Any]) -> list[dict[str, Any]]:
    """All questions of one film; breakpoints have `at` in seconds (the middle of their frame)."""
    fps = annotation["info"]["fps"]
    moments = [item | {"at": (item["time"] + 0.5) / fps} for item in annotation["breakpoint"]]
    return [*annotation["global"], *moments]


def ask_program(
    program: Path, model: Path, video: Path, asked: list[dict[str, Any]], more: list[str]
) -> list[str]:
    """The C++ program's answers, one run for all questions."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as questions:
        for item in asked:
            line = {key: item[key] for key in ("question", "at") if key in item}
            questions.write(json.dumps(line) + "\n")
        questions.flush()
        command = [str(program), "--model", str(model), "--video", str(video)]
        command += ["--questions", questions.name, "--json", *more]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{program} failed on {video} ({done.returncode}): {done.stderr.strip()}")
    return [result["answer"] for result in json.loads(done.stdout)["results"]]


def ask_python(model: Path, video: Path, fps: float, asked: list[dict[str, Any]]) -> list[str]:
    """The same bundle's answers by the Python reimplementation."""
    modules, tokens = load(model)
    film = WatchedFilm(modules, video, fps)
    return [
        answer(
            modules,
            tokens,
            film.memory_at(item["at"]) if "at" in item else film.long,
            item["question"],
        )
        for item in asked
    ]


def table(record: list[dict[str, Any]]) -> str:
    """Shares of right answers with counts, by mode and kind."""
    lines: list[str] = []

    def line(name: str, rights: list[bool]) -> None:
        share = f"{np.mean(rights):6.1%}" if rights else "   –  "
        lines.append(f"{name:<24}{share}  ({sum(rights)} of {len(rights)})")

    for mode in ("global", "breakpoint"):
        of_mode = [item for item in record if item["mode"] == mode]
        line(mode, [item["right"] for item in of_mode])
        for kind in sorted({item["kind"] for item in of_mode}):
            line(f"  {kind}", [item["right"] for item in of_mode if item["kind"] == kind])
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1000, help="training uses seeds below 100")
    parser.add_argument("--moviechat", type=Path, default=ROOT / "build/release/bin/moviechat")
    parser.add_argument("--model", type=Path, default=ROOT / "models/mini")
    parser.add_argument("--python", action="store_true", help="without the C++ program")
    parser.add_argument("--loose", action="store_true", help="vary case and marks of the questions")
    parser.add_argument("--sample", type=Path, help="ask about this video, annotation beside it")
    parser.add_argument("--out", type=Path, help="keep the films and results.json here")
    parser.add_argument("--threads", type=int, default=2, help="for --python")
    parser.add_argument("--wrong", action="store_true", help="print the wrong answers")
    options, more = parser.parse_known_args()  # the rest goes to the program
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        films = [(options.sample, options.sample.with_suffix(".json"))] if options.sample else []
        for index in range(0 if options.sample else options.films):
            name = f"film_{options.seed}_{index:04d}"
            video = folder / "videos" / f"{name}.mp4"
            if not video.exists():
                make_movie(options.seed, index, folder, whole=8, moments=10)
            films.append((video, folder / "annotations" / f"{name}.json"))
        record = [
            item
            for index, (video, text) in enumerate(films)
            for item in ask_about(video, json.loads(text.read_text()), index, options, more)
        ]
        if options.out:
            (folder / "results.json").write_text(json.dumps(record, indent=1) + "\n")
    print(table(record))


def ask_about(
    video: Path,
    annotation: dict[str, Any],
    index: int,
    options: argparse.Namespace,
    more: list[str],
) -> list[dict[str, Any]]:
    """All questions of one film with the answers got."""
    asked = items(annotation)
    if options.loose:
        rng = np.random.default_rng([options.seed, index, 2])
        asked = [item | {"question": loosen(rng, item["question"])} for item in asked]
    if options.python:
        answers = ask_python(options.model, video, annotation["info"]["fps"], asked)
    else:
        answers = ask_program(options.moviechat, options.model, video, asked, more)
    print(f"{video.name} asked", file=sys.stderr)
    result: list[dict[str, Any]] = []
    for item, got in zip(asked, answers, strict=True):
        mode = "breakpoint" if "at" in item else "global"
        right = got == item["answer"]
        result.append({"video": video.name, "mode": mode, **item, "got": got, "right": right})
        if options.wrong and not right:
            print(video.name, item.get("at", ""), item["question"], "→", got, f"({item['answer']})")
    return result


if __name__ == "__main__":
    main()
