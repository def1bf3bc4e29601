#!/usr/bin/env python3
"""Checks that modules include only themselves and those before them, so that data flows one way,
and that public headers need nothing but each other."""

import re
import sys
from pathlib import Path

MODULES = [
    "base",
    "media",
    "plan",
    "bundle",
    "perception",
    "memory",
    "language",
    "engine",
    "datasets",
    "eval",
    "judge",
    "score",
    "report",
    "cli",
]
NO_TENSORS = ["base", "media", "plan", "datasets", "judge"]
ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#include\s+["<]([A-Za-z_]+)/', re.MULTILINE)


def violations() -> list[str]:
    found = []
    for path in sorted([*ROOT.glob("src/*/*.h"), *ROOT.glob("src/*/*.cpp")]):
        here = path.parent.name
        name = path.relative_to(ROOT)
        if here not in MODULES:
            found.append(f"{name}: '{here}' is no module (known: {', '.join(MODULES)})")
            continue
        for included in INCLUDE.findall(path.read_text()):
            if included in MODULES and MODULES.index(included) > MODULES.index(here):
                found.append(f"{name}: {here} includes {included}, a later module")
            if here in NO_TENSORS and included in ("torch", "ATen", "c10", "bundle"):
                found.append(f"{name}: {here} knows no tensors")
    for path in sorted(ROOT.glob("include/moviechat/*.h")):
        for included in INCLUDE.findall(path.read_text()):
            if included != "moviechat":
                found.append(f"{path.relative_to(ROOT)}: a public header includes {included}/")
    return found


if __name__ == "__main__":
    problems = violations()
    print("\n".join(problems) or "layers: every module includes only itself and those before it")
    sys.exit(1 if problems else 0)
