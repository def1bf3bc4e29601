"""Commands of the README and the documents about the bundled clip print what it says."""

import json
import re
import shlex
from pathlib import Path

import pytest

from shell import PROGRAM, Result, run

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCRIPT = "scripts/moviechat "
CLIP = "--video models/mini/sample.mp4"


def examples() -> list[tuple[str, str]]:
    """Command lines about the clip, and what stands below them."""
    found: list[tuple[str, str]] = []
    documents = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
    for block in BLOCK.findall("".join(document.read_text() for document in documents)):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith(SCRIPT + CLIP) and "--questions" not in command:
                found.append((command.removeprefix(SCRIPT), output))
    return found


def answered(arguments: str) -> Result:
    words = [
        word.replace("models/mini", str(ROOT / "models/mini")) for word in shlex.split(arguments)
    ]
    return run([PROGRAM, *words], OMP_NUM_THREADS="1")


@pytest.mark.parametrize(("arguments", "output"), examples())
def test_what_is_shown_is_what_is_printed(arguments: str, output: str) -> None:
    result = answered(arguments)
    assert result.returncode == 0, result.stderr
    if output:
        assert result.stdout == output


def test_examples_are_found() -> None:
    assert sum(output != "" for _, output in examples()) >= 2


def test_two_questions_cost_no_more_frames_than_one() -> None:
    arguments = next(a for a, _ in examples() if "--json" in a and a.count("--question") == 2)
    both = json.loads(answered(arguments).stdout)
    one = re.sub(r'--question "[^"]*" (?=--question)', "", arguments)
    single = json.loads(answered(one).stdout)
    assert len(both["results"]) == 2
    assert len(single["results"]) == 1
    for count in ("frames_decoded", "frames_encoded"):
        assert 0 < both["counts"][count] <= single["counts"][count]
