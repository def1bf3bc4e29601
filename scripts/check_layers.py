#!/usr/bin/env python3
"""Checks that rooms include only themselves and rooms before them, so that data flows one way."""

import re
import sys
from pathlib import Path

ROOMS = [
    "support",
    "model",
    "video",
    "features",
    "memory",
    "prompt",
    "answer",
    "engine",
    "eval",
    "judge",
    "cli",
]
ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#include\s+"(?:moviechat/)?([a-z_]+)/', re.MULTILINE)


def room_of(path: Path) -> str:
    """include/moviechat/memory/memory.h and src/memory/memory.cpp → memory"""
    parts = path.relative_to(ROOT).parts
    return parts[2] if parts[0] == "include" else parts[1]


def violations() -> list[str]:
    found = []
    files = [
        *ROOT.glob("include/moviechat/*/*.h"),
        *ROOT.glob("src/*/*.h"),
        *ROOT.glob("src/*/*.cpp"),
    ]
    for path in sorted(files):
        here = room_of(path)
        if here not in ROOMS:
            found.append(
                f"{path.relative_to(ROOT)}: '{here}' is no room (known: {', '.join(ROOMS)})"
            )
            continue
        for included in INCLUDE.findall(path.read_text()):
            if included in ROOMS and ROOMS.index(included) > ROOMS.index(here):
                found.append(f"{path.relative_to(ROOT)}: {here} includes {included}, a later room")
        if here in ("support", "video") and "torch/" in path.read_text():
            found.append(f"{path.relative_to(ROOT)}: {here} knows no tensors")
    return found


if __name__ == "__main__":
    problems = violations()
    print("\n".join(problems) or "layers: every room includes only itself and rooms before it")
    sys.exit(1 if problems else 0)
