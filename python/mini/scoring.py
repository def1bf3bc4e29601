"""Scores of predictions by `moviechat score`, as in results.json, as tables, and as a plot.

Shares are those of the metric `exact`; intervals are 95 % and over films drawn whole, since the
questions about a film are not independent.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

Row = dict[str, Any]  # a line of predictions.jsonl: a film and its results
MODES = ("global", "breakpoint")


@dataclass(frozen=True)
class Share:
    """The share of right answers."""

    count: int
    mean: float
    interval: tuple[float, float] | None  # None of a single film

    def __str__(self) -> str:
        """'92.5 % (88–95)'"""
        text = f"{100 * self.mean:.1f} %"
        if self.interval is None:
            return text
        low, high = self.interval
        return f"{text} ({100 * low:.0f}–{100 * high:.0f})"


@dataclass(frozen=True)
class Scores:
    """Shares of all answers to some questions, of each mode, and of each kind of question."""

    modes: dict[str, Share]
    kinds: dict[str, Share]

    def column(self, name: str) -> Share | None:
        """Of a mode or kind; None where nothing of it was asked."""
        return self.modes.get(name) or self.kinds.get(name)


def of_purpose(rows: list[Row], purpose: str) -> list[Row]:
    """The rows with the results of one purpose, their kinds as categories."""
    start = f"{purpose}: "
    return [
        row
        | {
            "results": [
                result | {"category": result["category"].removeprefix(start)}
                for result in row["results"]
                if result["category"].startswith(start)
            ]
        }
        for row in rows
    ]


def score(program: Path, rows: list[Row]) -> Scores:
    """Asks `moviechat score`."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        command = [program, "score", file.name, "--metric", "exact", "--json"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"evaluate: moviechat score ended with {done.returncode}\n{done.stderr}")
    shares: dict[str, dict[str, Share]] = {"all": {}, "mode": {}, "category": {}, "length": {}}
    for group in json.loads(done.stdout)["runs"][0]["scores"]:
        exact = group["metrics"]["exact"]
        interval = None if exact["low"] is None else (exact["low"], exact["high"])
        shares[group["by"]][group["name"]] = Share(exact["n"], exact["mean"], interval)
    asked = sorted({(r["mode"], r["category"]) for row in rows for r in row["results"]})
    kinds = list(dict.fromkeys(kind for _, kind in asked))
    # `score` leaves categories out where there is but one: it is that of all
    of_kind = shares["category"] or {kinds[0]: shares["all"][""]}
    return Scores(
        {mode: shares["mode"][mode] for mode in MODES if mode in shares["mode"]},
        {kind: of_kind[kind] for kind in kinds},
    )


def summary(scores: Scores) -> dict[str, Any]:
    """One profile's results as in results.json."""
    columns = {name: scores.column(name) for name in (*MODES, "cameo")}
    result: dict[str, Any] = {name: share and share.mean for name, share in columns.items()}
    result["kinds"] = {kind: share.mean for kind, share in scores.kinds.items()}
    result["counts"] = {name: share.count if share else 0 for name, share in columns.items()}
    result["counts"] |= {kind: share.count for kind, share in scores.kinds.items()}
    return result


def table(profiles: dict[str, Scores], columns: list[str]) -> str:
    """A Markdown table: a row a profile or ablation."""
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name, scores in profiles.items():
        cells = [str(scores.column(column) or "–") for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def kinds_table(profiles: dict[str, Scores]) -> str:
    """A Markdown table: a row a kind, a column a profile."""
    first = next(iter(profiles.values()))
    lines = ["| kind | questions | " + " | ".join(profiles) + " |"]
    lines.append("|---|---|" + "---|" * len(profiles))
    for kind, share in first.kinds.items():
        cells = [str(scores.kinds[kind]) for scores in profiles.values()]
        lines.append(f"| {kind} | {share.count} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot_lengths(
    program: Path, profiles: dict[str, list[Row]], path: Path, edges: list[float]
) -> None:
    """Shares of right answers against the film's length, between edges in minutes, a line a
    profile.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for name, rows in profiles.items():
        points: dict[str, list[tuple[float, Share]]] = {mode: [] for mode in MODES}
        for low, high in pairwise(edges):
            part = [row for row in rows if low <= minutes(row) < high]
            if part:
                middle = sum(minutes(row) for row in part) / len(part)
                for mode, share in score(program, part).modes.items():
                    points[mode].append((middle, share))
        for axis, mode in zip(axes, MODES, strict=True):
            if points[mode]:
                x, shares = zip(*points[mode], strict=True)
                means = [share.mean for share in shares]
                ends = [share.interval or (share.mean, share.mean) for share in shares]
                errors = [
                    [max(0.0, mean - low) for mean, (low, _) in zip(means, ends, strict=True)],
                    [max(0.0, high - mean) for mean, (_, high) in zip(means, ends, strict=True)],
                ]
                axis.errorbar(x, means, errors, marker="o", capsize=3, label=name)
    for axis, mode in zip(axes, MODES, strict=True):
        axis.set(title=mode, xlabel="length of the film, minutes", ylim=(0.0, 1.02))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("right answers")
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def minutes(row: Row) -> float:
    """Length of a row's film."""
    return row["video_info"]["duration"] / 60.0
