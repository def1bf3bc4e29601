"""The commands that users type, run as they run them."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = Path(
    os.environ.get("MOVIECHAT_PROGRAM", ROOT / "build" / "release" / "bin" / "moviechat")
)

Result = subprocess.CompletedProcess[str]


def run(command: Sequence[str | Path], **environment: str) -> Result:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MOVIECHAT_")}
    words = [str(word) for word in command]
    return subprocess.run(
        words, capture_output=True, text=True, check=False, env=kept | environment
    )


def convert(*words: str | Path) -> Result:
    return run([ROOT / "scripts" / "convert", *words])


def moviechat(*words: str | Path, model: Path) -> Result:
    return run([PROGRAM, *words], MOVIECHAT_MODEL=str(model), OMP_NUM_THREADS="1")


def asked(*words: str | Path, model: Path) -> dict[str, Any]:
    """What the program prints as JSON."""
    result = moviechat(*words, "--json", "--quiet", model=model)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def questions_file(path: Path, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Writes all questions of golden cases for --questions; their answers in that order."""
    answers = [answer | {"t": case["t"]} for case in cases for answer in case["answers"]]
    lines = [json.dumps({"question": a["question"], "at": a["t"]}) for a in answers]
    path.write_text("\n".join(lines), encoding="utf-8")
    return answers
