"""`convert upgrade`: the language model of an older bundle with new methods, the same weights."""

import shutil
from pathlib import Path

import torch
import yaml

from moviechat_models.export import INTERFACE_VERSION, SCHEMA_VERSION
from moviechat_models.folder import BundleError, sha256_of, write_folder
from moviechat_models.linear import hold_stored
from moviechat_models.llama import LanguageModel
from moviechat_models.script_file import save_scripted
from moviechat_models.sizes import LlamaSizes

from .report import Progress

PART = "language_model.pt"
SCHEMA_LINE = f"schema_version: {SCHEMA_VERSION}"
EXAMPLES = """\
examples:
  scripts/convert upgrade models/moviechat-7b
  scripts/convert upgrade old --out new
"""


def sizes_of(scripted: torch.jit.ScriptModule) -> LlamaSizes:
    """The numbers that shaped a scripted language model."""
    weights = scripted.state_dict()
    rows, width = weights["embed_tokens.weight"].shape
    heads = weights["layers.0.self_attn.q_proj.weight"].size(0) // scripted.head_dim
    return LlamaSizes(
        width=width,
        layers=scripted.layer_count,
        heads=heads,
        ffn=weights["layers.0.mlp.gate_proj.weight"].size(0),
        vocab=rows,
        rows=rows,
        kv_heads=scripted.kv_heads,
        context=0,  # is model.yaml's
        rms_eps=scripted.norm.eps,
        rope_base=scripted.rope_base,
        tied="lm_head.weight" not in weights,
    )


def upgrade_language_model(old: Path, new: Path) -> None:
    """Scripts today's language model with the weights of `old`, bit for bit."""
    scripted = torch.jit.load(str(old), map_location="cpu")
    with torch.device("meta"):
        module = LanguageModel(sizes_of(scripted))
    stored = scripted.state_dict()
    hold_stored(module, stored)
    module.load_state_dict(stored, assign=True)
    save_scripted(module, new)


def read_description(folder: Path) -> tuple[str, str]:
    """Text of the model.yaml of an older bundle, and the hash of its language model there."""
    model_file = folder / "model.yaml"
    if not model_file.is_file():
        raise BundleError(f"'{folder}' is not a bundle: it has no model.yaml")
    try:
        text = model_file.read_text(encoding="utf-8")
        description = yaml.safe_load(text)
        found = int(description.get("interface_version", 1))
        expected = str(description["files"][PART])
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).replace("\n", " ")
        raise BundleError(f"{model_file} cannot be read as a bundle's: {reason}") from error
    if found >= INTERFACE_VERSION:
        raise BundleError(f"'{folder}' has interface version {found} already; nothing to do")
    if f"{SCHEMA_LINE}\n" not in text:
        raise BundleError(f"{model_file} must hold '{SCHEMA_LINE}'; use the moviechat that made it")
    return text, expected


def upgrade(folder: Path, out: Path, replace: bool, progress: Progress) -> None:
    """Writes the bundle again at `out`, which may be `folder` itself."""
    text, expected = read_description(folder)
    if sha256_of(folder / PART) != expected:
        raise BundleError(f"{folder / PART} is not what model.yaml says; copy the bundle again")

    def fill(new: Path) -> None:
        shutil.copytree(folder, new, dirs_exist_ok=True, ignore=shutil.ignore_patterns(PART))
        progress.say(f"writing {PART}")
        upgrade_language_model(folder / PART, new / PART)
        version = f"{SCHEMA_LINE}\ninterface_version: {INTERFACE_VERSION}\n"
        described = text.replace(expected, sha256_of(new / PART))
        described = described.replace(f"{SCHEMA_LINE}\n", version, 1)
        (new / "model.yaml").write_text(described, encoding="utf-8")

    write_folder(out, fill, replace or out.absolute() == folder.absolute())
