"""What reader and language model learn from: prompts, where they look, what readings say."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mini.block_code import BACKGROUND, BASIS, CAMEO
from mini.films import CAMEO_SHAPES, COLOURS, SHAPES
from mini.looking import answered_by, read_looking, where
from mini.memories import FilmPool, ask, pad
from mini.questions import Question, ask_global
from mini.reading_code import (
    BINS,
    CLASSES,
    FIRST_CAMEO,
    FIRST_SCENE,
    HEADS,
    LABELS,
    NONE,
    QUERIES,
    SEEN,
    USED,
    code_loss,
    code_of_labels,
    labels_of,
)
from mini.sizes import QUERIES as ALL_QUERIES
from mini.train_answers import Answerer

ASKED = [
    [
        Question("cameo", "What appears only briefly?", "A red heart."),
        Question("describe", "Describe the film.", "Blue."),
    ],
    [Question("appears", "Is there a blue star in the film?", "Yes.")],
]
ROWS = [(row, question) for row, questions in enumerate(ASKED) for question in questions]


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
    with torch.inference_mode():
        told = answerer.loss(readings, ASKED)
        means = [alone(answerer, readings[row], q.question, q.answer) for row, q in ROWS]
    lengths = [len(answerer.tokens.answer(q.answer)) ** 0.5 for _, q in ROWS]
    expected = sum(m * n for m, n in zip(means, lengths, strict=True)) / sum(lengths)
    assert told.loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_where_answers_look_is_measured_as_evidence_is(answerer: Answerer) -> None:
    """By `step_attention`, one question after the other, as the program does."""
    readings, language, tokens = (
        torch.randn(2, ALL_QUERIES, 128),
        answerer.language,
        answerer.tokens,
    )
    start, missed = len(tokens.before), []
    with torch.inference_mode():
        told = answerer.loss(readings, ASKED)
        for row, q in ROWS:
            after, said = tokens.after(q.question), tokens.answer(q.answer)[:-1]
            ids = torch.tensor(tokens.before), torch.tensor(after + said)
            x = torch.cat([language.embed(ids[0]), readings[row], language.embed(ids[1])])
            keys, values = language.make_cache(1, len(x))
            weights = language.step_attention(x.unsqueeze(0), keys, values, 0)[1][0]
            looks = weights[-1 - len(said) :, start : start + ALL_QUERIES]
            told_by = answered_by(q, tokens.names(tokens.answer(q.answer)))
            for look, queries in zip(looks, told_by, strict=True):
                missed.append(-(look[queries].sum() / look.sum()).log())
    assert told.looking.item() == pytest.approx(torch.stack(missed).mean().item(), rel=1e-2)


def test_queries_are_told_to_look_at_blocks_that_show_what_they_name(pool: FilmPool) -> None:
    rng = np.random.default_rng(9)
    for _ in range(10):
        memory = pool.whole(rng)
        early, late = (goal[0].numpy() for goal in where([memory], ALL_QUERIES))  # [Q, T]
        shapes = [cameo.shape for cameo in memory.film.cameos]
        for number, shape in enumerate(CAMEO_SHAPES):  # at first those of one shape, if any
            at = memory.blocks[early[SEEN + number], CAMEO]
            found = {CAMEO_SHAPES[i] for i in (at @ BASIS["cameo"].T).argmax(1)}
            assert found == {shape}.intersection(shapes)
        for number, cameo in enumerate(memory.film.cameos):
            at = memory.blocks[late[FIRST_CAMEO + number], CAMEO]  # [blocks, C]
            assert len(at)
            assert {CAMEO_SHAPES[i] for i in (at @ BASIS["cameo"].T).argmax(1)} == {cameo.shape}
            colours = (at @ BASIS["colour"].T).argmax(1)
            assert {list(COLOURS)[i] for i in colours} == {cameo.colour}
        for number, scene in enumerate(memory.film.scenes):
            at = memory.blocks[late[FIRST_SCENE + number], BACKGROUND].mean(0)
            assert list(COLOURS)[int((at @ BASIS["colour"].T).argmax())] == scene.background


def test_every_part_of_an_answer_has_its_own_query(answerer: Answerer, pool: FilmPool) -> None:
    tokens = answerer.tokens
    for film in pool.films:
        for kind, names, first in (
            ("describe", [scene.main.name.split()[1] for scene in film.scenes], FIRST_SCENE),
            ("cameo", [cameo.shape for cameo in film.cameos], FIRST_CAMEO),
        ):
            asked = ask_global(np.random.default_rng(1), film, kind)
            pieces = tokens.names(tokens.answer(asked.answer))
            told_by = answered_by(asked, pieces)
            starts = [i for i, queries in enumerate(told_by) if not i or queries != told_by[i - 1]]
            parts = ["".join(pieces[begin:end]) for begin, end in pairwise([*starts, len(pieces)])]
            for number, name in enumerate(names):
                assert name in parts[number]
                assert told_by[starts[number]][0] == first + number


def test_a_reading_that_is_watched_is_the_reading(answerer: Answerer, pool: FilmPool) -> None:
    rng = np.random.default_rng(10)
    memories = [pool.whole(rng), pool.moment(rng), pool.moment(rng, 8)]
    blocks, mask = pad(memories)
    with torch.inference_mode():
        watched, _ = read_looking(answerer.reader, blocks, mask, memories)
        plain = answerer.reader.read_batch(blocks, mask)
    torch.testing.assert_close(watched, plain, atol=1e-4, rtol=1e-4)


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
            background, shape, colour, _ = scenes[BINS + number]
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
