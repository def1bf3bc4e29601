"""Questions about drawn films, each with its one exact answer.

Global questions are about the whole film, breakpoint questions about one moment. Lists of things go
by shape, in the order of `SHAPES`; a scene is named by its main thing and its background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mini.films import (
    AFTER_EVENT,
    CAMEO_SHAPES,
    COLOURS,
    DIRECTIONS,
    GLIDE,
    SHAPES,
    Event,
    Film,
    Scene,
)
from mini.phrasings import BREAKPOINT, GLOBAL, put

NUMBERS = ("Zero", "One", "Two", "Three", "Four", "Five")
MOST_OBJECTS = 5
LONGER = 1.3  # the main background is seen this many times longer than any other
WAYS = {"left": "To the left.", "right": "To the right.", "up": "Up.", "down": "Down."}
WAYS |= {"still": "It does not move."}
CLEAR_OF_CUT = 0.75  # seconds
CLEAR_OF_EVENT = 0.4
TRIES = 400


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


def named(names: list[str]) -> str:
    """['red circle', 'blue star'] → 'A red circle and a blue star.'"""
    return sentence(join([with_article(name) for name in names]))


def describe(film: Film) -> str:
    """Every scene's main thing and background, in order."""
    parts = [
        f"{with_article(scene.main.name)} on {with_article(scene.background)} background"
        for scene in film.scenes
    ]
    return sentence(", then ".join(parts))


def event_sentence(scene: Scene, event: Event) -> str:
    """'The red circle turned blue.'"""
    name = scene.things[event.thing].name
    if event.kind == "enter":
        return sentence(f"{with_article(name)} came in")
    if event.kind == "meet":
        other = scene.things[event.other].name
        pair = sorted([name, other], key=lambda who: SHAPES.index(who.split()[1]))
        return f"The {pair[0]} met the {pair[1]}."
    if event.kind == "colour":
        return f"The {name} turned {event.colour}."
    return f"The {name} {'left' if event.kind == 'leave' else 'grew'}."


def seen_names(film: Film, until: float) -> list[str]:
    """All that was on screen up to a time, cameos included, in the order of first sight."""
    firsts: dict[str, float] = {}
    for scene in film.scenes:
        for at in (scene.start, scene.event.at + GLIDE if scene.event else scene.start):
            if at <= until:
                for name in scene.names_at(at):
                    firsts.setdefault(name, at)
    for cameo in film.cameos:
        if cameo.start <= until:
            firsts.setdefault(cameo.name, cameo.start)
    return sorted(firsts, key=lambda name: firsts[name])


def like(rng: np.random.Generator, name: str, taken: list[str]) -> str:
    """Another name, not among `taken`, that mostly shares its colour or its shape."""
    colour, shape = name.split()
    shapes = CAMEO_SHAPES if shape in CAMEO_SHAPES else SHAPES
    while name in taken:
        change = rng.uniform()
        new_colour = str(rng.choice(list(COLOURS))) if change < 0.75 else colour
        name = f"{new_colour} {rng.choice(shapes) if change > 0.4 else shape}"
    return name


Asked = tuple[dict[str, str], str] | None  # the phrasing's words and the answer


def yes_or_no(rng: np.random.Generator, film: Film, until: float) -> Asked:
    """Was something seen up to a time? As many yes as no, cameos in half of the cases."""
    seen = seen_names(film, until)
    cameos = [name for name in seen if name.split()[1] in CAMEO_SHAPES]
    things = [name for name in seen if name not in cameos]
    pool = cameos if rng.uniform() < 0.5 else things
    if rng.uniform() < 0.5:
        if not pool:
            return None
        return {"a_name": with_article(str(rng.choice(pool)))}, "Yes."
    made_up = f"{rng.choice(list(COLOURS))} {rng.choice(CAMEO_SHAPES)}"
    name = str(rng.choice(pool)) if pool else made_up
    return {"a_name": with_article(like(rng, name, [*seen, name]))}, "No."


def ask_cameo(rng: np.random.Generator, film: Film) -> Asked:
    return {}, named([cameo.name for cameo in film.cameos])


def ask_appears(rng: np.random.Generator, film: Film) -> Asked:
    return yes_or_no(rng, film, film.duration)


def ask_first(rng: np.random.Generator, film: Film) -> Asked:
    """Of two main things that are first seen in different scenes, also as others' company."""
    seen: dict[str, int] = {}
    main: dict[str, int] = {}
    for number, scene in enumerate(film.scenes):
        main.setdefault(scene.main.name, number)
        for name in scene.names():
            seen.setdefault(name, number)
    pairs = [(x, y) for x in main for y in main if seen[x] < seen[y] and main[x] < main[y]]
    if not pairs:
        return None
    pair = list(pairs[rng.integers(len(pairs))])
    answer = f"The {pair[0]}."
    x, y = pair if rng.uniform() < 0.5 else pair[::-1]
    return {"x": x, "y": y}, answer


def ask_after(rng: np.random.Generator, film: Film) -> Asked:
    """The next scene's main thing, where X is the main thing of one scene only."""
    mains = [scene.main.name for scene in film.scenes]
    fit = [
        i for i in range(len(mains) - 1) if mains.count(mains[i]) == 1 and mains[i + 1] != mains[i]
    ]
    if not fit:
        return None
    number = int(rng.choice(fit))
    return {"x": mains[number]}, named([mains[number + 1]])


def ask_main_background(rng: np.random.Generator, film: Film) -> Asked:
    length: dict[str, float] = {}
    for scene in film.scenes:
        length[scene.background] = length.get(scene.background, 0.0) + scene.end - scene.start
    ranked = sorted(length.items(), key=lambda item: -item[1])
    if len(ranked) > 1 and ranked[0][1] < LONGER * ranked[1][1]:
        return None
    return {}, sentence(ranked[0][0])


def ask_count(rng: np.random.Generator, film: Film) -> Asked:
    count = len(seen_names(film, film.duration))
    return None if count > MOST_OBJECTS else ({}, f"{NUMBERS[count]}.")


def ask_end(rng: np.random.Generator, film: Film) -> Asked:
    last = film.scenes[-1]
    return ({}, event_sentence(last, last.event)) if last.event else None


def ask_describe(rng: np.random.Generator, film: Film) -> Asked:
    return {}, describe(film)


WHOLE: dict[str, Callable[[np.random.Generator, Film], Asked]] = {
    "cameo": ask_cameo,
    "appears": ask_appears,
    "first": ask_first,
    "after": ask_after,
    "main_background": ask_main_background,
    "count": ask_count,
    "end": ask_end,
    "describe": ask_describe,
}
assert list(WHOLE) == list(GLOBAL)


def is_calm(film: Film, at: float) -> bool:
    """Nothing is changing at this moment, and it is no cameo."""
    scene = film.scene_at(at)
    if min(at - scene.start, scene.end - at) < CLEAR_OF_CUT:
        return False
    event = scene.event
    if event and event.at - CLEAR_OF_EVENT < at < event.at + GLIDE + CLEAR_OF_EVENT:
        return False
    return all(
        at < cameo.start - CLEAR_OF_EVENT or at > cameo.end + CLEAR_OF_EVENT
        for cameo in film.cameos
    )


def ask_moment(rng: np.random.Generator, film: Film, kind: str, at: float) -> Asked:
    """A calm moment's question; None if it has no exact answer."""
    scene = film.scene_at(at)
    shown = scene.shown_at(at)
    shape, colour, _ = shown[rng.integers(len(shown))]
    if kind == "things":
        return {}, named(scene.names_at(at))
    if kind == "background":
        return {}, sentence(scene.background)
    if kind == "colour":
        return {"shape": shape}, sentence(colour)
    if kind == "shape":
        return {"colour": colour}, sentence(with_article(shape))
    if kind == "count_now":
        return {}, f"{NUMBERS[len(shown)]}."
    if kind == "seen":
        return yes_or_no(rng, film, at)
    if kind == "before":
        number = film.scene_number(at)
        return ({}, named([film.scenes[number - 1].main.name])) if number else None
    if kind == "event":
        event = scene.event
        if not event or not event.at + GLIDE <= at < event.at + AFTER_EVENT:
            return None
        return {}, event_sentence(scene, event)
    return ask_motion(film, kind, at, shape)


def ask_motion(film: Film, kind: str, at: float, shape: str) -> Asked:
    """Where a shape is or moves, if that is clear."""
    slot = SHAPES.index(shape)
    around = np.array([at - 0.3, at, at + 0.3])
    look = film.look(around, film.numbers_at(around))
    if kind == "place":
        x = look.x[1, slot]
        for words, low, high in (
            ("On the left.", 0.0, 0.36),
            ("In the middle.", 0.43, 0.57),
            ("On the right.", 0.64, 1.0),
        ):
            if low <= x <= high:
                return {"shape": shape}, words
        return None
    ways = look.direction[:, slot]
    if ways[0] != ways[1] or ways[2] != ways[1]:
        return None
    return {"shape": shape}, WAYS[DIRECTIONS[ways[1]]]


GLOBAL_KINDS = tuple(GLOBAL)
BREAKPOINT_KINDS = tuple(BREAKPOINT)


def ask_global(
    rng: np.random.Generator, film: Film, kind: str, held_out: bool = False
) -> Question | None:
    """A question of a kind about the whole film; None if the film has no exact answer."""
    asked = WHOLE[kind](rng, film)
    return Question(kind, put(rng, kind, held_out, **asked[0]), asked[1]) if asked else None


def ask_now(
    rng: np.random.Generator, film: Film, kind: str, at: float, held_out: bool = False
) -> Question | None:
    """A question of a kind about a calm moment; None if it has no exact answer."""
    asked = ask_moment(rng, film, kind, at)
    return Question(kind, put(rng, kind, held_out, **asked[0]), asked[1], at) if asked else None


def draw_moment(rng: np.random.Generator, film: Film, after_event: bool) -> float | None:
    """A calm moment; `after_event`: in the seconds after one, None if there is no event."""
    events = [scene.event for scene in film.scenes if scene.event]
    if after_event and not events:
        return None
    for _ in range(TRIES):
        at = float(rng.uniform(0.0, film.duration))
        if after_event:
            at = events[rng.integers(len(events))].at + float(rng.uniform(GLIDE, AFTER_EVENT))
        if is_calm(film, at):
            return at
    return None


def draw_questions(
    rng: np.random.Generator, film: Film, whole: int, moments: int, held_out: bool = False
) -> tuple[list[Question], list[Question]]:
    """Global and breakpoint questions about a film, kinds in turn, moments on frames. Fewer than
    `whole` where the film has no more that are exact: each kind is tried twice.
    """
    globals_: list[Question] = []
    kinds = [str(kind) for kind in rng.permutation(GLOBAL_KINDS)] * 2
    while kinds and len(globals_) < whole:
        asked = ask_global(rng, film, kinds.pop(0), held_out)
        globals_ += [asked] if asked else []
    breakpoints: list[Question] = []
    kinds = [str(kind) for kind in rng.permutation(BREAKPOINT_KINDS)]
    while len(breakpoints) < moments:
        kind = kinds.pop(0)
        kinds.append(kind)
        for _ in range(20):
            at = draw_moment(rng, film, kind == "event")
            if at is None:
                break
            frame = round(at * film.fps)
            if frame >= film.frame_count or not is_calm(film, frame / film.fps):
                continue
            asked = ask_now(rng, film, kind, frame / film.fps, held_out)
            if asked:
                breakpoints.append(asked)
                break
    return globals_, sorted(breakpoints, key=lambda question: question.at)
