"""scripts/requirements.txt: all that is installed, by version and hash, for each Python."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

SCRIPTS = Path(__file__).parents[2] / "scripts"


def entries() -> list[tuple[Requirement, list[str]]]:
    """Every requirement of the lock with its hashes."""
    text = (SCRIPTS / "requirements.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return [
        (Requirement(re.split(r"\s--hash", line)[0].strip()), re.findall(r"--hash=(\S+)", line))
        for line in lines
    ]


def named() -> dict[str, str]:
    """Name → version of what requirements.in asks for."""
    lines = (SCRIPTS / "requirements.in").read_text().splitlines()
    pins = [line.split("#")[0].strip() for line in lines]
    return {name.lower(): version for name, _, version in (p.partition("==") for p in pins if p)}


def test_everything_has_one_version_and_hashes() -> None:
    for requirement, hashes in entries():
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


@pytest.mark.parametrize("python", ["3.11.2", "3.12.3", "3.13.5"])
def test_each_python_gets_all_that_is_named_once(python: str) -> None:
    machine = {
        "sys_platform": "linux",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
    }
    chosen: dict[str, str] = {}
    for requirement, _ in entries():
        if requirement.marker is None or requirement.marker.evaluate(machine):
            assert requirement.name not in chosen, f"{requirement.name} twice"
            chosen[requirement.name] = str(requirement.specifier).removeprefix("==")
    assert {name: chosen.get(name) for name in named()} == named()


def test_what_third_party_says_of_sentencepiece_is_what_is_locked() -> None:
    root = SCRIPTS.parent
    said = (root / "third_party/sentencepiece/README.md").read_text()
    version = named()["sentencepiece"]
    hashes = next(hashes for wanted, hashes in entries() if wanted.name == "sentencepiece")
    assert f"| version | {version} |" in said
    assert f"sha256:{re.search('[0-9a-f]{64}', said)[0]}" in hashes
    assert f"sentencepiece_version={version}\n" in (SCRIPTS / "setup").read_text()
    built = (root / "third_party/sentencepiece/CMakeLists.txt").read_text()
    assert f".deps/sentencepiece-{version}/sentencepiece " in built


def test_third_party_names_every_library_that_setup_installs() -> None:
    said = (SCRIPTS.parent / "third_party/README.md").read_text()
    wanted = re.findall(r"\b[a-z0-9-]+-dev\b", (SCRIPTS / "setup").read_text())
    assert {"libavformat-dev", "libgtest-dev"} <= set(wanted)
    assert [name for name in wanted if not re.search(rf"\b{name}\b", said)] == []
