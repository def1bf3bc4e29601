"""What a film's 13 questions cost beside one of them, side by side.

.venv/bin/python scripts/bench/cost_of_questions.py FILM.mp4 ANNOTATION.json [--runs 5]

FILM and ANNOTATION (MovieChat-1K's JSON) as scripts/mini/make_movies.py makes them. Prints seconds,
start of the program included, frames decoded and encoded, and the ratio of the median seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def question_lines(annotation: dict[str, Any]) -> list[str]:
    """The lines of --questions."""
    lines = [{"question": q["question"]} for q in annotation["global"]]
    for q in annotation["breakpoint"]:
        lines.append({"question": q["question"], "at_frame": q["time"]})
    return [json.dumps(line) for line in lines]


def ask(program: Path, film: Path, lines: list[str]) -> tuple[float, dict[str, int]]:
    """→ seconds, counts"""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(lines))
        file.flush()
        command = [program, "--video", film, "--questions", file.name, "--json", "--quiet"]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip())
    return seconds, json.loads(done.stdout)["counts"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", type=Path)
    parser.add_argument("annotation", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--moviechat", type=Path, default=ROOT / "build/release/bin/moviechat")
    options = parser.parse_args()
    every = question_lines(json.loads(options.annotation.read_text()))
    asked = {"one question": every[:1], f"{len(every)} questions": every}
    seconds: dict[str, list[float]] = {name: [] for name in asked}
    counts: dict[str, dict[str, int]] = {}
    for _ in range(options.runs):
        for name, lines in asked.items():
            took, counts[name] = ask(options.moviechat, options.film, lines)
            seconds[name].append(took)
    medians = {name: statistics.median(took) for name, took in seconds.items()}
    for name, median in medians.items():
        frames = [f"{counts[name][key]} {key}" for key in ("frames_decoded", "frames_encoded")]
        spread = f"{min(seconds[name]):.2f}–{max(seconds[name]):.2f}"
        print(f"{name}: {median:.2f} s ({spread}), {', '.join(frames)}".replace("_", " "))
    one, all_of_them = medians.values()
    print(f"ratio: {all_of_them / one:.2f}")


if __name__ == "__main__":
    main()
