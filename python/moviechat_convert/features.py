"""`convert features`: precomputed vision features of one film → a file that the program reads."""

import argparse
import json
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from moviechat_models.checkpoint import CheckpointError
from moviechat_models.export import DTYPES, BundleError
from moviechat_models.folder import Source, flush, sha256_of

from .feature_sources import DTYPES as DTYPE_NAMES
from .feature_sources import FeatureSource, files_of, find_sources
from .report import Progress

BLOCK = 16  # frames in memory
SAFETENSORS_NAMES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}

EXAMPLES = """\
examples:
  A film of MovieChat-1K's training split: a folder of 128 files of 64 frames, of a film of 8:17:
    scripts/convert features feature_hdf5/AWA-1 --duration 497 --dtype fp16 --out AWA-1.safetensors
    scripts/moviechat --features AWA-1.safetensors --question "What happens?" --model DIR
  Two frames a second:
    scripts/convert features film.pt --fps 2 --out film.safetensors

SOURCE: .npy, .pt, .safetensors or .h5 of shape [frames, patches, width] (eva_vit_g: [F, 257,
1408]), or folders of such files, which follow each other in the order of the numbers in their
names. Features are what the ViT gives, before ln_vision. Without --fps, --duration or --times, the
file does not say when its frames were, and moviechat takes no --at.
"""


@dataclass(frozen=True)
class FeatureConversion:
    """What is asked for. fps, duration: at most one; times [F] need a duration."""

    sources: Sequence[Path]
    out: Path
    dtype: str | None = None  # as stored
    fps: float | None = None
    duration: float | None = None
    times: Path | None = None
    replace: bool = False


def add_features(commands: Any, **formatted: Any) -> None:
    """The sub-command's flags."""
    text = "a film's precomputed vision features → a file for moviechat --features"
    command = commands.add_parser("features", help=text, **formatted)
    command.add_argument("sources", type=Path, nargs="+", metavar="SOURCE", help="files or folders")
    command.add_argument("--fps", type=float, metavar="R", help="frames a second")
    command.add_argument("--duration", type=float, metavar="S", help="the film's length in seconds")
    command.add_argument(
        "--times",
        type=Path,
        metavar="FILE",
        help="JSON list: each frame's second; needs --duration",
    )
    command.add_argument("--dtype", choices=list(DTYPES), help="to store (default: as it is)")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors")
    command.add_argument("--replace", action="store_true", help="replace an existing file")


def asked_features(options: argparse.Namespace) -> FeatureConversion:
    return FeatureConversion(
        options.sources,
        options.out,
        options.dtype,
        options.fps,
        options.duration,
        options.times,
        options.replace,
    )


def convert_features(asked: FeatureConversion, progress: Progress) -> None:
    """Written whole or not at all, in the memory of a few frames."""
    if asked.out.exists() and not asked.replace:
        raise BundleError(f"'{asked.out}' exists already; remove it or add --replace")
    sources = find_sources(asked.sources)
    dtype = DTYPES[asked.dtype] if asked.dtype else sources[0].dtype
    frames = sum(source.shape[0] for source in sources)
    shape = [frames, *sources[0].shape[1:]]
    progress.say(f"{len(sources)} file(s): {shape}, {DTYPE_NAMES[sources[0].dtype]}")
    metadata = {**timing(asked, frames), "sources": json.dumps(described(asked.sources))}
    head = header(shape, dtype, metadata)

    folder = asked.out.absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{asked.out.name}.", dir=folder)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(head)
            for block in blocks(sources, dtype, frames, progress):
                file.write(block.contiguous().view(torch.uint8).numpy().tobytes())
        temporary.chmod(0o644)
        flush(temporary)
        temporary.rename(asked.out)
        flush(folder)
    finally:
        temporary.unlink(missing_ok=True)


def blocks(
    sources: Sequence[FeatureSource], dtype: torch.dtype, frames: int, progress: Progress
) -> Iterator[Tensor]:
    """All frames in order, converted and checked."""
    done = 0
    for source in sources:
        for start in range(0, source.shape[0], BLOCK):
            stop = min(start + BLOCK, source.shape[0])
            stored = source.read(start, stop)
            if not stored.isfinite().all():
                frame = start + int(stored.isfinite().flatten(1).all(1).logical_not().nonzero()[0])
                raise CheckpointError(f"'{source.path}': frame {frame} holds NaN or infinity")
            block = stored.to(dtype)
            if not block.isfinite().all():
                raise CheckpointError(
                    f"'{source.path}' holds numbers beyond {DTYPE_NAMES[dtype]} (up to "
                    f"{stored.float().abs().max():.3g}); choose --dtype bf16 or fp32"
                )
            yield block
            done += stop - start
            progress.step("features", done, frames, "frames")


def timing(asked: FeatureConversion, frames: int) -> dict[str, str]:
    """When the frames were, as the program reads it. Nothing where it is not known."""
    if asked.fps is not None and asked.duration is not None:
        raise BundleError("--fps and --duration contradict each other; give one of them")
    for name, value in (("--fps", asked.fps), ("--duration", asked.duration)):
        if value is not None and not 0 < value < float("inf"):
            raise BundleError(f"{name} must be a positive number, got {value}")
    if asked.times is not None:
        if asked.duration is None:
            raise BundleError("--times needs --duration, the film's length")
        times = read_times(asked.times, frames, asked.duration)
        return {"duration": json.dumps(asked.duration), "times": json.dumps(times)}
    if asked.fps is not None:
        return {"fps": json.dumps(asked.fps)}
    return {} if asked.duration is None else {"duration": json.dumps(asked.duration)}


def read_times(path: Path, frames: int, duration: float) -> list[float]:
    try:
        times = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"'{path}' is not valid JSON: {error}") from error
    numbers = isinstance(times, list) and all(
        isinstance(time, int | float) and not isinstance(time, bool) for time in times
    )
    if not numbers or len(times) != frames:
        raise BundleError(f"'{path}' must list {frames} numbers, one a frame")
    ascending = all(a < b for a, b in pairwise(times))
    if not ascending or times[0] < 0 or times[-1] >= duration:
        raise BundleError(f"'{path}' must ascend from 0 on and end before {duration} s")
    return [float(time) for time in times]


def described(paths: Sequence[Path]) -> list[Mapping[str, str]]:
    """All files, as model.yaml lists its sources."""
    sources = [
        Source(file, path if path.is_dir() else None) for path in paths for file in files_of(path)
    ]
    return [{"file": source.name, "sha256": sha256_of(source.path)} for source in sources]


def header(shape: Sequence[int], dtype: torch.dtype, metadata: Mapping[str, str]) -> bytes:
    """Of a safetensors file with one tensor: its length, JSON, the data 8-byte aligned."""
    count = dtype.itemsize
    for size in shape:
        count *= size
    tensor = {"dtype": SAFETENSORS_NAMES[dtype], "shape": list(shape), "data_offsets": [0, count]}
    text = json.dumps({"__metadata__": dict(metadata), "features": tensor}).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text
