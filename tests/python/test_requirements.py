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
