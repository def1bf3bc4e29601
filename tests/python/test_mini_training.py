"""The stages of a training: what each goes on from, what it keeps, what it refuses."""

import copy
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from mini import checkpoint, train
from mini import train_answers as train_answers_module
from mini.block_code import film_code
from mini.films import Film
from mini.memories import FilmPool, paint_films
from mini.train import Recipe
from mini.train_answers import Answerer, AnswerOptions, train_answers
from moviechat_models.export import load_modules


def see_code(film: Film, times: np.ndarray) -> np.ndarray:
    """A frame encoder that writes the code without a fault."""
    return film_code(film, times)


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
    told = capsys.readouterr().out
    assert "answers 6/6" in told
    assert "painted 4/4" in told
    assert (tmp_path / "work" / "curves.png").stat().st_size > 1000
    described = yaml.safe_load((out / "model.yaml").read_text())
    assert described["name"] == "mini"
    assert "train.py" in (out / "model.yaml").read_text()
    first = [parameter.clone() for parameter in load_modules(out).language_model.parameters()]
    train.main(arguments)
    assert "answers 6/6" not in capsys.readouterr().out
    again = list(load_modules(out).language_model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[[str], AbstractContextManager[None]]:
    """`with refused(words)`: exit code 2 and one line with these words."""

    @contextmanager
    def expect(words: str) -> Iterator[None]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            yield
        assert ended.value.code == 2
        assert words in capsys.readouterr().err.splitlines()[-1]

    return expect


Refused = Callable[[str], AbstractContextManager[None]]


class KilledError(Exception):
    """What ends a training in the middle."""


def test_a_stage_that_was_killed_goes_on_from_its_last_checkpoint(
    answerer: Answerer, pool: FilmPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_answers_module, "SAVE_EVERY", 2)
    chosen = AnswerOptions(tmp_path, "reader", 6, learns=("reader",), batch=(2, 1))
    draw, drawn = train_answers_module.draw_memories, []

    def draw_counted(pool: FilmPool, rng: np.random.Generator, options: AnswerOptions) -> list:
        if options.uniform:  # not to validate
            drawn.append(rng)
            if len(drawn) == 4:
                raise KilledError
        return draw(pool, rng, options)

    monkeypatch.setattr(train_answers_module, "draw_memories", draw_counted)
    learner = copy.deepcopy(answerer)
    with pytest.raises(KilledError):
        train_answers(learner, pool, pool, chosen)
    kept = checkpoint.load(tmp_path / "reader.pt")
    assert kept["step"] == 2
    fresh = copy.deepcopy(answerer)
    train_answers(fresh, pool, pool, chosen)
    assert len(drawn) == 4 + 4  # steps 3 to 6
    done = checkpoint.load_finished(tmp_path / "reader.pt")
    counts = {int(state["step"]) for state in done["optimizer"]["state"].values()}
    assert counts == {6}  # the optimizer's moments went on too
    moved = [
        (state - kept["parts"]["reader"][name]).abs().max()
        for name, state in done["parts"]["reader"].items()
        if state.is_floating_point()
    ]
    assert 0.0 < max(moved) < 0.01  # four steps of the warm-up away from what was kept


def test_a_stage_does_not_go_on_from_half_of_another(
    answerer: Answerer, pool: FilmPool, tmp_path: Path, refused: Refused
) -> None:
    adapt = AnswerOptions(tmp_path, "adapt", steps=2, after=("answers",))
    with refused("'answers' has not run"):
        train_answers(answerer, pool, pool, adapt)
    checkpoint.save(tmp_path / "answers.pt", {"parts": {}}, step=3, steps=6)
    with refused("'answers' is at step 3 of 6"):
        train_answers(answerer, pool, pool, adapt)
    assert not (tmp_path / "adapt.pt").exists()


class Stages:
    """Stands in for the processes of stages: how each began, and what was through by then."""

    def __init__(self, fails: str = "") -> None:
        self.fails, self.lock = fails, threading.Lock()
        self.painting = threading.Event()  # the reader takes as long
        self.begun: list[str] = []
        self.through: dict[str, list[str]] = {}  # when a stage began
        self.at_once: list[int] = []
        self.running = 0
        self.ended: list[str] = []

    def run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        stage = command[command.index("--stages") + 1]
        assert command[command.index("--threads") + 1] == "1"
        with self.lock:
            self.begun.append(stage)
            self.through[stage] = list(self.ended)
            self.running += 1
            self.at_once.append(self.running)
        if stage == "paint":
            self.painting.set()
        if stage == "reader":
            self.painting.wait(2.0 if self.fails else 60.0)
        with self.lock:
            self.running -= 1
            self.ended.append(stage)
        return subprocess.CompletedProcess(command, int(stage == self.fails))


def side_by_side(stages: Stages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subprocess, "run", stages.run)
    options = train.parse(["--work", str(tmp_path), "--threads", "2"])
    wanted = [stage for stage in train.STAGES if stage in train.SIDE_BY_SIDE]
    train.run_side_by_side(options, wanted)


def test_stages_begin_when_those_that_they_go_on_from_are_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stages = Stages()
    side_by_side(stages, monkeypatch, tmp_path)
    assert sorted(stages.ended) == sorted(train.SIDE_BY_SIDE)
    assert set(stages.begun[:2]) == {"reader", "language"}
    assert {"reader", "language"} <= set(stages.through["answers"])
    assert "frames" in stages.through["paint"]
    assert "reader" not in stages.through["paint"]  # which takes long: paint did not wait for it
    assert max(stages.at_once) == 2


def test_no_stage_begins_after_one_that_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stages = Stages(fails="language")
    with pytest.raises(SystemExit, match="stage language failed"):
        side_by_side(stages, monkeypatch, tmp_path)
    assert sorted(stages.ended) == ["language", "reader"]


def test_painted_films_are_kept_and_what_was_cut_off_is_painted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Refused
) -> None:
    with refused("'paint' has not run to its end"):
        FilmPool(2, 7, True, tmp_path)
    paint_films(tmp_path, 1, 7, see_code, 1)
    kept = tmp_path / "7_0000.npy"
    before = kept.stat().st_mtime_ns
    monkeypatch.setattr(checkpoint.np, "save", lambda file, array: file.write(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        checkpoint.save_array(tmp_path / "7_0001.npy", np.zeros(3))
    monkeypatch.undo()
    paint_films(tmp_path, 2, 7, see_code, 1)
    assert kept.stat().st_mtime_ns == before
    painted, drawn = FilmPool(2, 7, True, tmp_path), FilmPool(2, 7, True)
    np.testing.assert_array_equal(painted.long, drawn.long)  # an encoder that makes no faults


def test_another_recipe_does_not_go_on_from_a_folder(tmp_path: Path, refused: Refused) -> None:
    options = train.parse(["--work", str(tmp_path), "--quick"])
    train.check_recipe(options)
    train.check_recipe(options)
    with refused("holds a training with seed 1, this one has 2"):
        train.check_recipe(train.parse(["--work", str(tmp_path), "--quick", "--seed", "2"]))
    with refused("holds a training with bank_films"):
        train.check_recipe(train.parse(["--work", str(tmp_path)]))


def test_all_commits_that_a_training_ran_at_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = train.parse(["--work", str(tmp_path)])
    for commit in ("a", "a", "b"):
        monkeypatch.setattr(train, "commit", lambda found=commit: found)
        train.check_recipe(options)
    assert train.read_recipe(tmp_path)["commits"] == ["a", "b"]


def test_two_processes_do_not_run_the_same_stage(tmp_path: Path, refused: Refused) -> None:
    options = train.parse(["--work", str(tmp_path)])
    with train.only_here(tmp_path, "frames"):
        with refused("another process runs the stage frames"):
            train.run_stages(options, ["frames"])
        with train.only_here(tmp_path, "reader"):
            pass
    with train.only_here(tmp_path, "frames"):
        pass


def test_a_folder_that_is_no_bundle_is_not_replaced(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with refused("is not a bundle (no model.yaml); it is not replaced"):
        train.main(["--work", str(tmp_path / "work"), "--quick", "--out", str(tmp_path)])
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("words", ["--threads 0", "--seed -1", "--stages banks"])
def test_bad_options_are_refused(words: str, tmp_path: Path, refused: Refused) -> None:
    with refused(words.split()[0] if "stages" not in words else "unknown stage 'banks'"):
        train.main(["--work", str(tmp_path / "work"), *words.split()])
    assert not (tmp_path / "work").exists()
