"""`cmake --install`: the program runs from its prefix, with what it needs found there, and others
are built against the library."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from shell import PROGRAM, run

BUILD = PROGRAM.parents[1]
ROOT = Path(__file__).resolve().parents[2]

CMAKE_LISTS = """
cmake_minimum_required(VERSION 3.25)
project(example LANGUAGES CXX)
find_package(moviechat REQUIRED)
add_executable(example example.cpp)
target_link_libraries(example PRIVATE moviechat::moviechat)
"""


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


@pytest.fixture(scope="module")
def example(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with README's first C++ block and a link to the installed models."""
    folder = tmp_path_factory.mktemp("example")
    block = re.search(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    assert len(block[1].splitlines()) <= 15
    (folder / "example.cpp").write_text(block[1])
    (folder / "CMakeLists.txt").write_text(CMAKE_LISTS)
    (folder / "models").symlink_to(prefix / "share/moviechat/models")
    return folder


def answer_of(program: Path, folder: Path) -> str:
    clip = folder / "models/mini/sample.mp4"
    return subprocess.run(
        [program, clip], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def test_the_readmes_program_is_built_by_find_package(prefix: Path, example: Path) -> None:
    build = example / "build"
    subprocess.run(
        ["cmake", "-G", "Ninja", "-S", example, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"],
        check=True,
        capture_output=True,
    )
    subprocess.run(["cmake", "--build", build], check=True, capture_output=True)
    assert answer_of(build / "example", example) == "A red heart.\n"


def test_the_readmes_program_is_built_by_pkg_config(prefix: Path, example: Path) -> None:
    packages = next(prefix.glob("lib*/**/pkgconfig"))
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "moviechat"],
        env=os.environ | {"PKG_CONFIG_PATH": str(packages)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    program = example / "with_pkg_config"
    run_path = f"-Wl,-rpath,{packages.parent}"
    command = ["c++", "-std=c++20", example / "example.cpp", "-o", program, *flags, run_path]
    subprocess.run(command, check=True, capture_output=True)
    assert answer_of(program, example) == "A red heart.\n"


def test_the_library_exports_its_own_names_alone(prefix: Path) -> None:
    library = next(prefix.glob("lib*/**/libmoviechat.so"))
    names = subprocess.run(
        ["nm", "-DC", "--defined-only", library], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert any("moviechat::Engine::ask" in name for name in names)
    assert [name for name in names if " moviechat::" not in name and "typeinfo" not in name] == []
