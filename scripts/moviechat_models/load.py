"""Published checkpoints → modules. Each tensor missing, unexpected or of another shape is named.

Files in the order in which the released code loads them, later ones win. `strict=False`, which it
uses everywhere, would let a renamed tensor pass silently.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from .eva_vit import resize_pos_embed
from .export import Model
from .sizes import VitSizes

Tensors = dict[str, Tensor]

# What each file may hold beside what is used. Anything else is an error.
IGNORED_VIT = (r"blocks\.\d+\..*", r"(norm|fc_norm|head)\..*")  # blocks past the depth
IGNORED_BLIP2 = (
    r"Qformer\.bert\.embeddings\.(position_ids|(word|position)_embeddings\.weight)",
    r"Qformer\.bert\.encoder\.layer\.\d+\.(intermediate|output)\..*",  # the text branch
    r"Qformer\.cls\..*",
    r"t5_(proj|model)\..*",
)
IGNORED_FINETUNE = (
    r".*\.position_ids",
    r".*\.rotary_emb\.inv_freq",
    r"audio_.*",
    r"imagebind.*",
)
IGNORED_LLAMA = (r".*\.rotary_emb\.inv_freq",)


class LoadError(Exception):
    """Checkpoints and model do not fit; the message names every tensor concerned."""


@dataclass(frozen=True)
class LlamaFolder:
    """A checkpoint folder in HF layout."""

    path: Path

    def tensors(self) -> Tensors:
        """All tensors of all its files."""
        files = sorted(self.path.glob("*.safetensors")) or sorted(
            self.path.glob("pytorch_model*.bin")
        )
        if not files:
            raise LoadError(f"'{self.path}' holds no *.safetensors and no pytorch_model*.bin")
        found: Tensors = {}
        for file in files:
            found |= load_file(str(file)) if file.suffix == ".safetensors" else read_pth(file)
        for index in sorted(self.path.glob("*.index.json")):
            promised = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            if lost := sorted(set(promised) - set(found)):
                raise LoadError(f"'{self.path}' lacks tensors of {index.name}: {', '.join(lost)}")
        return found


def read_pth(path: Path, key: str | None = None) -> Tensors:
    """Tensors of a torch.save file, under a key if the file has one."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    if key is not None:
        if key not in content:
            raise LoadError(f"'{path}' has no '{key}' (found: {', '.join(map(str, content))})")
        content = content[key]
    return dict(content)


def take(source: Tensors, prefix: str) -> Tensors:
    """The tensors under a prefix, without it; they are removed from source."""
    names = [name for name in source if name.startswith(prefix)]
    return {name.removeprefix(prefix): source.pop(name) for name in names}


def refuse_unknown(left: Iterable[str], ignored: Iterable[str], file: str) -> None:
    """What nobody used must be known to be useless."""
    known = re.compile("|".join(f"(?:{pattern})" for pattern in ignored))
    unknown = [name for name in left if not known.fullmatch(name)]
    if unknown:
        raise LoadError(f"{file}: unexpected tensors: {', '.join(unknown)}")


def fill(module: nn.Module, tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
    """Copies tensors into the module's parameters. names: parameter → its name upstream, for
    messages.
    """
    wanted = module.state_dict()
    missing = [names.get(name, name) for name in wanted if name not in tensors]
    extra = [names.get(name, name) for name in tensors if name not in wanted]
    wrong = [
        f"{names.get(name, name)} (found {list(tensors[name].shape)}, expected {list(want.shape)})"
        for name, want in wanted.items()
        if name in tensors and tensors[name].shape != want.shape
    ]
    problems = [
        f"{what}: {', '.join(which)}"
        for what, which in (("missing", missing), ("unexpected", extra), ("wrong shape", wrong))
        if which
    ]
    if problems:
        raise LoadError(f"{type(module).__name__}: {'; '.join(problems)}")
    module.load_state_dict({name: tensors[name] for name in wanted})


def vit_tensors(source: Tensors, sizes: VitSizes) -> Tensors:
    """EVA's names → ours. q and v biases become one (that of k is zero); positions fit the grid."""
    result: Tensors = {}
    for name in list(source):
        block = re.fullmatch(r"blocks\.(\d+)\..*", name)
        if block and int(block[1]) >= sizes.depth:
            continue
        if name.startswith(("blocks.", "patch_embed.")) or name in ("cls_token", "pos_embed"):
            result[name] = source.pop(name)
    for i in range(sizes.depth):
        q = result.pop(f"blocks.{i}.attn.q_bias", None)
        v = result.pop(f"blocks.{i}.attn.v_bias", None)
        if q is not None and v is not None:
            result[f"blocks.{i}.attn.qkv.bias"] = torch.cat((q, torch.zeros_like(q), v))
    if "pos_embed" in result:
        result["pos_embed"] = resize_pos_embed(result["pos_embed"], sizes.grid)
    return result


# BERT's names of a layer's parts → ours
LAYER_PARTS = {
    "self.query": "query",
    "self.key": "key",
    "self.value": "value",
    "output.dense": "dense",
    "output.LayerNorm": "norm",
}


def qformer_names(layers: int, cross_every: int) -> dict[str, str]:
    """Our names without the queries → BERT's, below `…Qformer.bert.`"""
    names = {"norm": "embeddings.LayerNorm"}
    for i in range(layers):
        ours, bert = f"layers.{i}", f"encoder.layer.{i}"
        kinds = ["attention"] + (["crossattention"] if i % cross_every == 0 else [])
        for kind in kinds:
            for theirs, part in LAYER_PARTS.items():
                names[f"{ours}.{kind}.{part}"] = f"{bert}.{kind}.{theirs}"
        names[f"{ours}.feed_forward.intermediate"] = f"{bert}.intermediate_query.dense"
        names[f"{ours}.feed_forward.dense"] = f"{bert}.output_query.dense"
        names[f"{ours}.feed_forward.norm"] = f"{bert}.output_query.LayerNorm"
    return {
        f"{ours}.{kind}": f"{theirs}.{kind}"
        for ours, theirs in names.items()
        for kind in ("weight", "bias")
    }


def rename(source: Tensors, names: Mapping[str, str]) -> Tensors:
    """Takes out of source what names lists; what is missing there stays missing."""
    return {ours: source.pop(theirs) for ours, theirs in names.items() if theirs in source}


def load_frame_encoder(model: Model, vit: Tensors, whole: Tensors) -> None:
    """vit: EVA's file. whole: tensors named relative to the whole model, later files already on
    top.
    """
    encoder, sizes = model.frame_encoder, model.frame_encoder.sizes
    vit = vit | take(whole, "visual_encoder.")
    tensors = {f"vit.{name}": t for name, t in vit_tensors(vit, sizes.vit).items()}
    refuse_unknown(vit, IGNORED_VIT, "vision encoder")
    names = {name: name.removeprefix("vit.") for name in encoder.state_dict()}
    names |= {
        name: f"{name.removeprefix('vit.')} (q_bias, v_bias)"
        for name in encoder.state_dict()
        if name.endswith(".qkv.bias")
    }
    qformer = {
        f"qformer.{ours}": f"Qformer.bert.{theirs}"
        for ours, theirs in qformer_names(sizes.qformer.layers, sizes.qformer.cross_every).items()
    }
    qformer |= {
        "qformer.query_tokens": "query_tokens",
        "ln_vision.weight": "ln_vision.weight",
        "ln_vision.bias": "ln_vision.bias",
    }
    fill(encoder, tensors | rename(whole, qformer), names | qformer)


def load_memory_reader(model: Model, whole: Tensors) -> None:
    """whole: tensors named relative to the whole model."""
    reader = model.memory_reader
    sizes = reader.sizes.qformer
    names = {
        f"qformer.{ours}": f"video_Qformer.bert.{theirs}"
        for ours, theirs in qformer_names(sizes.layers, sizes.cross_every).items()
    }
    names |= {
        "qformer.query_tokens": "video_query_tokens",
        "position_table": "video_frame_position_embedding.weight",
        "proj.weight": "llama_proj.weight",
        "proj.bias": "llama_proj.bias",
    }
    fill(reader, rename(whole, names), names)


def load_language_model(model: Model, source: Tensors) -> None:
    """source: tensors of an HF folder."""
    language = model.language_model
    names = {
        name: name if name.startswith("lm_head.") else f"model.{name}"
        for name in language.state_dict()
    }
    tensors = rename(source, names)
    refuse_unknown(source, IGNORED_LLAMA, "language model")
    fill(language, tensors, names)


def load_moviechat(model: Model, vit: Path, blip2: Path, finetune: Path, llama: Path) -> None:
    """Fills a model from the four published parts. finetune wins over blip2, both win over vit."""
    first = read_pth(blip2, "model")
    last = read_pth(finetune, "model")
    blip2_only = {name for name in first if name not in last}
    whole = first | last
    load_frame_encoder(model, read_pth(vit), whole)
    load_memory_reader(model, whole)
    refuse_unknown([n for n in whole if n in blip2_only], IGNORED_BLIP2, blip2.name)
    refuse_unknown([n for n in whole if n not in blip2_only], IGNORED_FINETUNE, finetune.name)
    load_language_model(model, LlamaFolder(llama).tensors())
