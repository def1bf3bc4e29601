"""`moviechat score` as a whole: a judge that misbehaves, a run that is cut off, the page."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("MOVIECHAT_PROGRAM", ROOT / "build/release/bin/moviechat"))
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} has not been built")

RIGHT = "{'pred': 'yes', 'score': 5}"
WRONG = "{'pred': 'no', 'score': 1}"


def score(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "score", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def row(index: int, answers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A line of predictions.jsonl: a video with its answers."""
    results = [
        {
            "id": f"{index}/g{place}",
            "mode": "global",
            "reference": None,
            "category": None,
            "at": None,
            "frame": None,
            "token_ids": [],
            "finish_reason": "eos",
            "prompt_tokens": 1,
            "answer_tokens": 1,
            **answer,
        }
        for place, answer in enumerate(answers)
    ]
    counts = ["frames_decoded", "frames_encoded", "seeks", "blocks_long", "blocks_short"]
    return {
        "schema_version": 1,
        "index": index,
        "video": f"{index}.mp4",
        "id": str(index),
        "error": None,
        "video_info": {"duration": 30.0, "fps": 10.0, "frames": 300},
        "results": results,
        "counts": dict.fromkeys(counts, 0),
        **more,
    }


def write_run(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    lines = "".join(json.dumps(one) + "\n" for one in rows)
    (folder / "predictions.jsonl").write_text(lines)
    return folder


def answered(answer: str) -> dict[str, Any]:
    return {"question": "What is it?", "reference": "a star", "answer": answer}


class Judge:
    """A stub of an OpenAI-compatible API; `behave` answers the n-th request about an answer."""

    def __init__(self, behave: Callable[[StubHandler, str, int], None]) -> None:
        self.behave = behave
        self.lock = threading.Lock()
        self.times: Counter[str] = Counter()
        self.served = 0  # whole completions that were sent
        self.keys: set[str | None] = set()
        self.url = ""

    @property
    def requests(self) -> int:
        return sum(self.times.values())


class StubHandler(BaseHTTPRequestHandler):
    judge: Judge
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][1]["content"]
        match = re.search(r"Predicted Answer: (.*)", prompt)
        assert match is not None
        answer = match[1]
        with self.judge.lock:
            number = self.judge.times[answer]
            self.judge.times[answer] += 1
            self.judge.keys.add(self.headers["Authorization"])
        self.judge.behave(self, answer, number)

    def say(self, text: str) -> None:
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 100, "completion_tokens": 7}
        self.send(200, {"choices": [{"message": message}], "usage": usage})
        with self.judge.lock:
            self.judge.served += 1

    def send(self, status: int, body: Any, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        """Resets the connection without a word."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        if self.connection.fileno() >= 0:
            super().finish()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(behave: Callable[[StubHandler, str, int], None]) -> Iterator[Judge]:
    judge = Judge(behave)
    handler = type("Handler", (StubHandler,), {"judge": judge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    judge.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield judge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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


class Page(HTMLParser):
    """What is in a page: elements, addresses, text; and that elements are closed in order."""

    VOID = ("meta", "img", "br", "line", "circle", "rect")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_and_runs_nothing(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> & \"x\" 'y' <img src=http://e.vil/x onerror=alert(2)>"
    wrong = {"question": evil, "reference": evil, "answer": evil[::-1], "category": evil}
    moment = {**answered("a moon"), "mode": "breakpoint", "at": 4.0, "frame": 40}
    clip = row(0, [wrong, moment], video="CLIP.mkv")
    run = write_run(tmp_path / "run", [clip, row(1, [answered("the star")])])
    films = tmp_path / "films"
    films.mkdir()
    (films / "clip.avi").symlink_to(ROOT / "tests/data/golden/clip.avi")

    result = score(run, "--videos", films, "--out", tmp_path / "report", "--metric", "exact")
    assert result.returncode == 0, result.stderr
    files = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert files == ["report.html", "report.json", "report.md", "report.txt", "scores.jsonl"]
    assert (tmp_path / "report/report.txt").read_text() == result.stdout
    page = Page((tmp_path / "report/report.html").read_text())
    assert page.open == []
    assert page.elements["script"] == 0
    assert page.elements["article"] == 2
    assert page.elements["img"] == 1
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert page.text.count(evil) >= 2


def test_two_runs_are_compared(tmp_path: Path) -> None:
    first = [row(i, [answered("star" if i % 2 else "moon")]) for i in range(10)]
    second = [row(i, [answered("star" if i else "moon")]) for i in range(10)]
    runs = [write_run(tmp_path / "a", first), write_run(tmp_path / "b", second)]
    result = score(*runs, "--json", "--metric", "exact")
    assert result.returncode == 0, result.stderr
    exact = json.loads(result.stdout)["comparison"]["metrics"]["exact"]
    assert (exact["only_first"], exact["only_second"]) == (0, 4)
    assert exact["mcnemar_p"] == pytest.approx(2 * 0.5**4)
    assert exact["difference"]["mean"] == pytest.approx(0.4)

    second[3]["results"][0]["question"] = "Another?"
    write_run(tmp_path / "b", second)
    refused = score(*runs)
    assert refused.returncode == 2
    assert "different questions: number 4" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        (None, "holds no predictions.jsonl"),
        ("", "is empty"),
        (json.dumps(row(0, [answered("a")])), "line 1 is torn"),
        ('{"schema_version": 7}\n', "schema_version is 7"),
        (json.dumps(row(0, [{"question": "Q", "answer": "a"}])) + "\n", "nothing to score"),
    ],
)
def test_what_cannot_be_scored_is_told_in_one_line(
    tmp_path: Path, contents: str | None, found: str
) -> None:
    if contents is not None:
        (tmp_path / "predictions.jsonl").write_text(contents)
    result = score(tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert found in result.stderr
    assert result.stderr.count("\n") == 1


def test_flags_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [row(0, [answered("a")])])
    for flags, found in [
        (["--json", "--html"], "one of --json, --markdown and --html"),
        (["--metric", "judge"], "needs --judge-url"),
        (["--metric", "exact", "--judge-url", "http://127.0.0.1/v1"], "go with --metric judge"),
        (["--metric", "exact,exact"], "twice"),
        (["--metric", "bleu"], "must be one of exact, contains"),
        (["--videos", "."], "add --html or --out"),
        (["--resamples", "-1"], "0 to 1000000"),
    ]:
        result = score(run, *flags)
        assert result.returncode == 2, flags
        assert found in result.stderr, flags
