"""Writes the sample clip and its annotation: models/mini/sample.mp4 and sample.json.

python scripts/mini/make_sample.py [--out models/mini]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mini.films import COLOURS, Film, Scene, Thing, film_frames
from mini.make_movies import annotation
from mini.questions import Question
from mini.video_file import write_video

QUALITY = 26


def thing(colour: str, shape: str, start: tuple[float, float], speed: tuple[float, float]) -> Thing:
    return Thing(shape, colour, COLOURS[colour], 0.44, 0.1, start, speed)


def scene(start: float, end: float, background: str, *things: Thing) -> Scene:
    return Scene(start, end, background, COLOURS[background], 0.06, things)


def sample_film() -> Film:
    """80 seconds, four scenes."""
    scenes = (
        scene(0, 21, "blue", thing("red", "circle", (0.1, 0.3), (0.15, 0.11))),
        scene(21, 42, "yellow", thing("purple", "star", (0.8, 0.2), (-0.12, 0.14))),
        scene(
            42,
            60,
            "green",
            thing("orange", "triangle", (0.1, 0.1), (0.13, 0.07)),
            thing("white", "square", (0.9, 0.9), (-0.11, -0.08)),
        ),
        scene(60, 80, "black", thing("yellow", "circle", (0.5, 0.7), (0.14, -0.12))),
    )
    return Film(320, 240, 25, scenes)


GLOBAL = (
    ("background_start", "What colour is the background at the start?", "Blue."),
    ("things_start", "What moves at the start of the film?", "A red circle."),
    ("shape_start", "What shape is moving at the beginning?", "A circle."),
    ("things_end", "What moves at the end of the film?", "A yellow circle."),
    ("background_end", "What colour is the background at the end?", "Black."),
    ("colour_start", "What colour is the shape at the start?", "Red."),
    ("colour_end", "What colour is the shape at the end?", "Yellow."),
    ("backgrounds", "List the background colours.", "Blue, yellow, green and black."),
    ("backgrounds", "Which colours does the background have?", "Blue, yellow, green and black."),
)
MOMENTS = (
    (10.0, "things_now", "What is on screen now?", "A red circle."),
    (30.0, "things_now", "What is on screen now?", "A purple star."),
    (30.0, "background_now", "What colour is the background?", "Yellow."),
    (35.0, "shape_now", "What shape is moving?", "A star."),
    (50.0, "background_now", "What colour is the background?", "Green."),
    (50.0, "things_now", "What is moving?", "An orange triangle and a white square."),
    (55.0, "colour_now", "What colour is the square?", "White."),
    (70.0, "colour_now", "What colour is the shape?", "Yellow."),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("models/mini"))
    options = parser.parse_args()
    film = sample_film()
    video = options.out / "sample.mp4"
    write_video(video, film_frames(film), film.width, film.height, film.fps, QUALITY)
    whole = [Question(kind, question, answer) for kind, question, answer in GLOBAL]
    moments = [Question(kind, question, answer, at) for at, kind, question, answer in MOMENTS]
    text = annotation(film, video.name, whole, moments)
    (options.out / "sample.json").write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
