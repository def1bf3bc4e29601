"""What evaluate says of answers: shares, intervals, and how likely evidence is by chance."""

import json
import sys
from pathlib import Path

import pytest

from mini import evaluate
from mini.scoring import interval
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


def test_intervals_are_wilsons() -> None:
    """From the worked example of Newcombe (1998), table I: 81 of 263, and 0 of 20."""
    assert interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_all_profiles_are_asked_unless_some_are_named(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate", "--out", str(tmp_path)])
    assert evaluate.parse().profiles == list(evaluate.PROFILES)


def test_a_whole_evaluation(tmp_path: Path, monkeypatch, capsys) -> None:
    """A real film, the real program, the shipped bundle."""
    words = ["--films", "1", "--minutes", "1", "--profiles", "paper,uniform:8", "--seed", "1001"]
    words += ["--out", str(tmp_path), "--moviechat", str(PROGRAM), "--model", ROOT / "models/mini"]
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, words)])
    evaluate.main()
    results = json.loads((tmp_path / "results.json").read_text())
    paper = results["profiles"]["paper"]
    assert paper["counts"]["global"] == 3
    assert paper["counts"]["breakpoint"] == 10
    assert paper["breakpoint"] >= 0.6
    assert set(results["extras"]) >= {"caption", "evidence", "never shown", "rephrased"}
    assert (tmp_path / "lengths.png").stat().st_size > 0
    table = capsys.readouterr().out
    assert f"| paper | {paper['global']:.1%}".replace("%", " %") in table
