"""Makes MiniMovies: drawn films with questions, in MovieChat-1K's format. DIR/videos holds the
films, DIR/annotations a JSON each. The same arguments give the same bytes.

python scripts/mini/make_movies.py --count N --seed S --split train|test [--minutes M] --out DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from mini.films import Film, Scene
from mini.painting import film_frames
from mini.questions import Question, describe, draw_questions
from mini.random_films import SPLITS, film_of_seed
from mini.video_file import CODECS, MPEG2_RATES, OTHERS, write_video

GLOBAL_QUESTIONS, BREAKPOINTS = 3, 10  # of a film, as in MovieChat-1K
USUAL_CODEC = 0.7  # share of plain H.264 in mp4


def scene_record(scene: Scene) -> dict[str, Any]:
    """What a scene shows, for those who want more than the questions."""
    event = scene.event
    return {
        "start": scene.start,
        "end": scene.end,
        "background": scene.background,
        "texture": scene.texture,
        "things": [thing.name for thing in scene.things],
        "event": {"kind": event.kind, "at": event.at} if event else None,
    }


def annotation(
    film: Film, name: str, whole: list[Question], moments: list[Question]
) -> dict[str, Any]:
    """MovieChat-1K's JSON of one video; kinds, scenes and cameos beside it."""
    return {
        "info": {
            "video_path": name,
            "fps": film.fps,
            "num_frame": film.frame_count,
            "duration": film.duration,
            "width": film.width,
            "height": film.height,
            "scenes": [scene_record(scene) for scene in film.scenes],
            "cameos": [{"name": c.name, "start": c.start, "end": c.end} for c in film.cameos],
        },
        "caption": describe(film),
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


def write_movie(
    film: Film, name: str, folder: Path, asked: tuple[list, list], codec: str, quality: int
) -> Path:
    """folder/videos/<name>.* and folder/annotations/<name>.json → the video's path"""
    videos, annotations = folder / "videos", folder / "annotations"
    videos.mkdir(parents=True, exist_ok=True)
    annotations.mkdir(parents=True, exist_ok=True)
    video = videos / f"{name}.{CODECS[codec].ending}"
    size = (film.width, film.height)
    write_video(video, film_frames(film), size, film.fps, CODECS[codec], quality)
    text = json.dumps(annotation(film, video.name, *asked), indent=1)
    (annotations / f"{name}.json").write_text(text + "\n")
    return video


def make_movie(
    seed: int,
    index: int,
    folder: Path,
    split: str = "test",
    minutes: float | None = None,
    held_out: bool = False,
) -> Path:
    """Film `index` of the set `seed`, with its questions → the video's path"""
    film = film_of_seed(seed, index, split, minutes)
    rng = np.random.default_rng([seed, index, SPLITS[split], 1])
    codec = "h264" if rng.uniform() < USUAL_CODEC else str(rng.choice(OTHERS))
    if codec == "mpeg2" and film.fps not in MPEG2_RATES:
        codec = "mpeg4"
    quality = int(rng.integers(*CODECS[codec].quality))
    asked = draw_questions(rng, film, GLOBAL_QUESTIONS, BREAKPOINTS, held_out)
    return write_movie(film, f"{split}_{seed}_{index:04d}", folder, asked, codec, quality)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=list(SPLITS), required=True)
    parser.add_argument("--minutes", type=float, help="of every film; without: 1 to 15")
    parser.add_argument("--held-out", action="store_true", help="phrasings that are never trained")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.minutes is not None and not 0.4 <= options.minutes <= 600:
        parser.error(f"--minutes must lie between 0.4 and 600, got {options.minutes}")
    for index in range(options.count):
        video = make_movie(
            options.seed, index, options.out, options.split, options.minutes, options.held_out
        )
        print(f"{index + 1}/{options.count} {video.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
