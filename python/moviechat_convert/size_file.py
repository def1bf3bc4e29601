"""Sizes as a file: YAML or JSON, in sections. What a file leaves out keeps the published size.

vit: {image: 56, patch: 14, width: 48, depth: 3, heads: 3, mlp_ratio: 4.3637}
qformer: {width: 32, layers: 4, heads: 4, ffn: 64, queries: 8, cross_every: 2}
video_qformer: {layers: 2, queries: 8, cross_every: 1}
frame_table: 32
llama: {width: 64, layers: 2, heads: 4, ffn: 96, vocab: 512, rows: 513, positions: 2048}
memory: {K: 18, L: 256, m: 2, w: 8, n: 16}
"""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from moviechat_models.sizes import (
    FrameEncoderSizes,
    LlamaSizes,
    MemoryReaderSizes,
    ModelSizes,
    PositionSizes,
    QFormerSizes,
    VitSizes,
    moviechat_7b,
)

# Known in such files, and without influence on a bundle
UNUSED = {"seed", "released", "vit.file_blocks"}


class SizeError(Exception):
    """A size file that cannot be used. One line."""


@dataclass(frozen=True)
class MemoryDefaults:
    """Short-term capacity K, blocks kept m, long-term capacity L, window w."""

    short_capacity: int = 18
    keep: int = 2
    long_capacity: int = 256
    window: int = 8


@dataclass(frozen=True)
class Sizes:
    """A model and the defaults of its memory."""

    model: ModelSizes
    memory: MemoryDefaults


def published() -> dict[str, Any]:
    """The published model's sizes, in the form of a file."""
    sizes, memory = moviechat_7b(), MemoryDefaults()
    frame, reader, language = sizes.frame_encoder, sizes.memory_reader, sizes.language_model

    def queries(qformer: QFormerSizes) -> dict[str, Any]:
        return without(asdict(qformer), "memory_width", "dropout")

    llama = without(asdict(language), "context", "kv_heads", "dropout")
    return {
        "vit": asdict(frame.vit),
        "qformer": queries(frame.qformer),
        "video_qformer": queries(reader.qformer),
        "frame_table": reader.positions.rows,
        "llama": llama | {"positions": language.context},
        "memory": {
            "K": memory.short_capacity,
            "L": memory.long_capacity,
            "m": memory.keep,
            "w": memory.window,
            "n": reader.positions.levels,
        },
    }


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def read_sizes(path: Path | None) -> Sizes:
    """None: the published sizes."""
    if path is None:
        return sizes_from({})
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML
    except OSError as error:
        raise SizeError(f"sizes '{path}' cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SizeError(f"sizes '{path}' is neither YAML nor JSON: {reason[:160]}") from error
    if isinstance(content, Mapping) and isinstance(content.get("sizes"), Mapping):
        content = content["sizes"]
    if not isinstance(content, Mapping):
        raise SizeError(f"sizes '{path}' must hold sections ({', '.join(published())})")
    try:
        return sizes_from(content)
    except (SizeError, ValueError) as error:
        raise SizeError(f"sizes '{path}': {error}") from error


def sizes_from(given: Mapping[str, Any]) -> Sizes:
    """Sections as in the file."""
    known = published()
    check_names(given, known, "")
    frame = section(given, known, "qformer")
    # The video Q-Former is as wide as the frame Q-Former where nothing else is said.
    layout = {key: known["video_qformer"][key] for key in ("layers", "queries", "cross_every")}
    follow = {"video_qformer": frame | layout}
    video = section(given, follow | {"frame_table": 0}, "video_qformer")
    llama = section(given, known, "llama", optional=("kv_heads",))
    llama["context"] = llama.pop("positions")
    llama.setdefault("kv_heads", llama["heads"])
    memory = section(given, known, "memory")
    table = number(given.get("frame_table", known["frame_table"]), 1, "frame_table")
    vit = VitSizes(**section(given, known, "vit"))
    sizes = ModelSizes(
        frame_encoder=FrameEncoderSizes(
            vit=vit, qformer=QFormerSizes(**frame, memory_width=vit.width)
        ),
        memory_reader=MemoryReaderSizes(
            qformer=QFormerSizes(**video, memory_width=frame["width"]),
            positions=PositionSizes(rows=table, levels=memory["n"]),
            tokens=frame["queries"],
            out=llama["width"],
        ),
        language_model=LlamaSizes(**llama),
    )
    if memory["K"] <= memory["m"]:
        raise SizeError(f"memory.K must exceed memory.m ({memory['m']}), got {memory['K']}")
    positions = memory["n"] ** 2
    if "L" not in given.get("memory", {}):
        memory["L"] = min(memory["L"], positions)
    if memory["L"] > positions:
        raise SizeError(
            f"memory.L must not exceed the {positions} positions (memory.n squared), got "
            f"{memory['L']}"
        )
    return Sizes(sizes, MemoryDefaults(memory["K"], memory["m"], memory["L"], memory["w"]))


def check_names(given: Mapping[str, Any], known: Mapping[str, Any], path: str) -> None:
    """Refuses names that mean nothing here."""
    for name in given:
        if name not in known and f"{path}{name}" not in UNUSED:
            raise SizeError(f"unknown key {path}{name} (known: {', '.join(known)})")


def section(
    given: Mapping[str, Any], known: Mapping[str, Any], name: str, optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """One section, checked, over its defaults."""
    values = given.get(name, {})
    defaults: dict[str, Any] = known[name]
    if not isinstance(values, Mapping):
        raise SizeError(f"{name} must be a section (keys: {', '.join(defaults)})")
    check_names(values, {**defaults, **dict.fromkeys(optional, 1)}, f"{name}.")
    read = {
        key: number(value, defaults.get(key, 1), f"{name}.{key}")
        for key, value in values.items()
        if f"{name}.{key}" not in UNUSED
    }
    return defaults | read


def number(value: Any, example: Any, path: str) -> Any:
    """A value of the example's type, positive."""
    if isinstance(example, bool):
        if isinstance(value, bool):
            return value
        raise SizeError(f"{path} must be true or false, got {value!r}")
    if isinstance(example, float) and isinstance(value, str):
        with contextlib.suppress(ValueError):  # YAML reads 1e-6 as a text
            value = float(value)
    kinds = (int, float) if isinstance(example, float) else (int,)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < math.inf:
        kind = "number" if isinstance(example, float) else "whole number"
        raise SizeError(f"{path} must be a positive {kind}, got {value!r}")
    return value
