"""Writes the sample clip and its annotation: models/mini/sample.mp4 and sample.json.

python scripts/mini/make_sample.py [--out models/mini]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mini.films import Cameo, Event, Film, Scene, Thing
from mini.make_movies import annotation
from mini.painting import film_frames
from mini.questions import Question, describe
from mini.video_file import CODECS, write_video

QUALITY = 26


def main_thing(colour: str, shape: str, axis: int, other: float, speed: float) -> Thing:
    return Thing(shape, colour, 0.42, axis, 0.25, 0.75, other, speed, 0.1, 0.1)


def extra(colour: str, shape: str, axis: int, other: float, speed: float) -> Thing:
    return Thing(shape, colour, 0.28, axis, 0.2, 0.8, other, speed, 0.9, -0.1)


def sample_film() -> Film:
    """96 seconds, four scenes, a heart that is seen for two seconds."""
    circle = main_thing("red", "circle", 0, 0.3, 0.12)
    star = main_thing("purple", "star", 1, 0.3, 0.1)
    triangle = main_thing("orange", "triangle", 0, 0.27, 0.15)
    square = extra("white", "square", 0, 0.75, 0.1)
    small_star = extra("green", "star", 0, 0.78, 0.12)
    scenes = (
        Scene(0, 24, "blue", "plain", (circle,), Event("grow", 12.0, 0), seed=1),
        Scene(24, 48, "yellow", "dots", (star,), seed=2, dissolve=True),
        Scene(48, 72, "green", "stripes", (triangle, square), Event("enter", 58.0, 1), seed=3),
        Scene(72, 96, "black", "plain", (circle, small_star), Event("leave", 86.0, 1), seed=4),
    )
    return Film(192, 144, 25, scenes, (Cameo("heart", "red", 36.0, 38.0, 0.78),))


GLOBAL = (
    ("cameo", "What appears only briefly?", "A red heart."),
    ("appears", "Is a red heart shown?", "Yes."),
    ("appears", "Does a blue heart appear?", "No."),
    ("first", "What comes first, the purple star or the orange triangle?", "The purple star."),
    ("after", "What comes after the purple star?", "An orange triangle."),
    ("end", "What happens at the end?", "The green star left."),
)
MOMENTS = (
    (10.0, "things", "What is on screen now?", "A red circle."),
    (15.0, "event", "What just happened?", "The red circle grew."),
    (30.0, "things", "What is on screen now?", "A purple star."),
    (30.0, "seen", "Has a red heart been seen so far?", "No."),
    (45.0, "seen", "Has a red heart been seen so far?", "Yes."),
    (55.0, "background", "What colour is the background?", "Green."),
    (60.0, "event", "What just happened?", "A white square came in."),
    (65.0, "things", "What is on screen now?", "A white square and an orange triangle."),
    (65.0, "colour", "What colour is the square?", "White."),
    (80.0, "before", "What was on screen before this scene?", "An orange triangle."),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("models/mini"))
    options = parser.parse_args()
    film = sample_film()
    video = options.out / "sample.mp4"
    size = (film.width, film.height)
    write_video(video, film_frames(film), size, film.fps, CODECS["h264"], QUALITY)
    whole = [Question(kind, question, answer) for kind, question, answer in GLOBAL]
    whole.append(Question("describe", "Describe the film.", describe(film)))
    moments = [Question(kind, question, answer, at) for at, kind, question, answer in MOMENTS]
    text = annotation(film, video.name, whole, moments)
    (options.out / "sample.json").write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
