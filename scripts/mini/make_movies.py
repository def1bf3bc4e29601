"""Writes drawn films with questions, in MovieChat-1K's format: DIR/videos/*.mp4,
DIR/annotations/*.json.

python scripts/mini/make_movies.py --count N --seed S --out DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from mini.films import Film, film_frames, film_of_seed
from mini.questions import Question, draw_questions, join, with_article
from mini.video_file import write_video


def describe_scene(film: Film, number: int) -> str:
    """'A red circle on a blue background.'"""
    scene = film.scenes[number]
    things = join([with_article(thing.name) for thing in scene.things])
    words = f"{things} on {with_article(scene.background)} background."
    return words[0].upper() + words[1:]


def annotation(
    film: Film, name: str, whole: list[Question], moments: list[Question]
) -> dict[str, Any]:
    """MovieChat-1K's JSON of one video, with kinds and scenes beside it."""
    scenes = [
        {
            "start": scene.start,
            "end": scene.end,
            "background": scene.background,
            "things": [{"colour": thing.colour, "shape": thing.shape} for thing in scene.things],
        }
        for scene in film.scenes
    ]
    return {
        "info": {
            "video_path": name,
            "fps": film.fps,
            "num_frame": film.frame_count,
            "duration": film.duration,
            "width": film.width,
            "height": film.height,
            "scenes": scenes,
        },
        "caption": " ".join(describe_scene(film, i) for i in range(len(film.scenes))),
        "global": [{"question": q.question, "answer": q.answer, "kind": q.kind} for q in whole],
        "breakpoint": [
            {
                "time": round(q.at * film.fps),
                "question": q.question,
                "answer": q.answer,
                "kind": q.kind,
            }
            for q in moments
        ],
    }


def write_movie(film: Film, name: str, folder: Path, text: dict[str, Any], quality: int) -> None:
    """folder/videos/<name>.mp4 and folder/annotations/<name>.json"""
    videos, annotations = folder / "videos", folder / "annotations"
    videos.mkdir(parents=True, exist_ok=True)
    annotations.mkdir(parents=True, exist_ok=True)
    frames = film_frames(film)
    write_video(videos / f"{name}.mp4", frames, film.width, film.height, film.fps, quality)
    (annotations / f"{name}.json").write_text(json.dumps(text, indent=1) + "\n")


def make_movie(seed: int, index: int, folder: Path, whole: int, moments: int) -> None:
    """Film `index` of the set `seed`, with its questions."""
    film = film_of_seed(seed, index)
    rng = np.random.default_rng([seed, index, 1])
    name = f"film_{seed}_{index:04d}"
    asked = draw_questions(rng, film, whole, moments)
    quality = int(rng.integers(20, 31))
    write_movie(film, name, folder, annotation(film, f"{name}.mp4", *asked), quality)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--global-questions", type=int, default=8)
    parser.add_argument("--breakpoints", type=int, default=10)
    options = parser.parse_args()
    for index in range(options.count):
        make_movie(options.seed, index, options.out, options.global_questions, options.breakpoints)
        print(f"{index + 1}/{options.count}", file=sys.stderr)


if __name__ == "__main__":
    main()
