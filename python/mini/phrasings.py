"""How questions are put: several phrasings a kind. The held-out ones, other combinations of the
same words, are never trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOW = ("now", "right now", "at this moment", "at the moment", "")


@dataclass(frozen=True)
class Phrasings:
    """Templates of one kind; `{now}` is one of NOW, other fields are words of the film."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]


GLOBAL: dict[str, Phrasings] = {
    "cameo": Phrasings(
        (
            "What appears only briefly?",
            "What appears only for a moment?",
            "What is shown only briefly?",
            "What is seen only for a moment?",
            "What can be seen only for a few seconds?",
            "Which figure appears only briefly?",
            "Which figure is shown only for a few seconds?",
        ),
        (
            "What is shown only for a moment?",
            "Which figure is seen only briefly?",
            "What appears only for a few seconds?",
        ),
    ),
    "appears": Phrasings(
        (
            "Does {a_name} appear?",
            "Does {a_name} appear in the film?",
            "Is there {a_name} in the film?",
            "Is {a_name} shown?",
            "Can {a_name} be seen in the film?",
            "Does the film show {a_name}?",
            "Is {a_name} ever seen?",
        ),
        ("Is {a_name} shown in the film?", "Can {a_name} be seen?", "Does {a_name} ever appear?"),
    ),
    "first": Phrasings(
        (
            "What comes first, the {x} or the {y}?",
            "What appears first, the {x} or the {y}?",
            "What is shown first, the {x} or the {y}?",
            "Which comes first, the {x} or the {y}?",
            "Which is seen first, the {x} or the {y}?",
        ),
        ("Which appears first, the {x} or the {y}?", "What is seen first, the {x} or the {y}?"),
    ),
    "after": Phrasings(
        (
            "What comes after the {x}?",
            "What follows the {x}?",
            "What is shown after the {x}?",
            "Which object comes after the {x}?",
            "Which object follows the {x}?",
            "What appears after the {x}?",
        ),
        ("Which object is shown after the {x}?", "Which object appears after the {x}?"),
    ),
    "main_background": Phrasings(
        (
            "What is the main background?",
            "Which background is seen the longest?",
            "Which background colour is shown the longest?",
            "What is the main colour of the background?",
            "What colour is the background most of the time?",
        ),
        ("Which background is shown the longest?", "What is the main background colour?"),
    ),
    "count": Phrasings(
        (
            "How many different objects appear?",
            "How many different objects are there?",
            "How many different objects are shown in the film?",
            "How many different things are seen in the film?",
            "How many different things can be seen?",
        ),
        ("How many different objects are seen in the film?", "How many different things appear?"),
    ),
    "end": Phrasings(
        (
            "What happens at the end?",
            "What happens at the end of the film?",
            "What happens last?",
            "What is the last thing that happens?",
            "What happens in the last scene?",
        ),
        ("What is the last thing that happens in the film?", "What happens last in the film?"),
    ),
    "describe": Phrasings(
        (
            "Describe the film.",
            "What does the film show?",
            "Describe the scenes in order.",
            "Describe what the film shows.",
            "Describe all scenes.",
        ),
        ("Describe all scenes of the film.", "Describe the film in order."),
    ),
}

BREAKPOINT: dict[str, Phrasings] = {
    "things": Phrasings(
        (
            "What is on screen {now}?",
            "What can be seen {now}?",
            "What do you see {now}?",
            "What is shown {now}?",
            "Which objects are on screen {now}?",
        ),
        ("Which objects can be seen {now}?", "Which objects are shown {now}?"),
    ),
    "colour": Phrasings(
        (
            "What colour is the {shape} {now}?",
            "What is the colour of the {shape} {now}?",
            "Which colour does the {shape} have {now}?",
        ),
        ("Which colour is the {shape} {now}?",),
    ),
    "shape": Phrasings(
        (
            "What shape is the {colour} object {now}?",
            "What is the shape of the {colour} object {now}?",
            "Which shape does the {colour} object have {now}?",
        ),
        ("Which shape is the {colour} object {now}?",),
    ),
    "place": Phrasings(
        (
            "Where is the {shape} {now}?",
            "Where on screen is the {shape} {now}?",
            "Where do you see the {shape} {now}?",
        ),
        ("Where on screen do you see the {shape} {now}?",),
    ),
    "direction": Phrasings(
        (
            "Which way does the {shape} move {now}?",
            "Which way is the {shape} moving {now}?",
            "In which direction does the {shape} move {now}?",
        ),
        ("In which direction is the {shape} moving {now}?",),
    ),
    "event": Phrasings(
        (
            "What just happened?",
            "What has just happened?",
            "What happened a moment ago?",
            "What happened just now?",
            "What was it that just happened?",
        ),
        ("What happened just a moment ago?", "What has happened just now?"),
    ),
    "before": Phrasings(
        (
            "What was on screen before this scene?",
            "What was shown before this scene?",
            "Which object was shown before this scene?",
            "What came before this scene?",
            "What was the main object before this scene?",
        ),
        ("Which object was on screen before this scene?", "Which object came before this scene?"),
    ),
    "seen": Phrasings(
        (
            "Has {a_name} been seen so far?",
            "Has {a_name} appeared so far?",
            "Has {a_name} been shown so far?",
            "Was {a_name} seen so far?",
            "Was there {a_name} so far?",
        ),
        ("Was {a_name} shown so far?", "Has there been {a_name} so far?"),
    ),
    "count_now": Phrasings(
        (
            "How many objects are on screen {now}?",
            "How many objects are there {now}?",
            "How many objects can be seen {now}?",
            "How many things are on screen {now}?",
            "How many things do you see {now}?",
        ),
        ("How many things are there {now}?", "How many objects do you see {now}?"),
    ),
    "background": Phrasings(
        (
            "What colour is the background {now}?",
            "Which colour does the background have {now}?",
            "What is the colour of the background {now}?",
            "What is the background colour {now}?",
        ),
        ("Which colour is the background {now}?",),
    ),
}


def pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]


def put(rng: np.random.Generator, kind: str, held_out: bool, **words: str) -> str:
    """A question of a kind, phrased at random."""
    phrasings = GLOBAL.get(kind) or BREAKPOINT[kind]
    template = pick(rng, phrasings.held_out if held_out else phrasings.trained)
    return template.format(now=pick(rng, NOW), **words).replace(" ?", "?")


def loosen(rng: np.random.Generator, text: str) -> str:
    """The question as people type it: sometimes in lower or upper case, without its mark, with
    'video' for 'film' or 'color' for 'colour'.
    """
    if rng.uniform() < 0.25:
        text = text.replace("film", "video")
    if rng.uniform() < 0.15:
        text = text.replace("colour", "color")
    if rng.uniform() < 0.2:
        text = text.rstrip("?.")
    style = rng.uniform()
    if style < 0.15:
        return text.lower()
    if style < 0.2:
        return text.upper()
    return text[0].lower() + text[1:] if style < 0.3 else text
