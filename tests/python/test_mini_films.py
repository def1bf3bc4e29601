"""MiniMovies: the same seed gives the same bytes, and annotations say what the pictures show."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mini import make_movies
from mini.films import CAMEO_SHAPES, COLOURS, SHAPES, Film
from mini.make_movies import Movie, draw_movie
from mini.painting import FilmPainter, film_frames
from mini.phrasings import BREAKPOINT, GLOBAL
from mini.questions import draw_questions
from mini.random_films import film_of_seed
from mini.video_file import CODECS

MINUTES = 0.5


def nearest_colour(rgb: np.ndarray) -> str:
    return min(COLOURS, key=lambda name: np.abs(np.array(COLOURS[name]) - rgb).sum())


def probed(video: Path) -> dict[str, Any]:
    """Frames counted by decoding, codec and rate, as ffprobe sees them."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_streams"]
    done = subprocess.run([*command, "-of", "json", video], capture_output=True, check=True)
    return json.loads(done.stdout)["streams"][0]


@pytest.mark.parametrize("codec", CODECS)
def test_the_same_film_is_the_same_file_in_every_codec(tmp_path: Path, codec: str) -> None:
    film = film_of_seed(3, 0, "test", MINUTES)
    movie = Movie(film, "film", ([], []), codec, CODECS[codec].quality[0])
    files = [movie.write(tmp_path / str(copy)) for copy in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()
    stream = probed(files[0])
    assert int(stream["nb_read_frames"]) == film.frame_count
    assert (stream["width"], stream["height"]) == (film.width, film.height)


def test_annotations_have_the_fields_of_moviechat_1k(tmp_path: Path) -> None:
    video = draw_movie(5, 1, "test", MINUTES).write(tmp_path)
    note = json.loads((tmp_path / "annotations" / f"{video.stem}.json").read_text())
    assert note["info"]["video_path"] == video.name
    assert note["info"]["num_frame"] == int(probed(video)["nb_read_frames"])
    assert len(note["global"]) == 3
    assert len(note["breakpoint"]) == 10
    assert all(item["question"] and item["answer"] for item in note["global"])
    assert all(0 <= item["time"] < note["info"]["num_frame"] for item in note["breakpoint"])
    assert note["caption"].endswith("background.")


def test_at_least_half_of_the_test_films_have_more_than_10000_frames() -> None:
    for seed in (1000, 2000, 3000):
        films = [film_of_seed(seed, index, "test") for index in range(40)]
        assert sum(film.frame_count > 10_000 for film in films) >= 20
        assert all(60.0 <= film.duration <= 900.0 for film in films)


def test_pictures_show_the_backgrounds_that_the_caption_names() -> None:
    for index in range(6):
        film = film_of_seed(7, index, "train", 1.0)
        for scene in film.scenes:
            picture = next(FilmPainter(film).frames(np.array([scene.start + 1.0])))
            corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
            seen = [nearest_colour(corner) for corner in corners]
            assert scene.background in seen


def test_a_cameo_is_on_screen_between_its_times_and_never_else() -> None:
    film = film_of_seed(11, 2, "train", 1.0)
    names = list(COLOURS)
    without = film_frames(replace(film, cameos=()))
    for number, (picture, plain) in enumerate(zip(film_frames(film), without, strict=True)):
        seconds = number / film.fps
        cameo = next((c for c in film.cameos if c.start <= seconds < c.end), None)
        assert (cameo is None) == np.array_equal(picture, plain)
        if cameo is None:
            continue
        middle = picture[film.height // 2, film.width // 2]
        assert 1.0 <= cameo.end - cameo.start <= 3.0
        if cameo.shape != "moon":  # its middle may be hollow
            assert names.index(nearest_colour(middle)) == names.index(cameo.colour)
    look = film.look(
        np.arange(0, film.duration, 0.1), film.numbers_at(np.arange(0, film.duration, 0.1))
    )
    shown = (look.cameo >= 0).sum() * 0.1
    assert shown == pytest.approx(sum(c.end - c.start for c in film.cameos), abs=0.3)


def films_with_questions(count: int) -> list[tuple[Film, list, list]]:
    result = []
    for index in range(count):
        film = film_of_seed(21, index, "test")
        result.append((film, *draw_questions(np.random.default_rng(index), film, 3, 10)))
    return result


def test_answers_about_moments_follow_from_the_pictures_of_these_moments() -> None:
    """The colour asked for is where the shape is; as many things as are counted can be seen."""
    looked = 0
    for film, _, moments in films_with_questions(25):
        for question in moments:
            words = question.question.rstrip("?").lower().split()
            if question.kind != "colour":
                continue
            slot = next(SHAPES.index(word) for word in words if word in SHAPES)
            at = np.array([question.at])
            look = film.look(at, film.numbers_at(at))
            picture = next(FilmPainter(film).frames(at))
            x, y = look.x[0, slot] * film.width, look.y[0, slot] * film.height
            middle = picture[min(int(y), film.height - 1), min(int(x), film.width - 1)]
            assert nearest_colour(middle) == question.answer.rstrip(".").lower()
            looked += 1
    assert looked >= 10


def test_all_kinds_are_asked_about_and_yes_and_no_are_balanced() -> None:
    asked = [q for _, whole, moments in films_with_questions(120) for q in whole + moments]
    assert {question.kind for question in asked} == set(GLOBAL) | set(BREAKPOINT)
    answers = [q.answer for q in asked if q.kind in ("appears", "seen")]
    assert set(answers) == {"Yes.", "No."}
    assert 0.35 < answers.count("No.") / len(answers) < 0.65


def test_no_about_what_is_never_shown_is_true_of_the_pictures() -> None:
    for film, whole, _ in films_with_questions(60):
        shown = {cameo.name for cameo in film.cameos}
        for scene in film.scenes:
            shown |= set(scene.names())
        for question in whole:
            if question.kind == "appears":
                named = [name for name in all_names() if name in question.question]
                assert (question.answer == "Yes.") == (named[0] in shown)


def all_names() -> list[str]:
    return [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES + CAMEO_SHAPES]


def test_held_out_phrasings_are_new_sentences_of_known_words() -> None:
    trained = {text for kind in (GLOBAL | BREAKPOINT).values() for text in kind.trained}
    known = {word for text in trained for word in text.rstrip("?.").replace(",", "").split()}
    for kind, phrasings in (GLOBAL | BREAKPOINT).items():
        assert phrasings.held_out, kind
        for text in phrasings.held_out:
            assert text not in trained
            assert set(text.rstrip("?.").replace(",", "").split()) <= known, text


def test_as_many_questions_as_a_film_has_and_no_more() -> None:
    for index in range(40):
        film = film_of_seed(23, index, "train")
        whole, moments = draw_questions(np.random.default_rng(index), film, 100, 1)
        assert 6 <= len(whole) <= 2 * len(GLOBAL)
        assert len(moments) == 1


BAD_WORDS = {
    "--count 0": "--count: must be a whole number from 1 on, got '0'",
    "--seed -1": "--seed: must be a whole number from 0 on, got '-1'",
    "--minutes 0.2": "--minutes: must lie between 0.4 and 600, got '0.2'",
    "--minutes nan": "--minutes: must lie between 0.4 and 600, got 'nan'",
}


@pytest.mark.parametrize("words", BAD_WORDS)
def test_bad_numbers_are_refused_before_a_film_is_drawn(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = ["--count", "1", "--seed", "1", "--split", "test", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["make_movies.py", *good, *words.split()])
    with pytest.raises(SystemExit, match="2"):
        make_movies.main()
    assert capsys.readouterr().err.splitlines()[-1].endswith(BAD_WORDS[words])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("encoder", ["missing", "failing"])
def test_an_encoder_that_fails_is_one_line_and_no_file(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    if encoder == "failing":
        (programs / "ffmpeg").write_text("#!/bin/sh\nexit 3\n")
        (programs / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    words = ["--count", "1", "--seed", "1", "--split", "test", "--minutes", "0.4"]
    monkeypatch.setattr(sys, "argv", ["make_movies.py", *words, "--out", str(tmp_path / "out")])
    said = {"missing": "ffmpeg is missing", "failing": "could not write '.*' .exit code 3"}
    with pytest.raises(SystemExit, match=said[encoder]):
        make_movies.main()
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
