"""The batch script of an array job, without a cluster: what it runs for a task."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "slurm" / "eval.sbatch"


def task(
    folder: Path, number: int, count: int, last: int, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """One task of an array, with echo in the place of the program."""
    array = {"ID": number, "COUNT": count, "MAX": last}
    slurm = {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in array.items()}
    return subprocess.run(
        ["bash", SCRIPT, "--out", folder / "run", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "MOVIECHAT": "echo", **slurm, **environment},
    )


def test_a_task_is_a_shard_that_goes_on_where_it_was(tmp_path: Path) -> None:
    done = task(tmp_path, 3, 8, 8, "--limit", "5", "--resume")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "run" / "shard-3-of-8"
    assert done.stdout == f"eval --limit 5 --shard 3/8 --out {out} --resume\n"


def test_some_tasks_of_an_array_need_the_number_of_all(tmp_path: Path) -> None:
    done = task(tmp_path, 3, 2, 5)
    assert done.returncode == 2
    assert "set MOVIECHAT_SHARDS" in done.stderr
    assert not (tmp_path / "run").exists()
    done = task(tmp_path, 3, 2, 5, MOVIECHAT_SHARDS="8")
    assert "--shard 3/8 " in done.stdout


def test_the_number_of_all_is_the_scripts_own(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nenv\n")
    program.chmod(0o755)
    done = task(tmp_path, 3, 2, 5, MOVIECHAT_SHARDS="8", MOVIECHAT=str(program))
    assert "SLURM_ARRAY_TASK_ID=3" in done.stdout
    assert "MOVIECHAT_SHARDS" not in done.stdout
