"""Files of precomputed vision features → blocks of frames [n, P, D], a few frames in memory."""

import pickle
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from moviechat_models.checkpoint import (
    CheckpointError,
    is_safetensors,
    read_pickled,
    refuse_what_is_no_checkpoint,
    safetensors_shapes,
)

DTYPES = {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32"}
SUFFIXES = (".npy", ".pt", ".pth", ".safetensors", ".h5", ".hdf5")
HDF5_SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True)
class FeatureSource:
    """One file's features. read(start, stop) → [stop - start, P, D] as stored."""

    path: Path
    shape: tuple[int, int, int]  # [F, P, D]
    dtype: torch.dtype
    read: Callable[[int, int], Tensor]


def find_sources(paths: Sequence[Path]) -> list[FeatureSource]:
    """Files, and those of folders in natural order (2.h5 before 10.h5), one film's all together."""
    sources = [open_source(file) for path in paths for file in files_of(path)]
    first = sources[0]
    for source in sources[1:]:
        if source.shape[1:] != first.shape[1:]:
            raise CheckpointError(
                f"'{source.path}' is {list(source.shape)}, '{first.path}' {list(first.shape)}; "
                f"are they of one model?"
            )
        if source.dtype != first.dtype:
            raise CheckpointError(
                f"'{source.path}' is {DTYPES[source.dtype]}, '{first.path}' {DTYPES[first.dtype]}; "
                f"expected one dtype for all"
            )
    return sources


def files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = [file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file()]
    if not files:
        raise CheckpointError(f"'{path}' holds no features (looked for {', '.join(SUFFIXES)})")
    files.sort(key=natural)
    check_numbers(path, files)
    return files


def check_numbers(folder: Path, files: Sequence[Path]) -> None:
    """Files named by numbers alone, counted from 0 or 1, are parts of one film: with one missing,
    all later moments would be shifted.
    """
    if not all(file.stem.isascii() and file.stem.isdigit() for file in files):
        return
    named: dict[int, Path] = {}
    for file in files:
        other = named.setdefault(int(file.stem), file)
        if other is not file:
            raise CheckpointError(
                f"'{folder}' has {other.name} and {file.name}, which count as one number; "
                f"remove one of them"
            )
    lost = [number for number in range(min(1, min(named)), max(named)) if number not in named]
    if lost:
        width = len(files[0].stem) if all(len(f.stem) == len(files[0].stem) for f in files) else 1
        names = ", ".join(f"{number:0{width}}{files[0].suffix}" for number in lost[:6])
        more = f" and {len(lost) - 6} more" if len(lost) > 6 else ""
        raise CheckpointError(
            f"'{folder}' lacks {names}{more} (it has {files[0].name} to {files[-1].name}); get the "
            f"rest, or name the files one by one"
        )


def natural(path: Path) -> list[tuple[int, int | str]]:
    """Numbers in names count as numbers."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def open_source(path: Path) -> FeatureSource:
    """Reads the shape only. CheckpointError when the file is damaged or holds something else."""
    refuse_what_is_no_checkpoint(path)
    if path.suffix == ".npy":
        return checked(path, *npy(path))
    if path.suffix in HDF5_SUFFIXES:
        return checked(path, *hdf5(path))
    if is_safetensors(path):
        return checked(path, *safetensors(path))
    return checked(path, *pickled(path))


Opened = tuple[Sequence[int], torch.dtype | str, Callable[[int, int], Tensor]]


def checked(
    path: Path, shape: Sequence[int], dtype: torch.dtype | str, read: Callable[[int, int], Tensor]
) -> FeatureSource:
    if len(shape) != 3 or 0 in shape:
        raise CheckpointError(
            f"'{path}' has shape {list(shape)}; expected [frames, patches, width], as "
            f"[64, 257, 1408]"
        )
    if dtype not in DTYPES:
        name = str(dtype).removeprefix("torch.")
        raise CheckpointError(f"'{path}' has dtype {name}; expected fp16, bf16 or fp32")
    return FeatureSource(path, (shape[0], shape[1], shape[2]), dtype, read)


def from_numpy(array: np.ndarray) -> Tensor:
    # a copy: the file may be mapped read-only, and hold its bytes in another order
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("=")))


def torch_dtype(dtype: np.dtype) -> torch.dtype | str:
    known = {"float16": torch.float16, "float32": torch.float32}
    return known.get(dtype.name, str(dtype))


def npy(path: Path) -> Opened:
    if zipfile.is_zipfile(path):
        raise CheckpointError(
            f"'{path}' is an archive (.npz), expected one array; save it alone: np.save"
        )
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0]
        if "Object arrays" in reason or "Python objects" in reason or "pickle" in reason:
            raise CheckpointError(
                f"'{path}' holds Python objects (a pickle), which could run code when loaded; "
                f"save its numbers alone: np.save(file, array.astype('float16'))"
            ) from error
        raise CheckpointError(f"'{path}' is damaged or cut short ({reason[:120]})") from error
    return array.shape, torch_dtype(array.dtype), lambda a, b: from_numpy(array[a:b])


def hdf5(path: Path) -> Opened:
    """As MovieChat-1K's training split has them: 64 frames a file, one data set in it."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise CheckpointError(f"'{path}' is damaged or cut short ({error})") from error
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    data = only(path, {str(item.name): item for item in found if item.ndim == 3}, "data sets")

    def read(start: int, stop: int) -> Tensor:
        try:
            return from_numpy(data[start:stop])
        except (OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(
                f"'{path}' is damaged: frames {start} to {stop - 1} cannot be read ({reason})"
            ) from error

    return data.shape, torch_dtype(data.dtype), read


def safetensors(path: Path) -> Opened:
    shapes = safetensors_shapes(path)
    name = only(path, {name: name for name, shape in shapes.items() if len(shape) == 3}, "tensors")

    def read(start: int, stop: int) -> Tensor:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            return file.get_slice(name)[start:stop]

    return shapes[name], read(0, 0).dtype, read


def pickled(path: Path) -> Opened:
    """torch.save of a tensor, or of a dictionary with one."""
    try:
        tensors = read_pickled(path, None)
    except CheckpointError:
        tensor = single_tensor(path)
        if tensor is None:
            raise
        tensors = {"features": tensor}
    held = {str(k): v for k, v in tensors.items() if isinstance(v, Tensor) and v.dim() == 3}
    if not held and len(tensors) == 1:
        held = {str(k): v for k, v in tensors.items() if isinstance(v, Tensor)}
    tensor = only(path, held, "tensors")
    return tuple(tensor.shape), tensor.dtype, lambda a, b: tensor[a:b].clone()


def single_tensor(path: Path) -> Tensor | None:
    """Of a file that torch.save made of a tensor alone."""
    try:
        mapped = zipfile.is_zipfile(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError):
        return None
    return content if isinstance(content, Tensor) else None


def only(path: Path, held: Mapping[str, Any], what: str) -> Any:
    """The one of three dimensions, or the one named features."""
    if len(held) == 1:
        return next(iter(held.values()))
    if "features" in held:
        return held["features"]
    names = ", ".join(list(held)[:6]) or "none"
    raise CheckpointError(
        f"'{path}' has {len(held)} {what} of three dimensions ({names}); expected one, or one "
        f"named features"
    )
