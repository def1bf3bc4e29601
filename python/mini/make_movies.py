"""Makes MiniMovies: drawn films with questions, in MovieChat-1K's format. DIR/videos holds the
films, DIR/annotations a JSON each. The same arguments give the same bytes.

python scripts/mini/make_movies.py --count N --seed S --split train|test [--minutes M] --out DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mini import arguments
from mini.films import Film, Scene
from mini.painting import film_frames
from mini.questions import Question, describe, draw_questions
from mini.random_films import SPLITS, film_of_seed
from mini.video_file import CODECS, MPEG2_RATES, OTHERS, VideoError, write_video
from mini.whole_file import whole_file

GLOBAL_QUESTIONS, BREAKPOINTS = 3, 10  # of a film, as in MovieChat-1K
USUAL_CODEC = 0.7  # share of plain H.264 in mp4


def scene_record(scene: Scene) -> dict[str, Any]:
    """Description of a scene, for uses beyond the questions."""
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


@dataclass(frozen=True)
class Movie:
    """A film and its questions, about the whole and about moments, and how it is to be encoded."""

    film: Film
    name: str
    asked: tuple[list[Question], list[Question]]
    codec: str
    quality: int

    @property
    def video(self) -> str:
        """The video's name."""
        return f"{self.name}.{CODECS[self.codec].ending}"

    @property
    def annotation(self) -> dict[str, Any]:
        return annotation(self.film, self.video, *self.asked)

    def annotation_in(self, folder: Path) -> Path:
        """Path of the annotation that write() makes."""
        return folder / "annotations" / f"{self.name}.json"

    def write(self, folder: Path) -> Path:
        """folder/videos/<name>.*, then folder/annotations/<name>.json → the video's path"""
        video, note = folder / "videos" / self.video, self.annotation_in(folder)
        video.parent.mkdir(parents=True, exist_ok=True)
        note.parent.mkdir(parents=True, exist_ok=True)
        film, codec = self.film, CODECS[self.codec]
        size = (film.width, film.height)
        write_video(video, film_frames(film), size, film.fps, codec, self.quality)
        with whole_file(note) as part:
            part.write_text(json.dumps(self.annotation, indent=1) + "\n")
        return video


def draw_movie(
    seed: int,
    index: int,
    split: str = "test",
    minutes: float | None = None,
    held_out: bool = False,
) -> Movie:
    """Film `index` of the set `seed`, with its questions."""
    film = film_of_seed(seed, index, split, minutes)
    rng = np.random.default_rng([seed, index, SPLITS[split], 1])
    codec = "h264" if rng.uniform() < USUAL_CODEC else str(rng.choice(OTHERS))
    if codec == "mpeg2" and film.fps not in MPEG2_RATES:
        codec = "mpeg4"
    quality = int(rng.integers(*CODECS[codec].quality))
    asked = draw_questions(rng, film, GLOBAL_QUESTIONS, BREAKPOINTS, held_out)
    return Movie(film, f"{split}_{seed}_{index:04d}", asked, codec, quality)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=arguments.count, required=True)
    parser.add_argument("--seed", type=arguments.seed, required=True)
    parser.add_argument("--split", choices=list(SPLITS), required=True)
    parser.add_argument("--minutes", type=arguments.minutes, help="of all films; without: 1 to 15")
    parser.add_argument("--held-out", action="store_true", help="phrasings that are never trained")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    for index in range(options.count):
        movie = draw_movie(options.seed, index, options.split, options.minutes, options.held_out)
        try:
            movie.write(options.out)
        except (OSError, VideoError) as error:
            raise SystemExit(f"make_movies.py: {error}") from None
        print(f"{index + 1}/{options.count} {movie.video}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
