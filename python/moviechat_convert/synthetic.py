"""`convert synthetic`: random weights of any sizes → a bundle that runs and means nothing."""

import math
import tempfile
import zlib
from pathlib import Path

import torch
from torch import Tensor, nn

from moviechat_models.export import DTYPES, write_parts
from moviechat_models.model import Model, empty_part

from .bundle import bundle_info, check_room, report_left_behind
from .report import Progress
from .size_file import Sizes
from .tokenizer import write_synthetic_tokenizer

# whose products are added to what passes through the layers
RESIDUAL = ("o_proj.weight", "down_proj.weight", "attn.proj.weight", "mlp.fc2.weight")


def random_parameter(name: str, like: Tensor, seed: int, dtype: torch.dtype, depth: int) -> Tensor:
    """As a model of `depth` layers is before training: matrices keep the scale of what passes,
    those that add to it share it out (1/√(2·depth), as in GPT-2), norms are near one. Depends on
    these arguments only.
    """
    # One number of 32 bits: torch's generator ignores the rest.
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
    values = torch.randn(like.shape, generator=generator)
    if name.endswith("qkv.bias"):  # EVA has no key bias
        values[like.numel() // 3 : 2 * like.numel() // 3] = 0
    if is_norm(name):
        values.mul_(0.1).add_(1.0 if name.endswith("weight") else 0.0)
    elif name.endswith("embed_tokens.weight"):
        pass  # a token's row, which the layers add to, is of their scale
    elif like.dim() >= 2 and not name.endswith(("tokens", "pos_embed", "cls_token", "table")):
        values.mul_(1.0 / math.sqrt(like[0].numel()))
        if name.endswith(RESIDUAL):
            values.mul_(1.0 / math.sqrt(2 * depth))
    else:
        values.mul_(0.1)
    return values.to(dtype)


def is_norm(name: str) -> bool:
    layer = name.rsplit(".", 2)[-2] if "." in name else ""
    return "norm" in layer or layer == "ln_vision"


def random_part(
    part: str, sizes: Sizes, seed: int, dtype: torch.dtype, progress: Progress
) -> nn.Module:
    """One part, made tensor by tensor: costs the part's memory and one tensor in float32."""
    module = empty_part(part, sizes.model)
    depth = {
        "frame_encoder": sizes.model.frame_encoder.vit.depth,
        "memory_reader": sizes.model.memory_reader.qformer.layers,
        "language_model": sizes.model.language_model.layers,
    }[part]
    wanted = module.state_dict()
    parameters: dict[str, Tensor] = {}
    for done, (name, like) in enumerate(wanted.items()):
        progress.step(part, done, len(wanted))
        parameters[name] = random_parameter(f"{part}.{name}", like, seed, dtype, depth)
    progress.step(part, len(wanted), len(wanted))
    module.load_state_dict(parameters, assign=True)
    return module.eval()


def make_synthetic(
    sizes: Sizes,
    seed: int,
    dtype: str,
    llm_weights: str | None,
    out: Path,
    name: str,
    replace: bool,
    progress: Progress,
) -> None:
    """The same seed gives the same bytes."""
    report_left_behind(out, progress)
    check_room(out, sizes.model, dtype, llm_weights, replace)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = Path(scratch) / "tokenizer.model"
        write_synthetic_tokenizer(tokenizer, sizes.model.language_model.vocab)
        info = bundle_info(name, dtype, llm_weights, sizes, tokenizer, sources=())
        parts = {
            part: lambda part=part: random_part(part, sizes, seed, DTYPES[dtype], progress)
            for part in Model.parts()
        }
        write_parts(out, sizes.model, parts, info, tokenizer, replace, progress.say)
