"""What evaluate says of answers: shares as `moviechat score` counts them, and evidence."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from mini import evaluate, scoring
from mini.make_movies import draw_movie
from predictions import needs_program, row
from shell import PROGRAM

ROOT = Path(__file__).parents[2]


def test_evidence_by_chance_counts_every_cameo() -> None:
    info = {"duration": 100.0, "cameos": [{"start": 10.0, "end": 12.0}, {"start": 60, "end": 61}]}
    top = {"start": 59.0, "end": 60.5, "score": 0.6}
    hit, chance = evaluate.judge_evidence(info, [{"start": 0, "end": 50, "score": 0.4}, top])
    assert hit
    # Where a span of 1.5 s may begin and touch one of them: 3.5 s and 2.5 s of 98.5 s.
    assert chance == pytest.approx(6.0 / 98.5)
    assert not evaluate.judge_evidence(info, [{"start": 12.0, "end": 59.0, "score": 1.0}])[0]
    assert evaluate.judge_evidence(info, []) == (False, 0.0)


def asked(category: str, answer: str, **more: Any) -> dict[str, Any]:
    question = {"question": "What?", "reference": "A star.", "mode": "global"}
    return question | {"answer": answer, "category": category} | more


@needs_program
def test_shares_are_those_of_score_with_films_drawn_whole() -> None:
    """Ten films of ten questions, each right or wrong throughout: as uncertain as ten questions."""
    films = ["A star."] * 6 + ["A moon."] * 4
    rows = [row(i, [asked("things", answer)] * 10) for i, answer in enumerate(films)]
    scores = scoring.score(PROGRAM, rows)
    share = scores.modes["global"]
    assert (share.count, share.mean) == (100, 0.6)
    assert share.interval == pytest.approx((0.3, 0.9), abs=0.05)
    assert scores.kinds == {"things": share}
    assert scores.column("breakpoint") is None
    assert re.fullmatch(r"60\.0 % \(\d\d–\d\d\)", str(share))
    assert str(scoring.score(PROGRAM, rows[:1]).modes["global"]) == "100.0 %"


@needs_program
def test_results_hold_shares_and_counts_of_modes_and_kinds() -> None:
    moment = {"mode": "breakpoint", "at": 1.0, "frame": 10}
    answers = [
        asked("film: cameo", "A star."),
        asked("film: first", "A moon."),
        asked("film: things", "A moon.", **moment),
        asked("film: things", "A star.", **moment),
        asked("film: things", "A moon.", **moment),
        asked("film: things", "A moon.", **moment),
        asked("rephrased: things", "A star.", **moment),
    ]
    scores = scoring.score(PROGRAM, scoring.of_purpose([row(0, answers)], "film"))
    result = scoring.summary(scores)
    assert list(result["kinds"]) == ["things", "cameo", "first"]
    assert result == {
        "global": 0.5,
        "breakpoint": 0.25,
        "cameo": 1.0,
        "kinds": {"things": 0.25, "cameo": 1.0, "first": 0.0},
        "counts": {
            "global": 2,
            "breakpoint": 4,
            "cameo": 1,
            "things": 4,
            "first": 1,
        },
    }
    table = scoring.table({"paper": scores}, ["global", "cameo", "end"])
    assert table.splitlines()[-1] == "| paper | 50.0 % | 100.0 % | – |"


def command(monkeypatch: pytest.MonkeyPatch, out: Path, words: str = "") -> None:
    """The real program, the shipped bundle."""
    fixed = ["--out", out, "--moviechat", PROGRAM, "--model", ROOT / "models/mini"]
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, fixed), *words.split()])


def test_all_profiles_are_asked_unless_some_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command(monkeypatch, tmp_path)
    assert evaluate.parse().profiles == list(evaluate.PROFILES)
    command(monkeypatch, tmp_path, "--profiles paper,uniform:8,paper")
    assert evaluate.parse().profiles == ["paper", "uniform:8"]


BAD_WORDS = {
    "--films 0": "from 1 on, got '0'",
    "--lengths 1.4,x": "--lengths: must lie between 0.4 and 600, got 'x'",
    "--minutes 0": "--minutes: must lie between 0.4 and 600, got '0'",
    "--at-least 80": "--at-least must lie between 0 and 1, got 80",
    "--at-least 0.5 --profiles released": "add it to --profiles",
    "--profiles papers": "unknown profile 'papers'",
    "--moviechat nowhere": "no program at 'nowhere'; scripts/setup builds it",
    "--model nowhere": "no bundle at 'nowhere'",
}


@pytest.mark.parametrize("words", BAD_WORDS)
def test_bad_options_are_refused_before_a_film_is_drawn(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, tmp_path / "out", words)
    with pytest.raises(SystemExit, match="2"):
        evaluate.main()
    assert BAD_WORDS[words] in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_films_of_another_length_or_version_are_not_taken_for_those_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, tmp_path, "--films 1 --minutes 0.4")
    options = evaluate.parse()
    short = evaluate.films_folder(options, 0.4)
    assert short not in (evaluate.films_folder(options, None), evaluate.films_folder(options, 4.0))
    notes = evaluate.make_films(options, short, 0.4)
    assert evaluate.make_films(options, short, 0.4) == notes
    note = draw_movie(1000, 0, "test", 0.4).annotation_in(short)
    note.write_text(note.read_text().replace('"duration": 24.', '"duration": 25.'))
    with pytest.raises(SystemExit, match="2"):
        evaluate.make_films(options, short, 0.4)
    assert "of another film than this version draws" in capsys.readouterr().err


def test_ablations_alone_are_told_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, tmp_path, "--films 1 --minutes 0.4 --profiles paper --lengths 0.5")
    monkeypatch.setattr(sys, "argv", ["L = 16" if w == "paper" else w for w in sys.argv])
    evaluate.main()
    assert set(json.loads((tmp_path / "results.json").read_text())["profiles"]) == {"L = 16"}
    assert "| kind | questions | L = 16 |" in capsys.readouterr().out


def test_a_whole_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--films 1 --minutes 1 --profiles paper,uniform:8 --seed 1001 --lengths 0.4,1.4"
    command(monkeypatch, tmp_path, words)
    evaluate.main()
    results = json.loads((tmp_path / "results.json").read_text())
    paper = results["profiles"]["paper"]
    assert paper["counts"]["global"] == 3
    assert paper["counts"]["breakpoint"] == 10
    assert paper["breakpoint"] >= 0.6
    assert set(results["extras"]) >= {"caption", "evidence", "never shown", "rephrased"}
    assert set(results["lengths"]) == {"0.4", "1.4"}
    runs = list((tmp_path / "runs").iterdir())
    asked = {path.name for path in runs if path.is_file()}
    assert asked == {f"{path.name}.jsonl" for path in runs if path.is_dir()}
    assert (tmp_path / "lengths.png").stat().st_size > 0
    table = capsys.readouterr().out
    assert f"| paper | {paper['global']:.1%}".replace("%", " %") in table
