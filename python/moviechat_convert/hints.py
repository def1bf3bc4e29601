"""Which other model the files look like, when they do not fit or fit by accident."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from moviechat_models.checkpoint import (
    UNUSABLE,
    CheckpointError,
    Shape,
    TensorFolder,
    TensorSource,
)
from moviechat_models.delta import Sum
from moviechat_models.load import Plan

from .tokenizer import TOKENIZER, read_tokenizer

TABLE = "model.embed_tokens.weight"
NORM = "model.norm.weight"
INV_FREQ = "model.layers.0.self_attn.rotary_emb.inv_freq"
LLAMA2_CONTEXT, LLAMA2_EPS = 4096, 1e-5
T5_XL_WIDTH, BERT_WIDTH = 2048, 768  # FLAN-T5-XL, where -XXL has 4096
SMALL = 0.25  # mean of a norm's weights below which they are differences
# matrices, and rows of each, that tell whether base and delta belong together
SAMPLED, ROWS = 4, 64
LARGE = 0.5  # spread of a delta, as a share of its base's, beyond which it is no fine-tuning
ROUNDED = 0.2  # share of sums that need rounding above which they are of strangers
CANCELLED = 0.9  # of what a sum of random numbers has, in squares
ALIKE = 0.9  # cosine above which a "delta" is the base itself, trained on


def wrong_models(plan: Plan) -> list[str]:
    """Files that fit by shape and are of another model all the same: problems of their own."""
    return [*wrong_language_model(plan), *wrong_qformer(plan)]


def wrong_language_model(plan: Plan) -> Iterator[str]:
    source = source_of(plan, "llm")
    if isinstance(source, Sum):
        base, delta = source.base, source.delta
        if is_delta(base):
            yield f"{base.path.name}: wrong model: is a delta itself; --llm takes LLaMA's folder"
        elif is_finished(delta, base):
            yield (
                f"{delta.path.name}: wrong delta: is a finished model, not a difference to LLaMA; "
                f"give it as --llm, without --llm-delta"
            )
        else:
            yield from strangers(base, delta)
    elif isinstance(source, TensorFolder) and is_delta(source):
        yield (
            f"{source.path.name}: wrong model: is a delta to LLaMA; give LLaMA's folder as --llm "
            f"and this one as --llm-delta"
        )


def strangers(base: TensorFolder, delta: TensorFolder) -> Iterator[str]:
    """A base that is not the one that the delta was made from."""
    name = f"{base.path.name}/{TOKENIZER}"
    if found := other_piece(base.path / TOKENIZER, delta.path / TOKENIZER):
        index, ours, theirs = found
        yield (
            f"{name}: wrong model: token {index} is {ours!r}, in {delta.path.name} {theirs!r}; "
            f"--llm takes the first LLaMA's folder"
        )
    names = [n for n, shape in sorted(delta.shapes.items()) if base.shapes.get(n) == shape]
    matrices = [n for n in names if len(delta.shapes[n]) == 2]
    sampled = matrices[:: max(1, len(matrices) // SAMPLED)]
    pairs = [(base.read(n)[:ROWS].half(), delta.read(n)[:ROWS].half()) for n in sampled]
    sides = [torch.cat([t.flatten() for t in side]) for side in zip(*pairs, strict=True)]
    if sides and (reason := misfit(*sides)):
        yield (
            f"{delta.path.name}: wrong delta: {reason}; was not made from {base.path.name}: --llm "
            f"takes the first LLaMA's folder"
        )


def misfit(base: Tensor, delta: Tensor) -> str | None:
    """Why float16 numbers [n] look like a base and the difference of two others.

    Fine-tuning moves weights by a small share, so that a difference is exact, and so is its sum
    with its own base: 0.1 to 10% of the sums need rounding, with another base 28% and more. A large
    difference must cancel its base, else the sum is as wide as that of two random numbers.
    """
    exact = base.double() + delta.double()
    far = float(delta.double().std() / base.double().std())
    if far < LARGE:
        rounded = float((exact.half().double() != exact).double().mean())
        return f"{rounded:.0%} of its sums need rounding" if rounded > ROUNDED else None
    wide = base.double().square().mean() + delta.double().square().mean()
    if exact.square().mean() > CANCELLED * wide:
        return f"its spread is {far:.0%} of the base's, and takes nothing of the base away"
    return None


def other_piece(path: Path, other: Path) -> tuple[int, str, str] | None:
    """The first token that two tokenizers spell differently, up to the end of the smaller."""
    try:
        ours, theirs = read_tokenizer(path), read_tokenizer(other)
    except CheckpointError:  # the base's is not used, the delta's is named elsewhere
        return None
    for index in range(min(ours.get_piece_size(), theirs.get_piece_size())):
        pieces = ours.id_to_piece(index), theirs.id_to_piece(index)
        if pieces[0] != pieces[1]:
            return index, *pieces
    return None


def wrong_qformer(plan: Plan) -> Iterator[str]:
    source = source_of(plan, "qformer")
    if source is None:
        return
    width = plan.sizes.frame_encoder.qformer.width
    projection = source.shapes.get("t5_proj.weight", ())
    if projection == (T5_XL_WIDTH, BERT_WIDTH) and width == BERT_WIDTH:
        yield (
            f"{source.file_of('t5_proj.weight')}: wrong model: is BLIP-2 for FLAN-T5-XL (t5_proj "
            f"{list(projection)}); MovieChat uses blip2_pretrained_flant5xxl.pth"
        )


def hints(plan: Plan) -> list[str]:
    """Guesses at what went wrong, from names and shapes."""
    return [
        *vision_hints(plan),
        *qformer_hints(plan),
        *video_llama_hints(plan),
        *language_hints(plan),
    ]


def vision_hints(plan: Plan) -> Iterator[str]:
    source = source_of(plan, "vision")
    if source is None:
        return
    wanted = plan.sizes.frame_encoder.vit.width
    found = source.shapes.get("cls_token", ())
    if "model" in source.shapes:
        yield (
            "--vision: its tensors are under 'model', as in the Q-Former's and the fine-tuned "
            "file; are two files swapped?"
        )
    elif len(found) == 3 and found[-1] != wanted:
        yield f"--vision: is a ViT of width {found[-1]}; expected EVA's of width {wanted}"
    elif any(name.startswith(("visual.", "module.", "trunk.")) for name in source.shapes):
        yield "--vision: names are of another code base; expected eva_vit_g.pth as BLIP-2 uses it"


def qformer_hints(plan: Plan) -> Iterator[str]:
    source = source_of(plan, "qformer")
    if source is None:
        return
    key = "Qformer.bert.encoder.layer.0.crossattention.self.key.weight"
    wanted = plan.sizes.frame_encoder.vit.width
    found = source.shapes.get(key, ())
    if len(found) == 2 and found[1] != wanted:
        known = {1024: " (CLIP ViT-L)", 1408: " (EVA ViT-g)"}.get(found[1], "")
        yield (
            f"--qformer: is the Q-Former of another backbone: it looks at width {found[1]}{known}, "
            f"the vision encoder gives {wanted}"
        )
    other = {
        "opt_proj.weight": "BLIP-2 for OPT",
        "llm_proj.weight": "InstructBLIP",
        "itm_head.weight": "BLIP-2's first stage",
        "vision_proj.weight": "BLIP-2's first stage",
        "llama_proj.weight": "MiniGPT-4's or MovieChat's fine-tuned file",
    }
    if names := [what for name, what in other.items() if name in source.shapes]:
        yield f"--qformer: looks like {names[0]}; expected blip2_pretrained_flant5xxl.pth"


def video_llama_hints(plan: Plan) -> Iterator[str]:
    source = source_of(plan, "video_llama")
    if source is not None:
        video = any(name.startswith("video_Qformer.bert.encoder") for name in source.shapes)
        audio = any(name.startswith("audio_") for name in source.shapes)
        if not video and audio:
            yield "--video-llama: is the audio branch; expected finetune-vicuna7b-v2.pth"
        elif not video and "llama_proj.weight" in source.shapes:
            yield "--video-llama: looks like pretrained_minigpt4.pth, which is for --projection"
        if "llama_proj.weight" not in source.shapes and source_of(plan, "projection") is None:
            yield "--video-llama has no llama_proj: add --projection pretrained_minigpt4.pth"
    for flag in ("projection", "video_llama"):
        file = source_of(plan, flag)
        found: Shape = file.shapes.get("llama_proj.weight", ()) if file else ()
        wanted = plan.sizes.language_model.width
        if len(found) == 2 and found[0] != wanted:
            known = {5120: " (13B)", 4096: " (7B)"}
            yield (
                f"--{flag.replace('_', '-')}: projects to width {found[0]}"
                f"{known.get(found[0], '')}, the language model has {wanted}"
                f"{known.get(wanted, '')}"
            )


def language_hints(plan: Plan) -> Iterator[str]:
    source = source_of(plan, "llm")
    sizes = plan.sizes.language_model
    if isinstance(source, Sum):
        base, delta = rows_of(source.base), rows_of(source.delta)
        if is_llama2(source.base):
            yield "--llm: looks like LLaMA-2; Vicuna v0's delta is a difference to the first LLaMA"
        if delta == base == sizes.rows:
            yield "--llm: has Vicuna's padding row already; if it is Vicuna, leave out --llm-delta"
        elif delta == base:
            yield (
                f"--llm-delta: adds no padding row ({delta} rows, as LLaMA): is the delta of "
                f"Vicuna v1.1 or later; MovieChat needs vicuna-7b-delta-v0 ({sizes.rows} rows)"
            )
        return
    if not isinstance(source, TensorFolder):
        return
    shape = source.shapes.get(TABLE, ())
    if len(shape) == 2 and shape[1] != sizes.width:
        known = {4096: " (7B)", 5120: " (13B)"}.get(shape[1], "")
        yield f"--llm: is a model of width {shape[1]}{known}, expected {sizes.width}"
    elif is_llama2(source):
        yield "--llm: looks like LLaMA-2 or a model made from it; MovieChat needs Vicuna v0"
    elif len(shape) == 2 and shape[0] == sizes.rows - 1:
        yield (
            f"--llm: {shape[0]} rows are LLaMA's own or those of Vicuna v1.1 or later, which "
            f"answers nonsense here; MovieChat needs Vicuna v0 ({sizes.rows} rows): LLaMA with "
            f"--llm-delta vicuna-7b-delta-v0. If you know better: --sizes with "
            f"'llama: {{rows: {shape[0]}}}'"
        )


def source_of(plan: Plan, key: str) -> TensorSource | None:
    layer = plan.layers.get(key)
    return layer.source if layer else None


def is_llama2(folder: TensorFolder) -> bool:
    config = folder.config
    context, eps = config.get("max_position_embeddings"), config.get("rms_norm_eps")
    return context == LLAMA2_CONTEXT or eps == LLAMA2_EPS


def rows_of(folder: TensorFolder) -> int:
    return (folder.shapes.get(TABLE) or (0,))[0]


def tensor(folder: TensorFolder, name: str) -> Tensor | None:
    known = folder.shapes.get(name, UNUSABLE) != UNUSABLE
    return folder.read(name).float() if known else None


def is_delta(folder: TensorFolder) -> bool:
    """Rotary frequencies are equal in base and target, so that the difference is zero; where a file
    has none, the last norm's weights, which are about 1 in a model, are about 0.
    """
    frequencies = tensor(folder, INV_FREQ)
    if frequencies is not None:
        return bool((frequencies == 0).all())
    norm = tensor(folder, NORM)
    return norm is not None and abs(float(norm.mean())) < SMALL


def is_finished(delta: TensorFolder, base: TensorFolder) -> bool:
    """Has frequencies of its own, or norms that point where the base's do."""
    frequencies = tensor(delta, INV_FREQ)
    if frequencies is not None:
        return bool((frequencies != 0).any())
    ours, theirs = tensor(delta, NORM), tensor(base, NORM)
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return False
    scale = ours.norm() * theirs.norm()
    return bool(scale > 0) and bool((ours @ theirs) / scale > ALIKE)
