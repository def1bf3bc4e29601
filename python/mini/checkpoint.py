"""What a stage of the training leaves in a file: how far it came, and what it has learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from mini.arguments import refuse
from mini.whole_file import whole_file


def save(path: Path, state: dict[str, Any], step: int, steps: int) -> None:
    """Whole or not at all."""
    with whole_file(path) as part:
        torch.save(state | {"step": step, "steps": steps}, part)


def load(path: Path) -> dict[str, Any]:
    """What save() was given, `step` and `steps` with it."""
    state: dict[str, Any] = torch.load(path, weights_only=False)
    return state


def load_finished(path: Path) -> dict[str, Any]:
    """The same of a stage that others go on from. SystemExit(2) while it is not through."""
    stage = path.stem
    if not path.exists():
        refuse(f"train.py: stage '{stage}' has not run; add it to --stages")
    state = load(path)
    if state["step"] < state["steps"]:
        refuse(
            f"train.py: stage '{stage}' is at step {state['step']} of {state['steps']}; "
            "let it end before what comes after it"
        )
    return state


def save_array(path: Path, array: np.ndarray) -> None:
    """For np.load; whole or not at all."""
    with whole_file(path) as part, part.open("wb") as file:
        np.save(file, array)
