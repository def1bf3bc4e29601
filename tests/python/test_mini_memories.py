"""Memories for training: the program's consolidation, and exchanged names."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from mini.block_code import BASIS, CAMEO, code_of, film_code, mirror
from mini.consolidation import long_term
from mini.films import CAMEO_SHAPES, COLOURS, DIRECTIONS
from mini.memories import POSITIONS, FilmPool, Names, film_shares, planned_times
from mini.random_films import film_of_seed


@pytest.mark.parametrize("film", ["scenes", "noise"])
def test_long_term_memory_is_the_reference_s(golden_folder: Any, film: str) -> None:
    """The same goldens as the C++ memory's tests: 12 whole windows of 16 frames."""
    goldens = load_file(golden_folder / "memory.safetensors")
    frames = goldens[f"window/{film}/blocks"]
    expected = goldens[f"window/{film}/cosine/long"]
    long, _ = long_term(frames, np.zeros((len(frames), 1), np.float32))
    assert long.shape == expected.shape
    np.testing.assert_allclose(long, expected, atol=1e-5)


def test_blocks_are_what_their_shares_of_the_frames_make() -> None:
    film = film_of_seed(17, 3)
    frames = film_code(film, planned_times(film))
    long, shares = long_term(frames, np.eye(len(frames), dtype=np.float32))
    np.testing.assert_allclose(shares.sum(1), 1.0, atol=1e-6)
    np.testing.assert_allclose(np.tensordot(shares, frames, 1), long, atol=1e-4)


def test_an_exchange_of_names_is_the_film_with_other_names() -> None:
    rng = np.random.default_rng(3)
    for index in range(3):
        film, names = film_of_seed(1, index), Names.draw(rng)
        times = np.sort(rng.uniform(0.0, film.duration, 300))
        renamed = film_code(names.of_film(film), times)
        np.testing.assert_allclose(names.of_blocks(film_code(film, times)), renamed, atol=1e-5)


def test_a_mirrored_code_is_the_code_of_the_mirrored_frame() -> None:
    film = film_of_seed(1, 4)
    times = np.linspace(0.0, film.duration - 0.1, 300)
    look = film.look(times, film.numbers_at(times))
    code = code_of(look)
    look.x = 1.0 - look.x
    left, right = DIRECTIONS.index("left"), DIRECTIONS.index("right")
    ways = np.arange(len(DIRECTIONS))
    ways[[left, right]] = right, left
    look.direction = ways[look.direction]
    np.testing.assert_allclose(code @ mirror(), code_of(look), atol=1e-5)


def test_a_cameo_of_a_long_film_is_still_in_its_memory() -> None:
    """The strongest cameo token of the memory names a cameo that the film has."""
    for index in range(10):
        film = film_of_seed(17, index, "test", 15.0)
        times = planned_times(film)
        long, _ = long_term(film_code(film, times), film_shares(film, times))
        kinds, colours = long[:, CAMEO] @ BASIS["cameo"].T, long[:, CAMEO] @ BASIS["colour"].T
        strongest = int(kinds.max(1).argmax())
        shape = CAMEO_SHAPES[int(kinds[strongest].argmax())]
        name = f"{list(COLOURS)[int(colours[strongest].argmax())]} {shape}"
        assert name in [cameo.name for cameo in film.cameos]


def test_moments_fit_the_positions_and_end_with_the_current_frame() -> None:
    pool, rng = FilmPool(3, 5), np.random.default_rng(1)
    for _ in range(30):
        memory = pool.moment(rng)
        assert 1 <= len(memory.blocks) <= POSITIONS
        now = film_code(memory.film, np.array([memory.until]))[0]
        np.testing.assert_allclose(memory.blocks[-1], now, atol=1e-5)


@pytest.mark.parametrize("even", [False, True])
def test_films_are_drawn_alike_often_or_by_their_length(even: bool) -> None:
    pool, rng = FilmPool(20, 5, even), np.random.default_rng(1)
    lengths = np.array([film.duration for film in pool.films])
    drawn = [pool.whole(rng).film.duration for _ in range(400)]
    mean = np.average(lengths, weights=lengths if even else None)
    assert np.mean(drawn) == pytest.approx(mean, rel=0.08)
