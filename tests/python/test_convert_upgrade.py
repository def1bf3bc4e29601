"""`convert upgrade`: older bundles with today's methods."""

import shutil
from pathlib import Path

import pytest

from moviechat_convert.__main__ import main as convert

ROOT = Path(__file__).parents[2]
MINI = ROOT / "models/mini"
OLD = ROOT / "tests/data/interface_1"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """models/mini as it was first shipped."""
    folder = shutil.copytree(MINI, tmp_path / "old")
    shutil.copytree(OLD, folder, dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_upgraded_bundle_is_the_one_that_is_shipped(old, tmp_path, elsewhere):
    out = tmp_path / "new" if elsewhere else old
    assert convert(["upgrade", str(old), *(["--out", str(out)] if elsewhere else [])]) == 0
    assert {path.name for path in out.iterdir()} == {path.name for path in MINI.iterdir()}
    for path in out.iterdir():
        assert path.read_bytes() == (MINI / path.name).read_bytes(), path.name


def test_what_cannot_be_upgraded_stays_as_it_is(old, tmp_path, capsys):
    assert convert(["upgrade", str(MINI), "--out", str(tmp_path / "new")]) == 2
    assert "has interface version 2 already; nothing to do" in capsys.readouterr().err
    damaged = old / "language_model.pt"
    damaged.write_bytes(damaged.read_bytes() + b"x")
    assert convert(["upgrade", str(old)]) == 2
    assert "is not what model.yaml says" in capsys.readouterr().err
    assert damaged.read_bytes() == (OLD / "language_model.pt").read_bytes() + b"x"
    for text in ("", "a: [", "files: 3", "interface_version: x"):
        (old / "model.yaml").write_text(text)
        assert convert(["upgrade", str(old)]) == 2
        assert "cannot be read as a bundle's" in capsys.readouterr().err
    assert convert(["upgrade", str(tmp_path)]) == 2
    assert "is not a bundle: it has no model.yaml" in capsys.readouterr().err
