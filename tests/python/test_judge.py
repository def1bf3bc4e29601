"""`moviechat score --metric judge`: a judge that misbehaves, a run that is cut off."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from judge_stub import RIGHT, WRONG, Judge, StubHandler, serving
from predictions import answered, needs_program, row, score, write_run
from shell import PROGRAM

pytestmark = needs_program


def misbehave(handler: StubHandler, answer: str, number: int) -> None:
    trouble: dict[str, Callable[[], None]] = {
        "malformed": lambda: handler.say("I would say yes."),
        "slow": lambda: time.sleep(9),
        "busy": lambda: handler.send(429, {"error": {"message": "slow down"}}, Retry_After="1"),
        "broken": lambda: handler.send(500, {"error": "oops"}),
        "dropped": handler.drop,
    }
    kind = answer.split()[0]
    if number == 0 and kind in trouble:
        trouble[kind]()
        if kind == "slow":
            handler.close_connection = True
    else:
        handler.say(WRONG if kind == "wrong" else RIGHT)


def judged(run: Path, judge: Judge, *more: str) -> subprocess.CompletedProcess[str]:
    flags = ["--metric", "judge", "--json", "--judge-url", judge.url, "--judge-model", "stub"]
    return score(run, *flags, *more, OPENAI_API_KEY="s3cret")


def test_totals_are_exact_whatever_the_judge_does(tmp_path: Path) -> None:
    kinds = ["right", "wrong", "malformed", "slow", "busy", "broken", "dropped"]
    run = write_run(
        tmp_path / "run",
        [row(i, [answered(f"{kind} {i}") for kind in kinds]) for i in range(3)],
    )
    with serving(misbehave) as judge:
        first = judged(run, judge, "--judge-timeout", "5", "--judge-concurrency", "7")
        assert first.returncode == 0, first.stderr
        report = json.loads(first.stdout)["runs"][0]
        assert report["scores"][0]["metrics"]["judge"]["n"] == 21
        assert report["scores"][0]["metrics"]["judge"]["mean"] == pytest.approx(18 / 21)
        mean_score = report["scores"][0]["metrics"]["judge-score"]["mean"]
        assert mean_score == pytest.approx((18 * 5 + 3) / 21)
        summary = report["judge"]
        assert (summary["judged"], summary["malformed"], summary["failed"]) == (21, 0, 0)
        # Each of five kinds of trouble once for three answers.
        assert summary["requests"] == judge.requests == 21 + 15
        assert summary["retries"] == 15
        assert summary["replies"] == 21 + 3 == judge.served
        assert summary["usage"] == {"prompt_tokens": 2400, "completion_tokens": 168}
        assert judge.keys == {"Bearer s3cret"}

        again = judged(run, judge)
        assert again.returncode == 0, again.stderr
        assert judge.requests == 36
        repeated = json.loads(again.stdout)["runs"][0]
        assert repeated["scores"] == report["scores"]
        assert repeated["judge"]["kept"] == 21
        assert repeated["judge"]["usage"] == summary["usage"]
    everything = "".join(path.read_text() for path in run.iterdir()) + first.stdout + first.stderr
    assert "s3cret" not in everything


def test_a_run_that_is_killed_loses_no_reply(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [row(i, [answered(f"right {i}")]) for i in range(60)])

    def slowly(handler: StubHandler, _answer: str, _number: int) -> None:
        time.sleep(0.03)
        handler.say(RIGHT)

    with serving(slowly) as judge:
        flags = ["--metric", "judge", "--judge-url", judge.url, "--judge-model", "stub"]
        command = [PROGRAM, "score", run, *flags, "--judge-concurrency", "2"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while judge.served < 20:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.3)  # what was under way is served in vain
        kept = (run / "verdicts.jsonl").read_text().count("\n")
        before = judge.requests
        assert before - 2 <= kept <= before

        done = judged(run, judge)
        assert done.returncode == 0, done.stderr
        assert judge.requests - before == 60 - kept
        summary = json.loads(done.stdout)["runs"][0]["judge"]
        assert (summary["judged"], summary["kept"]) == (60, kept)
        assert summary["usage"]["prompt_tokens"] == 60 * 100


def test_malformed_and_failed_answers_are_counted_apart(tmp_path: Path) -> None:
    answers = ["right", "wrong", "babble", "refused"]
    run = write_run(tmp_path / "run", [row(0, [answered(answer) for answer in answers])])

    def behave(handler: StubHandler, answer: str, _number: int) -> None:
        if answer == "refused":
            handler.send(400, {"error": {"message": "not this one"}})
        else:
            handler.say({"right": RIGHT, "wrong": WRONG}.get(answer, "well"))

    with serving(behave) as judge:
        result = judged(run, judge)
        assert result.returncode == 3
        assert "no verdict on 2 answers: 1 malformed, 1 without a reply" in result.stderr
        report = json.loads(result.stdout)["runs"][0]
        assert report["scores"][0]["metrics"]["judge"]["n"] == 2
        assert report["scores"][0]["metrics"]["judge"]["mean"] == 0.5
        assert judge.times == {"right": 1, "wrong": 1, "babble": 3, "refused": 1}


def test_what_was_judged_is_asked_again_by_no_other_report(tmp_path: Path) -> None:
    """Verdicts lie beside the run that they are of, wherever the report goes."""
    first = write_run(tmp_path / "first", [row(0, [answered("one"), answered("two")])])
    second = write_run(tmp_path / "second", [row(0, [answered("one"), answered("three")])])
    with serving(lambda handler, *_: handler.say(RIGHT)) as judge:
        flags = ["--metric", "judge", "--judge-url", judge.url, "--judge-model", "stub"]
        for runs, asked in (
            ([first], 2),
            ([first, "--out", tmp_path / "report"], 2),
            ([first, second], 3),  # "one" is known from the first run
            ([second], 3),
            ([second, first, "--out", tmp_path / "report"], 3),
        ):
            result = score(*runs, *flags)
            assert result.returncode == 0, result.stderr
            assert judge.requests == asked, runs
    assert not (tmp_path / "report" / "verdicts.jsonl").exists()


def test_what_cannot_be_reported_is_told_before_a_judge_is_asked(tmp_path: Path) -> None:
    first = write_run(tmp_path / "first", [row(0, [answered("one")])])
    other = [answered("one") | {"question": "And now?"}]
    second = write_run(tmp_path / "second", [row(0, other)])
    with serving(lambda handler, *_: handler.say(RIGHT)) as judge:
        flags = ["--metric", "judge", "--judge-url", judge.url, "--judge-model", "stub"]
        for arguments in (
            [first, second],
            [first, tmp_path / "nothing"],
            [first, "--html", "--videos", tmp_path / "nothing"],
        ):
            result = score(*arguments, *flags)
            assert result.returncode == 2
            assert result.stderr.count("\n") == 1
        assert judge.requests == 0


def test_replies_in_parts_are_read_and_a_key_of_a_windows_file_is_sent(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [row(0, [answered("one")])])
    parts = [{"type": "text", "text": "{'pred': 'yes', "}, {"type": "text", "text": "'score': 4}"}]
    body = {"choices": [{"message": {"role": "assistant", "content": parts}}]}
    with serving(lambda handler, *_: handler.send(200, body)) as judge:
        flags = ["--metric", "judge", "--judge-url", judge.url, "--judge-model", "stub"]
        result = score(run, *flags, OPENAI_API_KEY="sk-abc\r\n")
        assert result.returncode == 0, result.stderr
        assert judge.times == {"one": 1}
        assert judge.keys == {"Bearer sk-abc"}
        result = score(run, *flags, OPENAI_API_KEY="sk abc")
        assert result.returncode == 2
        assert "OPENAI_API_KEY" in result.stderr


def test_a_judge_that_does_not_work_is_told_in_one_line(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [row(0, [answered("a")])])
    with serving(lambda handler, *_: handler.send(401, {"error": {"message": "bad key"}})) as judge:
        result = judged(run, judge)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "answered 401: bad key" in result.stderr
