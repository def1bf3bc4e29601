"""Parquet annotations become rows that `moviechat eval` reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "parquet_to_jsonl.py"


def test_rows_keep_their_order_and_bytes_are_left_out(tmp_path: Path) -> None:
    """The shape of Enxin/lmms_MovieChat_test, with a column that holds a video."""
    rows = [
        {"video_name": "1.mp4", "question": "Who?", "answer": "Anaïs", "time": None},
        {"video_name": "2.mp4", "question": "What?", "answer": None, "time": 120},
    ]
    table = pa.Table.from_pylist([row | {"clip": b"\x00\xff"} for row in rows])
    pq.write_table(table, tmp_path / "test.parquet")
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "test.parquet"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == rows


def test_of_a_file_with_its_bytes_the_path_stays(tmp_path: Path) -> None:
    """A column of videos or images as Hugging Face's datasets keep it."""
    videos = [{"bytes": b"\x00\xff", "path": "1.mp4"}, {"bytes": None, "path": "2.mp4"}, None]
    pq.write_table(pa.table({"video": videos, "question": list("abc")}), tmp_path / "test.parquet")
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "test.parquet"], capture_output=True, check=True
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["video"] for row in rows] == ["1.mp4", "2.mp4", None]
    assert [row["question"] for row in rows] == ["a", "b", "c"]


def test_a_missing_number_is_null_wherever_it_is(tmp_path: Path) -> None:
    """As pandas writes a column of times that not every row has."""
    missing = float("nan")
    columns = {"time": [missing, 120.0], "scores": [[1.0, missing], [float("inf")]]}
    pq.write_table(pa.table(columns), tmp_path / "test.parquet")
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "test.parquet"], capture_output=True, check=True
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"time": None, "scores": [1.0, None]},
        {"time": 120.0, "scores": [None]},
    ]


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test.parquet").write_text("no table")
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "test.parquet"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert not done.stdout
    assert done.stderr.startswith("parquet_to_jsonl.py: cannot read ")
    assert done.stderr.count("\n") == 1
