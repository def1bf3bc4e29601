"""Types of command-line arguments, and what is said where a command cannot go on."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from typing import NoReturn

SHORTEST, LONGEST = 0.4, 600.0  # minutes of a film


def count(text: str) -> int:
    """How many of something."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number from 1 on, got '{text}'")
    return int(text)


def seed(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"must be a whole number from 0 on, got '{text}'")
    return int(text)


def minutes(text: str) -> float:
    """The length of a film."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not SHORTEST <= value <= LONGEST:
        raise ArgumentTypeError(f"must lie between {SHORTEST:g} and {LONGEST:g}, got '{text}'")
    return value


def refuse(message: str) -> NoReturn:
    """Ends the command for something that its user can mend."""
    print(message, file=sys.stderr)
    raise SystemExit(2)
