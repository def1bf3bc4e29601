"""Films whose frame i shows the number i, so that what a reader shows is known without a timestamp.

A picture is 4 x 4 blocks, black or white: bit 0 of its number at the top left, bit 15 at the bottom
right.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

SIDE = 64  # pixels
BITS = np.arange(16).reshape(4, 4)
BLOCK = SIDE // 4
BLACK, WHITE = 16, 235


def picture(number: int) -> np.ndarray:
    """The picture of a number, 0 to 65535. uint8 [SIDE, SIDE]"""
    blocks = np.where(number >> BITS & 1, WHITE, BLACK).astype(np.uint8)
    return np.kron(blocks, np.ones((BLOCK, BLOCK), np.uint8))


def number(seen: np.ndarray) -> int:
    """The number that a picture [h, w] or [h, w, 3] of any size shows, from the middles of its
    blocks."""
    grey = seen.astype(float)
    if grey.ndim == 3:
        grey = grey.mean(axis=2)
    height, width = (side // 4 for side in grey.shape)
    result = 0
    for bit in range(16):
        row, column = divmod(bit, 4)
        inner = grey[
            row * height + height // 4 : (row + 1) * height - height // 4,
            column * width + width // 4 : (column + 1) * width - width // 4,
        ]
        result |= int(inner.mean() > (BLACK + WHITE) / 2) << bit
    return result


def run(*command: object, data: bytes | None = None) -> bytes:
    """What a command writes to stdout; its stderr where it fails."""
    done = subprocess.run([str(part) for part in command], input=data, capture_output=True)
    if done.returncode:
        line = " ".join(str(part) for part in command)
        raise RuntimeError(f"{line}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def ffmpeg(*arguments: object, data: bytes | None = None) -> bytes:
    return run(
        "ffmpeg", "-v", "error", "-nostdin" if data is None else "-y", "-y", *arguments, data=data
    )


def encode(
    path: Path,
    numbers: Iterable[int],
    rate: Fraction,
    codec: Sequence[object],
    sound: float | None = None,
) -> None:
    """Encodes pictures of those numbers; `sound`: seconds of a tone beside them."""
    pixels = b"".join(picture(n).tobytes() for n in numbers)
    tone: list[object] = []
    if sound is not None:
        tone = ["-f", "lavfi", "-t", f"{sound:.6f}", "-i", "sine=frequency=440:sample_rate=44100"]
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{SIDE}x{SIDE}"),
        *("-r", rate, "-i", "-", *tone, "-pix_fmt", "yuv420p", *codec, path),
        data=pixels,
    )


def shown(path: Path) -> list[tuple[float, int]]:
    """Each frame that FFmpeg shows: when, in seconds of the file's clock, and its number.

    What an edit list leaves out is not shown; FFmpeg 5's decoders of motion JPEG and AV1 return it.
    """
    entries = "packet=pts_time,flags:frame=best_effort_timestamp_time"
    listing = json.loads(
        run(
            *("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", entries),
            *("-of", "json", path),
        )
    )["packets_and_frames"]
    left_out = {entry.get("pts_time") for entry in listing if "D" in entry.get("flags", "")}
    times = [
        entry.get("best_effort_timestamp_time") for entry in listing if entry["type"] == "frame"
    ]
    pixels = ffmpeg(
        *("-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo"),
        *("-pix_fmt", "gray", "-"),
    )
    frames = np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE)
    return [
        (float(time), number(frame))
        for time, frame in zip(times, frames, strict=True)
        if time not in left_out
    ]
