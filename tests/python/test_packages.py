"""The packages of python/ are installed and import one way; scripts/ works without that."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shell import ROOT

PACKAGES = ROOT / "python"
BEFORE = {  # package → those of ours that it may import
    "moviechat_models": set(),
    "moviechat_convert": {"moviechat_models"},
    "mini": {"moviechat_models"},
}
ENTRIES = [
    "bench/int8_error.py",
    "mini/make_movies.py",
    "mini/make_sample.py",
    "mini/train.py",
    "parquet_to_jsonl.py",
]


@pytest.mark.parametrize("name", BEFORE)
def test_a_package_is_imported_from_anywhere_and_lies_in_this_checkout(
    name: str, tmp_path: Path
) -> None:
    said = f"import {name}; print({name}.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", said], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert Path(found.stdout.strip()).parent == PACKAGES / name


def imported(file: Path) -> set[str]:
    """The packages that a file imports by name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("name", BEFORE)
def test_a_package_imports_only_itself_and_those_before_it(name: str) -> None:
    others = BEFORE.keys() - {name} - BEFORE[name]
    for file in (PACKAGES / name).glob("*.py"):
        assert imported(file).isdisjoint(others), file


@pytest.mark.parametrize("entry", ENTRIES)
def test_scripts_work_where_the_packages_are_not_installed(entry: str, tmp_path: Path) -> None:
    """-S leaves out .venv's list of folders, and so our packages; the others are given by name."""
    others = next(path for path in sys.path if path.endswith("site-packages"))
    done = subprocess.run(
        [sys.executable, "-S", ROOT / "scripts" / entry, "--help"],
        env=os.environ | {"PYTHONPATH": others},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"usage: {Path(entry).name}" in done.stdout
