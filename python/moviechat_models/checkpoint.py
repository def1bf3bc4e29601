"""Files of tensors as they are published: .pth, .bin, .safetensors, folders in HF layout.

Nothing is read before it is asked for, and only `OpenFiles.capacity` files are mapped at a time, so
that a checkpoint of any size costs the memory of what is taken from it.
"""

import json
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

Shape = tuple[int, ...]

UNUSABLE = (-1,)  # "shape" of an entry that is no tensor
WEIGHT_FILES = {  # of a folder: the one file, and what its shards are called
    "model.safetensors": "model*.safetensors",
    "pytorch_model.bin": "pytorch_model*.bin",
}
WEIGHTS = {"F64", "F32", "F16", "BF16", "float64", "float32", "float16", "bfloat16"}  # dtypes


class CheckpointError(Exception):
    """A file or folder cannot be read. One line: what, found, expected, way out."""


class TensorSource(Protocol):
    """Named tensors from somewhere."""

    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]  # as the file calls them

    def file_of(self, name: str) -> str:
        """The file that holds, or should hold, a tensor; for messages."""

    def read(self, name: str) -> Tensor:
        """One tensor, as stored."""


@dataclass(frozen=True, order=True)
class Problem:
    """One tensor that does not fit."""

    file: str
    kind: str  # missing, unexpected, wrong shape, wrong dtype, not finite
    name: str
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.file}: {self.kind}: {self.name}{detail}"


Reader = Callable[[str], Tensor]


class OpenFiles:
    """The files that are mapped now: the last few used. One thread at a time."""

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity
        self._readers: OrderedDict[tuple[Path, str | None], Reader] = OrderedDict()

    def reader(self, path: Path, key: str | None) -> Reader:
        """Name → tensor of a file."""
        if (path, key) in self._readers:
            self._readers.move_to_end((path, key))
            return self._readers[path, key]
        while len(self._readers) >= self.capacity:
            self._readers.popitem(last=False)
        if is_safetensors(path):
            reader = safe_open(str(path), framework="pt", device="cpu").get_tensor
        else:
            reader = read_pickled(path, key).__getitem__
        self._readers[path, key] = reader
        return reader


@dataclass(frozen=True)
class TensorFile:
    """One file. key: where a .pth keeps its tensors; None for a flat one."""

    path: Path
    key: str | None
    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]
    files: OpenFiles

    @classmethod
    def open(cls, path: Path, key: str | None, files: OpenFiles) -> "TensorFile":
        """Reads names and shapes only."""
        refuse_what_is_no_checkpoint(path)
        if is_safetensors(path):
            return cls(path, None, safetensors_shapes(path), safetensors_dtypes(path), files)
        held = {str(name): value for name, value in read_pickled(path, key).items()}
        tensors = {name: value for name, value in held.items() if isinstance(value, Tensor)}
        shapes = {
            name: tuple(tensors[name].shape) if name in tensors else UNUSABLE for name in held
        }
        dtypes = {name: str(t.dtype).removeprefix("torch.") for name, t in tensors.items()}
        return cls(path, key, shapes, dtypes, files)

    def file_of(self, name: str) -> str:
        return self.path.name

    def read(self, name: str) -> Tensor:
        return self.files.reader(self.path, self.key)(name)


@dataclass(frozen=True)
class TensorFolder:
    """A folder in HF layout, in one file or in shards with an index."""

    path: Path
    shards: Mapping[str, TensorFile]  # file name → file
    promised: Mapping[str, str]  # name → file name, of the index; empty without one
    shapes: Mapping[str, Shape]
    config: Mapping[str, Any]  # config.json; empty without one

    @classmethod
    def open(cls, path: Path, files: OpenFiles) -> "TensorFolder":
        """Reads names, shapes and config.json only."""
        if not path.is_dir():
            what = "is a file" if path.exists() else "does not exist"
            raise CheckpointError(
                f"'{path}' {what}; expected a language model's folder with config.json, "
                f"tokenizer.model and its weights"
            )
        names, promised = weight_files(path)
        if lost := [name for name in names if not (path / name).exists()]:
            raise CheckpointError(
                f"'{path}' lacks {', '.join(lost)}, which its index lists; download the rest"
            )
        shards = {name: TensorFile.open(path / name, None, files) for name in names}
        shapes = {name: shape for file in shards.values() for name, shape in file.shapes.items()}
        return cls(path, shards, promised, shapes, read_json(path / "config.json"))

    @property
    def files(self) -> list[Path]:
        """All that are read."""
        indexes = [self.path / f"{single}.index.json" for single in WEIGHT_FILES]
        index = [path for path in indexes if path.exists()][:1] if self.promised else []
        return [*(self.path / name for name in self.shards), *index, self.path / "config.json"]

    @property
    def dtypes(self) -> Mapping[str, str]:
        return {name: kind for file in self.shards.values() for name, kind in file.dtypes.items()}

    def file_of(self, name: str) -> str:
        if name in self.promised:
            return f"{self.path.name}/{self.promised[name]}"
        holding = [shard for shard, file in self.shards.items() if name in file.shapes]
        return f"{self.path.name}/{holding[0]}" if holding else self.path.name

    def read(self, name: str) -> Tensor:
        return next(f for f in self.shards.values() if name in f.shapes).read(name)


def weight_files(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Weight files of an HF folder, and what its index promises (name → file).

    In the order in which transformers looks for them: a folder may hold two formats.
    """
    for single, shards in WEIGHT_FILES.items():
        index = folder / f"{single}.index.json"
        if (folder / single).exists():
            return [single], {}
        if index.exists():
            promised = read_json(index).get("weight_map")
            if not isinstance(promised, dict) or not promised:
                raise CheckpointError(f"'{index}' has no 'weight_map'; download it again")
            for name, file in promised.items():
                if not isinstance(file, str):
                    raise CheckpointError(
                        f"'{index}': weight_map names no file for {name} (found: {file!r}); "
                        f"download it again"
                    )
            return sorted(set(promised.values())), promised
        if found := sorted(path.name for path in folder.glob(shards)):
            return found, {}
    held = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    raise CheckpointError(
        f"'{folder}' holds no *.safetensors and no pytorch_model*.bin (found: {held})"
    )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; empty if there is no such file."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"'{path}' is not valid JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def is_safetensors(path: Path) -> bool:
    return path.suffix == ".safetensors"


def safetensors_shapes(path: Path) -> dict[str, Shape]:
    return safetensors_known(path, lambda tensor: tuple(tensor.get_shape()))


def safetensors_dtypes(path: Path) -> dict[str, str]:
    return safetensors_known(path, lambda tensor: tensor.get_dtype())


def safetensors_known(path: Path, ask: Callable[[Any], Any]) -> dict[str, Any]:
    """Name → what is known without reading the tensor."""
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            return {name: ask(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(
            f"'{path}' is damaged or cut short ({error}); download it again"
        ) from error


def read_pickled(path: Path, key: str | None) -> Mapping[str, Any]:
    """A torch.save file, mapped where its format allows that."""
    mapped = zipfile.is_zipfile(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        reason = re.sub(r"\s+", " ", str(error))
        if found := re.search(r"GLOBAL (\S+)", reason):
            raise CheckpointError(
                f"'{path}' holds a Python object ({found[1]}), which could run code when loaded; "
                f"save its tensors alone"
            ) from error
        raise CheckpointError(f"'{path}' {DAMAGED}: {reason[:120]}") from error
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError) as error:
        size = path.stat().st_size
        reason = str(error).split(". ")[0].splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"'{path}' ({size} bytes) {DAMAGED}: {reason[:120]}") from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"'{path}' holds one {type(content).__name__}, expected named tensors; "
            f"is it the file you mean?"
        )
    if key is None:
        return content
    if not isinstance(content.get(key), Mapping):
        raise CheckpointError(
            f"'{path}' has no '{key}' (found: {', '.join(map(str, list(content)[:6]))}, …); "
            f"are two files swapped?"
        )
    return content[key]


DAMAGED = "is damaged or cut short, download it again"


def refuse_what_is_no_checkpoint(path: Path) -> None:
    """The usual ways in which a download is something else."""
    if not path.exists():
        raise CheckpointError(f"'{path}' does not exist")
    if path.is_dir():
        raise CheckpointError(f"'{path}' is a folder, expected a file")
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise CheckpointError(f"'{path}' is empty; download it again")
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"'{path}' is a git-lfs pointer; get the file itself: git lfs pull")
    if start.lstrip()[:9].lower() in (b"<!doctype", b"<html>") or start.startswith(b"<html"):
        raise CheckpointError(f"'{path}' is a web page; download the file itself")
