"""Runs of an evaluation as files, and `moviechat score` over them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shell import PROGRAM

needs_program = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} has not been built")


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
