"""Many tensors in few lines, and progress on stderr."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TextIO

from moviechat_models.checkpoint import Problem

SHOWN = 10  # lines; the rest is counted


def ranges(numbers: Iterable[int]) -> str:
    """{3, 0, 1, 2, 7} → "0..3,7" """
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}..{b}" for a, b in spans)


def size_text(count: float) -> str:
    """Bytes, readable."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


@dataclass(frozen=True)
class Line:
    """One line of a report, and how many tensors it names."""

    file: str
    text: str
    count: int = 1


def grouped(problems: Iterable[Problem | str]) -> list[Line]:
    """One line for tensors that differ by their layer only."""
    layers: dict[tuple[str, ...], list[int]] = {}  # what the tensors share → their layers
    order: dict[tuple[str, ...], Line] = {}
    for problem in problems:
        if isinstance(problem, str):
            order[("", problem)] = Line("", problem)
            continue
        found = re.match(r"(.*?\.)(\d+)(\..*)", problem.name)
        if not found:
            order[(problem.file, str(problem))] = Line(problem.file, str(problem))
            continue
        key = (problem.file, problem.kind, found[1], found[3], problem.detail)
        numbers = layers.setdefault(key, [])
        numbers.append(int(found[2]))
        layer = f"{{{ranges(numbers)}}}" if len(numbers) > 1 else found[2]
        joined = replace(problem, name=f"{found[1]}{layer}{found[3]}")
        order[key] = Line(problem.file, str(joined), len(numbers))
    return list(order.values())


def shortened(lines: Sequence[Line], limit: int | None) -> list[str]:
    """At most about `limit` lines, some of every file, then how many tensors are not shown."""
    if limit is None or len(lines) <= limit:
        return [line.text for line in lines]
    files = {line.file for line in lines}
    share = max(1, limit // len(files))
    shown: list[Line] = []
    for line in lines:
        if sum(other.file == line.file for other in shown) < share:
            shown.append(line)
    rest = sum(line.count for line in lines) - sum(line.count for line in shown)
    return [line.text for line in shown] + [f"… and {rest} more (--verbose names them)"]


class Progress:
    """What is being done: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.bar = self.stream.isatty()
        self._part = ""
        self._open = False  # a bar stands in the last line

    def say(self, text: str) -> None:
        if self._open:
            self.stream.write("\n")
            self._open = False
        self.stream.write(f"convert: {text}\n")
        self.stream.flush()

    def step(self, part: str, done: int, total: int, unit: str = "tensors") -> None:
        """done of total tensors, or other units, of a part"""
        if not self.bar:
            if part != self._part:
                self.say(f"{part}: {total} {unit}")
                self._part = part
            return
        filled = 30 * done // max(total, 1)
        bar = "█" * filled + "·" * (30 - filled)
        self.stream.write(f"\r\033[Kconvert: {part} {bar} {done}/{total}")
        self.stream.flush()
        self._open = True
