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
    table = pa.Table.from_pylist([row | {"video": {"bytes": b"\x00\xff"}} for row in rows])
    pq.write_table(table, tmp_path / "test.parquet")
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "test.parquet"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == rows


def test_a_missing_number_is_null(tmp_path: Path) -> None:
    """As pandas writes a column of times that not every row has."""
    table = pa.table({"question": ["Who?", "What?"], "time": pa.array([float("nan"), 120.0])})
    pq.write_table(table, tmp_path / "test.parquet")
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "test.parquet"], capture_output=True, check=True
    )
    assert [json.loads(line)["time"] for line in done.stdout.splitlines()] == [None, 120.0]


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test.parquet").write_text("no table")
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "test.parquet"], capture_output=True)
    assert done.returncode != 0
    assert not done.stdout
