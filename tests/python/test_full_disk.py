"""A disk that is full while a bundle is written, played by a limit on the size of files."""

import os
import subprocess
import sys

import pytest

from conftest import flags_of

LIMITED = """
import resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
from moviechat_convert.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("limit", [10_000, 150_000])
def test_a_full_disk_is_one_line_and_leaves_nothing(checkpoints, tiny_flags, tmp_path, limit):
    command = ["moviechat", *flags_of(checkpoints), *tiny_flags, "--dtype", "fp32"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *command, "--out", str(tmp_path / "bundle")],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    said = done.stderr.splitlines()
    assert all(line.startswith("convert: ") for line in said), done.stderr
    assert "is the disk full?" in said[-1]
    assert list(tmp_path.iterdir()) == []
