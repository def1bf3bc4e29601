"""The second stage's bookkeeping: questions side by side are as good as one by one."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml

from mini import train
from mini.films import CAMEO_SHAPES, COLOURS, SHAPES
from mini.memories import FilmPool, ask, pad
from mini.reading_code import (
    BINS,
    CLASSES,
    HEADS,
    LABELS,
    NONE,
    QUERIES,
    USED,
    code_loss,
    code_of_labels,
    labels_of,
)
from mini.sizes import QUERIES as ALL_QUERIES
from mini.sizes import VOCABULARY, mini_sizes
from mini.tokenizer import MiniTokenizer, train_tokenizer
from mini.train import Recipe
from mini.train_answers import Answerer
from moviechat_models.export import load_modules
from moviechat_models.llama import LanguageModel
from moviechat_models.memory_reader import MemoryReader


@pytest.fixture(scope="module")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Answerer:
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    train_tokenizer(path, VOCABULARY, films=150)
    torch.manual_seed(3)
    sizes = mini_sizes()
    reader, language = MemoryReader(sizes.memory_reader), LanguageModel(sizes.language_model)
    return Answerer(reader, language, MiniTokenizer(path)).eval()


@pytest.fixture(scope="module")
def pool() -> FilmPool:
    return FilmPool(4, 5)


def alone(answerer: Answerer, reading: torch.Tensor, text: str, answer: str) -> torch.Tensor:
    """The mean cross-entropy of one answer behind its own prompt, as the program prompts."""
    tokens, language = answerer.tokens, answerer.language
    after, wanted = tokens.after(text), tokens.answer(answer)
    ids = torch.tensor(tokens.before), torch.tensor(after + wanted[:-1])
    embedded = torch.cat([language.embed(ids[0]), reading, language.embed(ids[1])])
    logits = language.score(embedded.unsqueeze(0), None)[0, -len(wanted) :]
    return F.cross_entropy(logits, torch.tensor(wanted))


def test_questions_side_by_side_score_as_they_do_alone(answerer: Answerer) -> None:
    readings = torch.randn(2, ALL_QUERIES, 128)
    asked = [
        [("What appears only briefly?", "A red heart."), ("Describe the film.", "Blue.")],
        [("Is there a blue star in the film?", "Yes.")],
    ]
    with torch.inference_mode():
        packed, _ = answerer.loss(readings, asked)
        rows = [(0, *asked[0][0]), (0, *asked[0][1]), (1, *asked[1][0])]
        means = [alone(answerer, readings[row], *pair) for row, *pair in rows]
    lengths = [len(answerer.tokens.answer(answer)) ** 0.5 for _, _, answer in rows]
    expected = sum(m * n for m, n in zip(means, lengths, strict=True)) / sum(lengths)
    assert packed.item() == pytest.approx(expected.item(), rel=1e-5)


def test_answers_survive_the_tokenizer(answerer: Answerer, pool: FilmPool) -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        for memory in (pool.whole(rng), pool.moment(rng)):
            for question in ask(rng, memory, 4, {}):
                ids = answerer.tokens.answer(question.answer)
                assert answerer.tokens.decode(ids) == question.answer


def test_labels_of_the_queries_say_what_the_film_shows(pool: FilmPool) -> None:
    rng = np.random.default_rng(4)
    names = list(COLOURS)
    for _ in range(10):
        memory = pool.whole(rng)
        film = memory.film
        scenes, cameos = LABELS["scene"](memory), LABELS["cameo"](memory)
        assert len(scenes) == len(QUERIES["scene"])
        for number, scene in enumerate(film.scenes):
            background, shape, colour = scenes[BINS + number]
            assert names[background] == scene.background
            assert f"{names[colour]} {SHAPES[shape]}" == scene.main.name
        found = [f"{names[c]} {CAMEO_SHAPES[s]}" for s, c in cameos if s < len(CAMEO_SHAPES)]
        assert found == [cameo.name for cameo in film.cameos]


def test_every_query_has_one_use_and_every_label_a_class(pool: FilmPool) -> None:
    used = [query for queries in QUERIES.values() for query in queries]
    assert len(used) == len(set(used))
    assert max(used) < USED == ALL_QUERIES
    rng = np.random.default_rng(6)
    for _ in range(20):
        for memory in (pool.whole(rng), pool.whole(rng, 8), pool.moment(rng), pool.moment(rng, 32)):
            for group, heads in HEADS.items():
                for label, head in zip(LABELS[group](memory).T, heads, strict=True):
                    assert ((label == NONE) | ((label >= 0) & (label < CLASSES[head]))).all()


def test_what_a_reading_should_say_is_understood_and_that_of_another_film_is_not(
    pool: FilmPool,
) -> None:
    rng = np.random.default_rng(7)
    memories = [pool.whole(rng) for _ in range(3)] + [pool.moment(rng) for _ in range(3)]
    code = code_of_labels(labels_of(memories))
    assert code.shape == (6, ALL_QUERIES, 128)
    loss, right = code_loss(code, memories)
    assert set(right.values()) == {1.0}
    other_loss, others = code_loss(code.flip(0), memories)
    assert other_loss > 10 * loss
    assert others["nth_colour"] < 0.7


def test_memories_of_a_batch_are_padded_behind(pool: FilmPool) -> None:
    rng = np.random.default_rng(8)
    memories = [pool.moment(rng) for _ in range(4)]
    blocks, mask = pad(memories)
    for row, memory in enumerate(memories):
        assert int(mask[row].sum()) == len(memory.blocks)
        np.testing.assert_array_equal(blocks[row, : len(memory.blocks)], memory.blocks)
        assert not blocks[row, len(memory.blocks) :].any()


TINY = Recipe(
    bank_films=2,
    frame_steps=4,
    pool_films=3,
    reader_steps=2,
    language_steps=2,
    answer_steps=6,
    painted_films=4,
    adapt_steps=2,
)


def test_all_stages_end_in_a_bundle_and_a_second_run_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "QUICK", TINY)
    out = tmp_path / "bundle"
    arguments = ["--quick", "--threads", "1", "--work", str(tmp_path / "work"), "--out", str(out)]
    train.main(arguments)
    assert "answers 6/6" in capsys.readouterr().out
    assert (tmp_path / "work" / "curves.png").stat().st_size > 1000
    described = yaml.safe_load((out / "model.yaml").read_text())
    assert described["name"] == "mini"
    assert "train.py" in (out / "model.yaml").read_text()
    first = [parameter.clone() for parameter in load_modules(out).language_model.parameters()]
    train.main(arguments)
    assert "answers 6/6" not in capsys.readouterr().out
    again = list(load_modules(out).language_model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
