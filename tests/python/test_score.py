"""`moviechat score` as a whole: the page, two runs, what cannot be scored."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from predictions import answered, needs_program, row, score, write_run
from shell import ROOT

pytestmark = needs_program


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


def drawn(html: str, folder: Path) -> Page:
    """A page as its script draws it."""
    file = folder / "page.html"
    file.write_text(html)
    command = ["node", Path(__file__).parent / "draw_page.js", file]
    return Page(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_with_tags_in_its_answers(tmp_path: Path) -> tuple[Path, Path, str]:
    evil = "<script>alert(1)</script> & \"x\" 'y' <img src=http://e.vil/x onerror=alert(2)>"
    wrong = {"question": evil, "reference": evil, "answer": evil[::-1], "category": evil}
    moment = {**answered("a moon"), "mode": "breakpoint", "at": 4.0, "frame": 40}
    clip = row(0, [wrong, moment], video="CLIP.mkv")
    run = write_run(tmp_path / "run", [clip, row(1, [answered("the star")])])
    films = tmp_path / "films"
    films.mkdir()
    (films / "clip.avi").symlink_to(ROOT / "tests/data/golden/clip.avi")
    return run, films, evil


def test_the_page_loads_nothing_and_runs_its_own_script_alone(tmp_path: Path) -> None:
    run, films, evil = run_with_tags_in_its_answers(tmp_path)
    result = score(run, "--videos", films, "--out", tmp_path / "report", "--metric", "exact")
    assert result.returncode == 0, result.stderr
    files = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert files == ["report.html", "report.json", "report.md", "report.txt", "scores.jsonl"]
    assert (tmp_path / "report/report.txt").read_text() == result.stdout
    html = (tmp_path / "report/report.html").read_text()
    file = Page(html)
    assert file.open == []
    assert file.elements["script"] == 2  # the data, and the one script that the page may run
    assert file.addresses == []
    script = html.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert f"default-src 'none'; {policy}\"" in html
    data = json.loads(html.split('type="application/json">')[1].split("</script>")[0])
    assert data["report"] == json.loads((tmp_path / "report/report.json").read_text())
    assert [wrong["question"] for wrong in data["wrong"]] == [evil, answered("")["question"]]
    assert data["wrong"][0]["reference"] == evil
    assert [len(wrong["pictures"]) for wrong in data["wrong"]] == [0, 1]
    assert data["wrong"][1]["pictures"][0]["at"] == 4.0


def test_the_page_shows_what_is_in_it(tmp_path: Path) -> None:
    run, films, evil = run_with_tags_in_its_answers(tmp_path)
    page = drawn(score(run, "--videos", films, "--html", "--metric", "exact").stdout, tmp_path)
    assert page.open == []
    assert page.elements["script"] == 0
    assert page.elements["article"] == 2
    assert page.elements["img"] == 1
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert page.text.count(evil) >= 2
    for text in [
        "moviechat: Scores",
        "Wrong answers: 2, by exact",
        "mode breakpoint",
        "0:04.0, the moment asked about",
    ]:
        assert text in page.text, text
    assert "Without pictures" not in page.text
    assert page.elements["figure"] == 2  # a plot and a picture
    assert page.elements["circle"] == 5  # all, both modes, two categories


def test_the_page_of_two_runs_shows_both(tmp_path: Path) -> None:
    first = [row(i, [answered("star" if i % 2 else "moon")]) for i in range(10)]
    second = [row(i, [answered("star" if i else "moon")]) for i in range(10)]
    runs = [write_run(tmp_path / "a", first), write_run(tmp_path / "b", second)]
    page = drawn(score(*runs, "--html", "--metric", "exact").stdout, tmp_path)
    for text in [
        "Two runs compared",
        "Wrong answers of the first run: 5, by exact",
        "Without pictures",
        "second run",
    ]:
        assert text in page.text, text
    assert page.elements["article"] == 5
    assert page.text.count("second run star") == 4  # what the second run says to the same question
    assert page.text.count("second run moon") == 1
    assert page.elements["circle"] == 4  # all and the mode, of both runs


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
