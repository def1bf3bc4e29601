"""Whatever a film is made of, plans and moments show its right pictures.

Films of random codecs, containers, rates, reordering, edit lists, sound and joins, a few dozen of
them; the weekly run makes hundreds (FILM_PROPERTY_COUNT, from FILM_PROPERTY_SEED on). What is right
is known from how they were made and from FFmpeg's own tools.
"""

from __future__ import annotations

import json
import os
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from numbered_films import encode, ffmpeg, number, shown
from shell import moviechat

COUNT = int(os.environ.get("FILM_PROPERTY_COUNT", "30"))
SEED = int(os.environ.get("FILM_PROPERTY_SEED", "1"))

SLOW = [Fraction(1, 10), Fraction(1, 2), Fraction(1), Fraction(5)]
USUAL = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30)]
FAST = [Fraction(50), Fraction(60), Fraction(120), Fraction(240)]
BROADCAST = [Fraction(24), Fraction(25), Fraction(30), Fraction(50)]  # all that MPEG-2 has
WITH_SOUND = ["mp4", "mov", "mkv", "ts", "flv", "avi"]


@dataclass(frozen=True)
class Coding:
    """A codec, what holds it, and the rates that both can tell."""

    name: str
    options: Sequence[object]
    containers: Sequence[str]
    rates: Sequence[Fraction]
    reorders: bool = False


H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", 10]
HEVC = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:qp=10"]
CODINGS = [
    Coding("h264", H264, ["mp4", "mov", "mkv", "ts"], SLOW + USUAL + FAST, reorders=True),
    Coding("h264", H264, ["flv", "avi"], USUAL, reorders=True),
    Coding("hevc", HEVC, ["mp4", "mkv", "ts"], USUAL + FAST),
    Coding("mpeg2", ["-c:v", "mpeg2video", "-q:v", 2], ["ts", "mkv"], BROADCAST, reorders=True),
    Coding("mpeg4", ["-c:v", "mpeg4", "-q:v", 2], ["avi", "mp4", "mkv"], USUAL, reorders=True),
    Coding("vp8", ["-c:v", "libvpx", "-b:v", "2M"], ["webm", "mkv"], SLOW + USUAL + FAST),
    Coding("vp9", ["-c:v", "libvpx-vp9", "-b:v", "1M", "-cpu-used", 8], ["webm", "mkv"], USUAL),
    Coding("av1", ["-c:v", "libaom-av1", "-crf", 20, "-cpu-used", 8], ["mp4", "mkv"], USUAL),
    Coding("wmv2", ["-c:v", "wmv2", "-q:v", 2], ["wmv"], USUAL),
    Coding("mjpeg", ["-c:v", "mjpeg", "-q:v", 2], ["avi", "mov", "mkv"], SLOW + USUAL + FAST),
    Coding("ffv1", ["-c:v", "ffv1"], ["mkv", "nut"], SLOW + USUAL + FAST),
]


@dataclass
class Film:
    """A film and its shown frames: when each comes, in seconds since the first, and its number."""

    path: Path
    story: str  # how it was made
    frames: list[tuple[float, int]]
    duration: float  # s

    def at(self, time: float) -> int:
        times = [when for when, _ in self.frames]
        return self.frames[max(bisect_right(times, time) - 1, 0)][1]


def listed(path: Path, rate: float) -> tuple[list[tuple[float, int]], float]:
    """What FFmpeg shows of a film, and how long it is."""
    frames = shown(path)
    frames = [(when - frames[0][0], shows) for when, shows in frames]
    return frames, frames[-1][0] + 1 / rate


def make(folder: Path, seed: int) -> Film:
    choose = random.Random(seed)
    coding = choose.choice(CODINGS)
    container = choose.choice(list(coding.containers))
    rate = choose.choice(list(coding.rates))
    count = choose.randint(1, 90)
    length = count / float(rate)
    group = choose.choice([1, 12, 50, 250])
    options = [*coding.options, "-g", group]
    b_frames = choose.choice([0, 1, 3]) if coding.reorders and group > 1 else 0
    if coding.reorders:
        options += ["-bf", min(b_frames, 1) if coding.name == "mpeg4" else b_frames]
    sound = None
    if container in WITH_SOUND and length < 40:
        sound = choose.choice([None, None, length, length * 0.5 + 0.1, length + 0.6, length + 9])
    if container in ("mp4", "mov") and choose.random() < 0.3:
        options += ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
    path = folder / f"film.{container}"
    story = f"seed {seed}: {count} frames of {coding.name} in {container} at {rate}, -g {group}, "
    story += f"{b_frames} B-frames, sound {sound}, {options[len(coding.options) :]}"
    encode(path, range(1, count + 1), rate, options, sound)
    frames = [(i / float(rate), i + 1) for i in range(count)]
    # Of these ffmpeg writes other times than it is asked for.
    if coding.name == "mjpeg" or (container == "avi" and b_frames == 0):
        frames, length = listed(path, float(rate))

    change = choose.choice(["none", "none", "joined", "cut", "late"])
    if change == "joined" and container == "ts":
        again = folder / "again.ts"
        offset = choose.choice([0, 3, 5000, 80000])
        ffmpeg("-i", path, "-c", "copy", "-output_ts_offset", offset, "-f", "mpegts", again)
        both = path.read_bytes() + again.read_bytes()
        story += f", joined with itself from {offset} s on"
        path.write_bytes(both)
        frames += [(length + when, shows) for when, shows in frames]
        length *= 2
    elif change == "cut" and container in ("mp4", "mov", "mkv") and count > 20:
        whole, path = path, folder / f"cut.{container}"
        ffmpeg("-ss", f"{length * 0.4:.3f}", "-i", whole, "-c", "copy", path)
        story += ", its beginning cut off"
        frames, length = listed(path, float(rate))
    elif change == "late" and container in ("mp4", "mkv"):
        early, path = path, folder / f"late.{container}"
        ffmpeg("-itsoffset", "1.5", "-i", early, "-c", "copy", path)
        story += ", 1.5 s late"
    return Film(path, story, frames, length)


def inspected(film: Film, plan: str, folder: Path, model: Path) -> tuple[dict[str, Any], list[Any]]:
    """What inspect says of a film, and the number that each planned picture shows."""
    result = moviechat(
        *("inspect", film.path, "--plan", plan, "--frames", folder, "--json"), model=model
    )
    assert result.returncode == 0, f"{film.story}\n{result.stderr}"
    assert "damaged" not in result.stderr, film.story
    listed = json.loads((folder / "frames.json").read_text())
    for frame in listed:
        frame["shows"] = number(np.asarray(Image.open(folder / frame["file"]).convert("RGB")))
    return json.loads(result.stdout)["video"], listed


@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_every_picture_is_the_right_one(seed: int, tmp_path: Path, bundle_folder: Path) -> None:
    film = make(tmp_path, seed)
    count = len(film.frames)
    frame_time = film.duration / count

    video, planned = inspected(film, "uniform:8", tmp_path / "uniform", bundle_folder)
    assert video["frames"] == count, film.story
    assert abs(video["duration"] - film.duration) <= max(0.1, 1.01 * frame_time), film.story
    wanted = min(8, count)
    numbers = [film.frames[k * count // wanted][1] for k in range(wanted)]
    assert [frame["shows"] for frame in planned] == numbers, film.story

    rate = 5 / film.duration
    _, planned = inspected(film, f"fps:{rate:.9f}", tmp_path / "fps", bundle_folder)
    for k, frame in enumerate(planned):
        # Timestamps of some containers are rounded to milliseconds.
        near = {film.at(k / rate + shift) for shift in (-0.002, 0.002)}
        assert frame["shows"] in near, (film.story, k, frame)

    chosen = random.Random(seed).randrange(count)
    asked = ("--question", "What is on screen now?", "--plan", "uniform:2", "--json", "--quiet")
    result = moviechat("--video", film.path, "--at-frame", str(chosen), *asked, model=bundle_folder)
    assert result.returncode == 0, f"{film.story}\n{result.stderr}"
    at = json.loads(result.stdout)["results"][0]["at"]
    assert abs(at - film.frames[chosen][0]) < max(0.02, frame_time / 10), film.story
