"""scripts/setup on machines that lack something: stand-ins for apt's and Python's programs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534


def fake(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def checkout() -> Iterator[Path]:
    """The set-up script in a folder of its own, that any user may read, and bin/ for stand-ins."""
    with tempfile.TemporaryDirectory() as folder:
        yield make_checkout(Path(folder))


def make_checkout(folder: Path) -> Path:
    root = folder / "checkout"
    (root / "bin").mkdir(parents=True)
    for name in ("scripts/setup", "scripts/requirements.txt", "python/pyproject.toml"):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in (
        "bash",
        "dirname",
        "env",
        "grep",
        "mkdir",
        "rm",
        "sed",
        "sha256sum",
        "tail",
        "cat",
    ):
        (root / "bin" / name).symlink_to(shutil.which(name) or name)
    for part in (folder, root, root / "scripts", root / "bin"):
        part.chmod(0o777)
    return root


def set_up(checkout: Path) -> subprocess.CompletedProcess[str]:
    """As a user who is neither root nor in sudo's list."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.run(
        [checkout / "scripts" / "setup", "--deps-only"],
        env={"PATH": str(checkout / "bin")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        **user,
    )


def test_without_root_the_apt_command_is_printed(checkout: Path) -> None:
    fake(
        checkout / "bin",
        "dpkg-query",
        'case "$*" in *ccache*|*ffmpeg*) exit 1;; esac; echo "install ok installed"',
    )
    result = set_up(checkout)
    assert result.returncode == 1
    assert "sudo apt-get install -y --no-install-recommends ccache ffmpeg\n" in result.stderr


def test_a_user_whom_sudo_refuses_is_told_the_same(checkout: Path) -> None:
    fake(checkout / "bin", "dpkg-query", "exit 1")
    fake(checkout / "bin", "sudo", "exit 1")
    result = set_up(checkout)
    assert result.returncode == 1
    assert "  sudo apt-get install" in result.stderr


def test_a_step_that_fails_names_itself_and_the_way_out(checkout: Path) -> None:
    fake(checkout / "bin", "dpkg-query", 'echo "install ok installed"')
    fake(checkout / "bin", "python3", 'echo "no module named venv"; exit 1')
    result = set_up(checkout)
    assert result.returncode == 1
    assert "no module named venv" in result.stderr
    assert "step 'venv' failed; is python3-venv installed?" in result.stderr


def test_python_packages_are_installed_once(checkout: Path) -> None:
    fake(checkout / "bin", "dpkg-query", 'echo "install ok installed"')
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / "asked").touch()
    (checkout / "asked").chmod(0o666)
    fake(checkout / ".venv/bin", "python", f'echo "$*" >>{checkout}/asked')
    sources = checkout / ".deps/sentencepiece-0.2.1/sentencepiece"
    sources.mkdir(parents=True)
    (sources / "CMakeLists.txt").touch()
    for _ in range(2):
        result = set_up(checkout)
        assert result.returncode == 0, result.stderr
    locked, ours = (checkout / "asked").read_text().splitlines()
    assert locked.endswith(f"--require-hashes -r {checkout}/scripts/requirements.txt")
    assert "--no-index --no-deps --no-build-isolation" in ours
    assert ours.endswith(f"--editable {checkout}/python")
