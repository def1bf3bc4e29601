"""Right and wrong answers → shares with 95 % intervals, tables, a plot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Answered:
    """One question with the answer got."""

    video: str
    minutes: float
    mode: str  # global or breakpoint
    kind: str
    question: str
    expected: str
    got: str

    @property
    def right(self) -> bool:
        return self.got == self.expected


def share(answers: Iterable[Answered]) -> float | None:
    """Share of right answers, None of no answers."""
    rights = [answer.right for answer in answers]
    return float(np.mean(rights)) if rights else None


def interval(share_right: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    middle = (share_right + Z * Z / (2 * count)) / (1 + Z * Z / count)
    inside = share_right * (1 - share_right) / count + Z * Z / (4 * count * count)
    half = Z * inside**0.5 / (1 + Z * Z / count)
    return middle - half, middle + half


def summary(answers: list[Answered]) -> dict[str, Any]:
    """One profile's results as in results.json."""
    kinds = sorted({(answer.mode, answer.kind) for answer in answers})
    groups = {mode: [a for a in answers if a.mode == mode] for mode in ("global", "breakpoint")}
    groups["cameo"] = [a for a in answers if a.kind == "cameo"]
    result: dict[str, Any] = {name: share(group) for name, group in groups.items()}
    result["kinds"] = {kind: share(a for a in answers if a.kind == kind) for _, kind in kinds}
    result["counts"] = {name: len(group) for name, group in groups.items()}
    result["counts"] |= {kind: sum(a.kind == kind for a in answers) for _, kind in kinds}
    return result


def cell(value: float | None, count: int) -> str:
    """'92.5 % (88–95)'"""
    if value is None:
        return "–"
    low, high = interval(value, count)
    return f"{value:.1%} ({100 * low:.0f}–{100 * high:.0f})".replace("%", " %")


def table(profiles: dict[str, dict[str, Any]], columns: list[str]) -> str:
    """A Markdown table: a row a profile or ablation."""
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name, result in profiles.items():
        cells = [
            cell(result["kinds"].get(column, result.get(column)), result["counts"].get(column, 0))
            for column in columns
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def kinds_table(profiles: dict[str, dict[str, Any]]) -> str:
    """A Markdown table: a row a kind, a column a profile."""
    first = next(iter(profiles.values()))
    lines = ["| kind | questions | " + " | ".join(profiles) + " |"]
    lines.append("|---|---|" + "---|" * len(profiles))
    for kind in first["kinds"]:
        count = first["counts"][kind]
        cells = [cell(result["kinds"].get(kind), count) for result in profiles.values()]
        lines.append(f"| {kind} | {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot_lengths(answers: dict[str, list[Answered]], path: Path, edges: list[float]) -> None:
    """Accuracy of global questions against the film's length, a line a profile."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for axis, mode in zip(axes, ("global", "breakpoint"), strict=True):
        for name, all_answers in answers.items():
            points: list[tuple[float, float, float, float]] = []
            for low, high in pairwise(edges):
                part = [a for a in all_answers if a.mode == mode and low <= a.minutes < high]
                if part:
                    value = share(part)
                    below, above = interval(value, len(part))
                    middle = float(np.mean([a.minutes for a in part]))
                    points.append((middle, value, value - below, above - value))
            if points:
                x, y, *errors = zip(*points, strict=True)
                axis.errorbar(x, y, np.maximum(0.0, errors), marker="o", capsize=3, label=name)
        axis.set(title=mode, xlabel="length of the film, minutes", ylim=(0.0, 1.02))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("right answers")
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
