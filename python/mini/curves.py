"""Training curves as a picture: DIR/curves.png from the lines that `progress` keeps."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHOWN = {
    "frames": ("error", "background", "shapes", "colours", "cameo"),
    "reader": ("code", "~nth_colour", "~now_colour", "~seen", "~cameo_colour", "~event_event"),
    **dict.fromkeys(
        ("language", "answers", "adapt"),
        ("loss", "GLOBAL", "BREAKPOINT", "cameo", "appears", "describe", "event"),
    ),
}


def draw_curves(folder: Path) -> None:
    """Losses and shares of right answers over the steps of each stage that has run."""
    stages = [stage for stage in SHOWN if (folder / f"{stage}.jsonl").exists()]
    if not stages:
        return
    figure, axes = plt.subplots(1, len(stages), figsize=(6 * len(stages), 4), squeeze=False)
    for axis, stage in zip(axes[0], stages, strict=True):
        lines = [json.loads(line) for line in (folder / f"{stage}.jsonl").read_text().splitlines()]
        for name in SHOWN[stage]:
            points = [(line["step"], line[name]) for line in lines if name in line]
            if points:
                axis.plot(*zip(*points, strict=True), label=name)
        axis.set(title=stage, xlabel="step", ylim=(0.0, 1.5))
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(folder / "curves.png", dpi=100)
    plt.close(figure)
