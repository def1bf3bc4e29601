"""Modules → a bundle: scripted, hashed, with self-test numbers."""

import gc
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from .folder import BundleError, Source, sha256_of, write_folder
from .linear import Linear, to_int8
from .llama import LanguageModel
from .model import Model
from .script_file import save_scripted
from .self_test import SELF_TEST_TOLERANCE, sample_values, self_test_output, stored_part
from .sizes import ModelSizes

SCHEMA_VERSION = 1
INTERFACE_VERSION = 2  # of the modules' methods: 2 has step_rows
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
YAML_STYLE = {"sort_keys": False, "allow_unicode": True, "width": 100, "default_flow_style": None}


@dataclass(frozen=True)
class Prompt:
    """How a question becomes text, and what ends an answer.

    template holds `<ImageHere>` and `{question}` once each; stop lists token sequences.
    """

    template: str
    stop: Sequence[Sequence[int]]
    bos: int = 1
    eos: int = 2
    answer_prefix: str = "Assistant:"
    turn: str = "###"
    context: int = 2000

    def __post_init__(self) -> None:
        for part in ("<ImageHere>", "{question}"):
            if self.template.count(part) != 1:
                found = self.template.count(part)
                raise BundleError(f"prompt template must hold {part} once, found {found} times")


@dataclass(frozen=True)
class BundleInfo:
    """What model.yaml says beside what the modules and files themselves tell."""

    name: str
    prompt: Prompt
    dtype: str = "fp32"
    llm_weights: str | None = None  # int8: see quantize
    family: str = "moviechat"
    pixel_filter: str = "bilinear"
    memory: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Source] = ()


def quantize(language_model: LanguageModel) -> None:
    """Rounds the matrices of all layers to int8 in place, one by one.

    lm_head keeps its dtype: tests/python/test_int8.py measures what it would cost.
    """
    quantize_layer(language_model.layers)


def quantize_layer(layer: nn.Module) -> None:
    """Rounds all matrices of a module to int8 in place."""
    for matrix in layer.modules():
        if isinstance(matrix, Linear):
            to_int8(matrix)


def describe_sizes(sizes: ModelSizes) -> dict[str, int]:
    """The `sizes` section of model.yaml."""
    encoder, reader, language = sizes.frame_encoder, sizes.memory_reader, sizes.language_model
    return {
        "image": encoder.vit.image,
        "tokens": reader.tokens,
        "width": reader.width,
        "queries": reader.qformer.queries,
        "hidden": reader.out,
        "vocab": language.vocab,
        "rows": language.rows,
        "layers": language.layers,
        "kv_heads": language.kv_heads,
        "head_dim": language.head_dim,
        "context": language.context,
        "positions": reader.positions.levels**2,
        "patch_tokens": encoder.vit.tokens,
        "vit_width": encoder.vit.width,
    }


def all_finite(tensor: Tensor) -> bool:
    """Without a second tensor of that size: NaN and infinity survive the extremes."""
    return tensor.numel() == 0 or bool(torch.stack(torch.aminmax(tensor)).isfinite().all())


def check_finite(module: nn.Module, name: str, dtype: str) -> None:
    """A NaN, or a weight too large for the dtype, would otherwise be found at the first answer."""
    for key, tensor in module.state_dict().items():
        if not all_finite(tensor):
            raise BundleError(
                f"{name}: {key} holds NaN or infinity in {dtype}; is the checkpoint damaged?"
            )


def is_replaceable(folder: Path) -> bool:
    """A bundle or empty: nothing that a bundle must not replace."""
    return folder.is_dir() and ((folder / "model.yaml").exists() or not any(folder.iterdir()))


def write_bundle(
    target: Path, model: Model, info: BundleInfo, tokenizer: Path, replace: bool = False
) -> None:
    """Writes the bundle folder, model.yaml last.

    The modules are converted to info.dtype and evaluation mode in place: train a copy.
    """
    parts = {part: partial(getattr, model, part) for part in Model.parts()}
    write_parts(target, model.sizes, parts, info, tokenizer, replace)


def write_parts(
    target: Path,
    sizes: ModelSizes,
    parts: Mapping[str, Callable[[], nn.Module]],
    info: BundleInfo,
    tokenizer: Path,
    replace: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """As write_bundle, with each part made, written, tested and dropped before the next is made."""
    if info.dtype not in DTYPES:
        raise BundleError(f"dtype must be one of {', '.join(DTYPES)}, got {info.dtype}")
    if info.llm_weights not in (None, "int8"):
        raise BundleError(f"llm_weights must be int8 or nothing, got {info.llm_weights}")

    def fill(folder: Path) -> None:
        outputs: dict[str, Tensor] = {}
        for part, make in parts.items():
            file = folder / f"{part}.pt"
            module = make().to("cpu", DTYPES[info.dtype]).eval()
            check_finite(module, file.name, info.dtype)
            if part == "language_model" and info.llm_weights == "int8":
                quantize(module)
            say(f"writing {file.name}")
            save_scripted(module, file)
            del module
            gc.collect()  # scripting leaves a cycle that holds the weights
            say(f"testing {file.name}")  # what was written, not what was meant
            outputs[part] = self_test_output(part, stored_part(file, sizes), sizes)
            gc.collect()
        shutil.copyfile(tokenizer, folder / "tokenizer.model")
        say("hashing sources and parts")
        description = describe(info, sizes, outputs)
        files = [*(f"{part}.pt" for part in parts), "tokenizer.model"]
        description["files"] = {name: sha256_of(folder / name) for name in files}
        text = yaml.safe_dump(description, **YAML_STYLE)
        (folder / "model.yaml").write_text(text, encoding="utf-8")

    write_folder(target, fill, replace)


def load_modules(folder: Path) -> Model:
    """The scripted modules of a bundle, on the CPU, in float32. Methods as in the classes."""
    loaded = [
        torch.jit.load(str(folder / f"{name}.pt"), map_location="cpu").float().eval()
        for name in Model.parts()
    ]
    return Model(*loaded)


def describe(info: BundleInfo, sizes: ModelSizes, outputs: Mapping[str, Tensor]) -> dict[str, Any]:
    """model.yaml but for the hashes."""
    prompt = info.prompt
    self_test: dict[str, Any] = {
        name: {"shape": list(output.shape), "values": sample_values(output)}
        for name, output in outputs.items()
    }
    description: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "interface_version": INTERFACE_VERSION,
        "name": info.name,
        "family": info.family,
        "dtype": info.dtype,
        **({"llm_weights": info.llm_weights} if info.llm_weights else {}),
        "sizes": describe_sizes(sizes),
        "pixels": {"filter": info.pixel_filter},
        "prompt": {
            "template": prompt.template,
            "bos": prompt.bos,
            "eos": prompt.eos,
            "stop": [list(ids) for ids in prompt.stop],
            "answer_prefix": prompt.answer_prefix,
            "turn": prompt.turn,
            "context": prompt.context,
        },
    }
    for section in ("memory", "plan", "generation"):
        if values := dict(getattr(info, section)):
            description[section] = values
    description["sources"] = [
        {"file": source.name, "sha256": sha256_of(source.path)} for source in info.sources
    ]
    description["self_test"] = {**self_test, "tolerance": SELF_TEST_TOLERANCE}
    return description
