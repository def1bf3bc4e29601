"""Many tensors in few lines, and progress on stderr."""

import re
import sys
from collections.abc import Iterable, Sequence
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


def grouped(problems: Iterable[Problem | str]) -> list[tuple[str, int]]:
    """One line for tensors that differ by their layer only, with the number of them."""
    layers: dict[tuple[str, str, str, str, str], list[int]] = {}
    lines: dict[tuple[str, ...], int] = {}
    for problem in problems:
        if isinstance(problem, str):
            lines[("", problem)] = 1
            continue
        found = re.match(r"(.*?\.)(\d+)(\..*)", problem.name)
        if not found:
            lines[(problem.file, str(problem))] = 1
            continue
        key = (problem.file, problem.kind, found[1], found[3], problem.detail)
        layers.setdefault(key, []).append(int(found[2]))
        lines[key] = len(layers[key])
    result = []
    for key, count in lines.items():
        if key in layers:
            file, kind, before, after, detail = key
            numbers = f"{{{ranges(layers[key])}}}" if count > 1 else str(layers[key][0])
            result.append((str(Problem(file, kind, f"{before}{numbers}{after}", detail)), count))
        else:
            result.append((key[-1], count))
    return result


def shortened(lines: Sequence[tuple[str, int]], limit: int | None) -> list[str]:
    """At most `limit` lines, then how many tensors are not shown."""
    if limit is None or len(lines) <= limit:
        return [text for text, _ in lines]
    rest = sum(count for _, count in lines[limit:])
    return [text for text, _ in lines[:limit]] + [f"… and {rest} more (--verbose names them)"]


class Progress:
    """What is being done: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self.stream = stream
        self.bar = stream.isatty()
        self._part = ""
        self._open = False  # a bar stands in the last line

    def say(self, text: str) -> None:
        if self._open:
            self.stream.write("\n")
            self._open = False
        self.stream.write(f"convert: {text}\n")
        self.stream.flush()

    def step(self, part: str, done: int, total: int) -> None:
        """done of total tensors of a part"""
        if not self.bar:
            if part != self._part:
                self.say(f"reading {part}: {total} tensors")
                self._part = part
            return
        filled = 30 * done // max(total, 1)
        bar = "█" * filled + "·" * (30 - filled)
        self.stream.write(f"\r\033[Kconvert: {part} {bar} {done}/{total}")
        self.stream.flush()
        self._open = True
