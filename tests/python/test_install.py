"""`cmake --install`: the program runs from its prefix, with what it needs found there."""

import json
import subprocess
from pathlib import Path

import pytest

from shell import PROGRAM, run

BUILD = PROGRAM.parents[1]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prefix")
    subprocess.run(
        ["cmake", "--install", BUILD, "--prefix", folder], check=True, capture_output=True
    )
    return folder


def test_the_program_finds_bundle_and_configs_in_its_prefix(prefix: Path) -> None:
    clip = prefix / "share/moviechat/models/mini/sample.mp4"
    words = ["--video", clip, "--question", "What appears only briefly?", "--json", "--quiet"]
    result = run([prefix / "bin/moviechat", *words], HOME="/nonexistent")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["bundle"]["name"] == "mini"
    settings = run([prefix / "bin/moviechat", "--print-config"]).stdout
    assert str(prefix / "share/moviechat/models/mini") in settings


def test_one_bundle_is_installed_with_the_manual_and_completions(prefix: Path) -> None:
    assert [p.name for p in (prefix / "share/moviechat/models").iterdir()] == ["mini"]
    for name in (
        "man/man1/moviechat.1",
        "bash-completion/completions/moviechat",
        "zsh/site-functions/_moviechat",
        "fish/vendor_completions.d/moviechat.fish",
    ):
        assert (prefix / "share" / name).stat().st_size > 0, name
