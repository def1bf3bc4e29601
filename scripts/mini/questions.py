"""Questions about drawn films, in several phrasings, each with its one exact answer.

Global questions are about the whole film, breakpoint questions about one moment. Answers have one
canonical form:
"Blue.", "A circle.", "A red circle and a blue square." (colours in the order of `COLOURS`), "Yes.",
"No.".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mini.films import COLOURS, SHAPES, Film, Scene

START = ("at the start", "at the beginning", "in the beginning", "at the start of the film")
START += ("at the beginning of the film", "in the first scene", "when the film starts", "at first")
END = ("at the end", "at the end of the film", "in the last scene", "when the film ends")
END += ("in the end", "at the end of the video")
NOW = ("now", "right now", "at this moment", "at the moment", "in this scene", "")

BACKGROUND = (
    "What colour is the background {when}?",
    "What is the colour of the background {when}?",
    "Which colour does the background have {when}?",
    "What background colour is there {when}?",
    "What color is the background {when}?",
)
SHAPE = (
    "What shape is moving {when}?",
    "Which shape moves {when}?",
    "What shape is on screen {when}?",
    "What kind of shape is there {when}?",
    "Which shape do you see {when}?",
)
COLOUR = (
    "What colour is the shape {when}?",
    "What is the colour of the shape {when}?",
    "Which colour does the moving shape have {when}?",
    "What colour is the object {when}?",
    "What color is the shape {when}?",
)
COLOUR_OF = (
    "What colour is the {shape} {when}?",
    "What is the colour of the {shape} {when}?",
    "Which colour does the {shape} have {when}?",
    "What color is the {shape} {when}?",
)
THINGS = (
    "What moves {when}?",
    "What is moving {when}?",
    "What is on screen {when}?",
    "What do you see {when}?",
    "What can be seen {when}?",
    "What object is there {when}?",
    "What is shown {when}?",
)
APPEARS = (
    "Does {a_thing} appear?",
    "Does {a_thing} appear in the film?",
    "Is there {a_thing} in the film?",
    "Is {a_thing} shown?",
    "Can {a_thing} be seen in the film?",
    "Does the film show {a_thing}?",
)
BACKGROUND_APPEARS = (
    "Is the background ever {colour}?",
    "Does the film have a {colour} background?",
    "Is there a {colour} background in the film?",
    "Does a {colour} background appear?",
    "Is the background {colour} at some point?",
)
BACKGROUNDS = (
    "Which colours does the background have?",
    "Which background colours appear in the film?",
    "What colours does the background have in the film?",
    "List the background colours.",
    "Name the colours of the background in the whole film.",
)


@dataclass(frozen=True)
class Question:
    """A question, its answer, its kind, and for a breakpoint the time in seconds."""

    kind: str
    question: str
    answer: str
    at: float | None = None


def with_article(name: str) -> str:
    """'red circle' → 'a red circle', 'orange star' → 'an orange star'"""
    return ("an " if name[0] in "aeiou" else "a ") + name


def sentence(words: str) -> str:
    """First letter upper-case, full stop at the end."""
    return words[0].upper() + words[1:] + "."


def join(words: list[str]) -> str:
    """['a', 'b', 'c'] → 'a, b and c'"""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]


def phrase(
    rng: np.random.Generator, templates: tuple[str, ...], when: tuple[str, ...], **words: str
) -> str:
    """A random phrasing; the time words may also come first ('At the end, what moves?')."""
    moment = pick(rng, when)
    template = pick(rng, templates)
    if moment and rng.uniform() < 0.15:
        text = template.format(when="", **words)
        text = moment[0].upper() + moment[1:] + ", " + text[0].lower() + text[1:]
    else:
        text = template.format(when=moment, **words)
    return text.replace(" ?", "?")


Maker = Callable[[np.random.Generator, Scene, tuple[str, ...]], tuple[str, str] | None]


def ask_background(rng: np.random.Generator, scene: Scene, when: tuple[str, ...]):
    return phrase(rng, BACKGROUND, when), sentence(scene.background)


def ask_shape(rng: np.random.Generator, scene: Scene, when: tuple[str, ...]):
    if len(scene.things) != 1:
        return None
    return phrase(rng, SHAPE, when), sentence(with_article(scene.things[0].shape))


def ask_colour(rng: np.random.Generator, scene: Scene, when: tuple[str, ...]):
    if len(scene.things) == 1 and rng.uniform() < 0.7:
        return phrase(rng, COLOUR, when), sentence(scene.things[0].colour)
    thing = scene.things[rng.integers(len(scene.things))]
    return phrase(rng, COLOUR_OF, when, shape=thing.shape), sentence(thing.colour)


def ask_things(rng: np.random.Generator, scene: Scene, when: tuple[str, ...]):
    names = [with_article(thing.name) for thing in scene.things]
    return phrase(rng, THINGS, when), sentence(join(names))


ASPECTS: dict[str, Maker] = {
    "background": ask_background,
    "shape": ask_shape,
    "colour": ask_colour,
    "things": ask_things,
}


def ask_appears(rng: np.random.Generator, film: Film) -> tuple[str, str]:
    """Does a thing appear? 'No' in half of the cases, then mostly one that shares its shape or
    colour.
    """
    shown = sorted({thing.name for scene in film.scenes for thing in scene.things})
    name = shown[rng.integers(len(shown))]
    answer = "Yes."
    if rng.uniform() < 0.5:
        answer = "No."
        colour, shape = name.split()
        while name in shown:
            change = rng.uniform()
            other_colour = str(rng.choice(list(COLOURS))) if change < 0.75 else colour
            name = f"{other_colour} {str(rng.choice(SHAPES)) if change > 0.4 else shape}"
    return pick(rng, APPEARS).format(a_thing=with_article(name)), answer


def ask_background_appears(rng: np.random.Generator, film: Film) -> tuple[str, str]:
    """Is the background ever of a colour? 'No' in half of the cases."""
    shown = sorted({scene.background for scene in film.scenes})
    missing = sorted(set(COLOURS) - set(shown))
    yes = rng.uniform() < 0.5
    colour = pick(rng, tuple(shown if yes else missing))
    text = pick(rng, BACKGROUND_APPEARS).format(colour=colour)
    return text.replace("a orange", "an orange"), "Yes." if yes else "No."


def ask_backgrounds(rng: np.random.Generator, film: Film) -> tuple[str, str]:
    """All background colours in the order in which they first appear."""
    colours = list(dict.fromkeys(scene.background for scene in film.scenes))
    return pick(rng, BACKGROUNDS), sentence(join(colours))


WHOLE_FILM = {
    "appears": ask_appears,
    "background_appears": ask_background_appears,
    "backgrounds": ask_backgrounds,
}
GLOBAL_KINDS = tuple(
    [f"{aspect}_{when}" for when in ("start", "end") for aspect in ASPECTS] + list(WHOLE_FILM)
)
BREAKPOINT_KINDS = tuple(f"{aspect}_now" for aspect in ASPECTS)


def ask_global(rng: np.random.Generator, film: Film, kind: str) -> Question | None:
    """A question of a kind about the whole film; None if the film has no exact answer."""
    if kind in WHOLE_FILM:
        return Question(kind, *WHOLE_FILM[kind](rng, film))
    aspect, when = kind.rsplit("_", 1)
    scene = film.scenes[0] if when == "start" else film.scenes[-1]
    asked = ASPECTS[aspect](rng, scene, START if when == "start" else END)
    return None if asked is None else Question(kind, *asked)


def ask_now(rng: np.random.Generator, scene: Scene, kind: str, at: float) -> Question | None:
    """A question of a kind about the scene on screen at a time; None if it has no exact answer."""
    asked = ASPECTS[kind.rsplit("_", 1)[0]](rng, scene, NOW)
    return None if asked is None else Question(kind, *asked, at)


def draw_questions(
    rng: np.random.Generator, film: Film, whole: int, moments: int
) -> tuple[list[Question], list[Question]]:
    """Global and breakpoint questions about a film, kinds in turn, moments at least a second after
    a cut.
    """
    globals_: list[Question] = []
    kinds = [str(kind) for kind in rng.permutation(GLOBAL_KINDS)]
    while len(globals_) < whole:
        asked = ask_global(rng, film, kinds[0])
        kinds = kinds[1:] + kinds[:1]
        globals_ += [asked] if asked else []
    breakpoints: list[Question] = []
    turn = 0
    while len(breakpoints) < moments:
        turn += 1
        frame = int(rng.integers(film.fps, film.frame_count))
        scene = film.scene_at(frame / film.fps)
        if frame / film.fps - scene.start < 1.0:
            continue
        kind = BREAKPOINT_KINDS[turn % len(BREAKPOINT_KINDS)]
        asked = ask_now(rng, scene, kind, frame / film.fps)
        breakpoints += [asked] if asked else []
    return globals_, sorted(breakpoints, key=lambda question: question.at)


def loosen(rng: np.random.Generator, text: str) -> str:
    """The question as people type it: sometimes lower or upper case, without its mark, or with
    'video' for 'film'.
    """
    if rng.uniform() < 0.3:
        text = text.replace("film", "video")
    if rng.uniform() < 0.25:
        text = text.rstrip("?.")
    style = rng.uniform()
    if style < 0.2:
        return text.lower()
    if style < 0.28:
        return text.upper()
    return text[0].lower() + text[1:] if style < 0.4 else text
