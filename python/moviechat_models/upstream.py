"""What the published files call our parameters, and what else they may hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .checkpoint import Shape
from .eva_vit import resize_pos_embed
from .model import Model, empty_part
from .sizes import LlamaSizes, ModelSizes, VitSizes

# What each file may hold beside what is used. Anything else is an error.
IGNORED_VIT = (r"(norm|fc_norm|head)\..*",)  # and the blocks past the depth
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

VISION = "visual_encoder."  # prefix of the ViT's tensors in the whole model


@dataclass(frozen=True)
class Input:
    """A tensor upstream. Of positions (a class token and a square grid) any number fits."""

    name: str
    shape: Shape
    any_grid: bool = False

    def fits(self, shape: Shape) -> bool:
        if not self.any_grid or len(shape) != 3:
            return shape == self.shape
        patches = shape[1] - 1
        square = patches > 0 and round(patches**0.5) ** 2 == patches
        return square and (shape[0], shape[2]) == (self.shape[0], self.shape[2])

    @property
    def expected(self) -> str:
        if not self.any_grid:
            return str(list(self.shape))
        return f"[{self.shape[0]}, 1 + a square number, {self.shape[2]}]"


@dataclass(frozen=True)
class Recipe:
    """How a parameter is made from tensors upstream."""

    inputs: tuple[Input, ...]
    make: Callable[..., Tensor] = lambda tensor: tensor


Recipes = dict[str, Recipe]  # parameter → recipe


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


def join_bias(q: Tensor, v: Tensor) -> Tensor:
    """[D], [D] → [3D]: the ViT has no key bias."""
    return torch.cat((q, torch.zeros_like(q), v))


def vit_recipe(name: str, shape: Shape, sizes: VitSizes) -> Recipe:
    """name: of a parameter of the ViT, ours."""
    if name.endswith(".attn.qkv.bias"):
        block = VISION + name.removesuffix("qkv.bias")
        half = (shape[0] // 3,)
        return Recipe((Input(f"{block}q_bias", half), Input(f"{block}v_bias", half)), join_bias)
    if name == "pos_embed":  # of any square grid
        wanted = Input(VISION + name, shape, any_grid=True)
        return Recipe((wanted,), lambda table: resize_pos_embed(table, sizes.grid))
    return Recipe((Input(VISION + name, shape),))


def moviechat_recipes(sizes: ModelSizes) -> dict[str, Recipes]:
    """Part → its parameters' recipes. Names upstream are relative to the whole model; the language
    model's to its folder.
    """
    frame, video = sizes.frame_encoder.qformer, sizes.memory_reader.qformer
    encoder_names = {
        f"qformer.{ours}": f"Qformer.bert.{theirs}"
        for ours, theirs in qformer_names(frame.layers, frame.cross_every).items()
    }
    encoder_names["qformer.query_tokens"] = "query_tokens"
    reader_names = {
        f"qformer.{ours}": f"video_Qformer.bert.{theirs}"
        for ours, theirs in qformer_names(video.layers, video.cross_every).items()
    }
    reader_names["qformer.query_tokens"] = "video_query_tokens"
    reader_names["position_table"] = "video_frame_position_embedding.weight"
    recipes: dict[str, Recipes] = {}
    for part in Model.parts():
        recipes[part] = {}
        for name, parameter in empty_part(part, sizes).state_dict().items():
            shape = tuple(parameter.shape)
            if part == "frame_encoder" and name.startswith("vit."):
                recipe = vit_recipe(name.removeprefix("vit."), shape, sizes.frame_encoder.vit)
            elif part == "frame_encoder":
                recipe = Recipe((Input(encoder_names.get(name, name), shape),))
            elif part == "memory_reader":
                theirs = reader_names.get(name, name.replace("proj.", "llama_proj."))
                recipe = Recipe((Input(theirs, shape),))
            else:
                theirs = name if name.startswith("lm_head.") else f"model.{name}"
                # reference: from_pretrained(…, torch_dtype=float16), whatever the file holds
                recipe = Recipe((Input(theirs, shape),), lambda tensor: tensor.half())
            recipes[part][name] = recipe
    return recipes


def config_problems(folder: str, config: Mapping[str, Any], sizes: LlamaSizes) -> list[str]:
    """What config.json says that no shape tells, or that tells another model apart."""
    expected = {
        "hidden_size": sizes.width,
        "intermediate_size": sizes.ffn,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "max_position_embeddings": sizes.context,
        "rms_norm_eps": sizes.rms_eps,
        "rope_theta": sizes.rope_base,
        "model_type": "llama",
        "hidden_act": "silu",
    }
    if not config:
        return [f"{folder}/config.json: is missing; heads and eps are known from there alone"]
    return [
        f"{folder}/config.json: {key} is {config[key]}, expected {value}"
        for key, value in expected.items()
        if config.get(key) is not None and config[key] != value
    ]
