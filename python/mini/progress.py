"""How training goes: lines on stdout, numbers in a file, a picture of the curves."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")


def tell_each_tenth(name: str, items: Iterable[Item], count: int) -> Iterator[Item]:
    """The items as they come; a line on stdout when another tenth of `count` is through."""
    for number, item in enumerate(items, start=1):
        yield item
        if number * 10 // count > (number - 1) * 10 // count:
            print(f"{name} {number}/{count}", flush=True)


class Progress:
    """Means of what is added between two tellings; DIR/<stage>.jsonl has a line for each."""

    def __init__(self, stage: str, folder: Path, start: int, steps: int) -> None:
        self._stage, self._steps = stage, steps
        self._path = folder / f"{stage}.jsonl"
        self._sums: dict[str, list[float]] = defaultdict(list)
        self._began, self._start = time.time(), start

    def add(self, **values: float) -> None:
        for name, value in values.items():
            self._sums[name].append(value)

    def tell(self, step: int, values: dict[str, float]) -> None:
        """Prints and keeps the means so far and other values."""
        means = {name: sum(v) / len(v) for name, v in self._sums.items()}
        self._sums.clear()
        seconds = time.time() - self._began
        line = {"step": step + 1, "seconds": round(seconds, 1)}
        line |= {name: round(value, 4) for name, value in (means | values).items()}
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        shown = " ".join(f"{k} {v:.3f}" for k, v in line.items() if k not in ("step", "seconds"))
        rate = seconds / max(1, step + 1 - self._start)
        print(f"{self._stage} {step + 1}/{self._steps} {shown} {rate:.3f} s/step", flush=True)
