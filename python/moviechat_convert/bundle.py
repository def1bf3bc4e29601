"""What all bundles of the family say about themselves, and room for them on the disk."""

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from moviechat_models.export import DTYPES, BundleError, BundleInfo, Prompt, is_replaceable
from moviechat_models.folder import Source, left_behind
from moviechat_models.linear import Linear
from moviechat_models.model import Model, empty_part
from moviechat_models.sizes import ModelSizes

from .report import Progress, size_text
from .size_file import Sizes
from .tokenizer import BOS, EOS, stop_sequences

TEMPLATE = (  # reference: inference.py
    "You are able to understand the visual content that the user provides."
    "Follow the instructions carefully and explain your answers in details."
    "###Human: <Video><ImageHere></Video> {question}###Assistant:"
)
CONTEXT = 2000  # prompt and answer, as in the reference
MAX_NEW_TOKENS = 300  # and half the context at most, which leaves room for the question


def bundle_info(
    name: str,
    dtype: str,
    llm_weights: str | None,
    sizes: Sizes,
    tokenizer: Path,
    sources: Sequence[Source],
) -> BundleInfo:
    memory = sizes.memory
    context = min(CONTEXT, sizes.model.language_model.context)
    return BundleInfo(
        name=name,
        dtype=dtype,
        llm_weights=llm_weights,
        prompt=Prompt(
            template=TEMPLATE,
            stop=stop_sequences(tokenizer),
            bos=BOS,
            eos=EOS,
            context=context,
        ),
        memory={
            "short_capacity": memory.short_capacity,
            "keep": memory.keep,
            "long_capacity": memory.long_capacity,
        },
        plan={"window": memory.window},
        generation={"max_new_tokens": max(1, min(MAX_NEW_TOKENS, context // 2))},
        sources=sources,
    )


def part_bytes(sizes: ModelSizes, dtype: str, llm_weights: str | None) -> dict[str, int]:
    """Part → bytes of its weights in a dtype."""
    size = DTYPES[dtype].itemsize
    found: dict[str, int] = {}
    for part in Model.parts():
        module = empty_part(part, sizes)
        found[part] = sum(p.numel() for p in module.parameters()) * size
        if part == "language_model" and llm_weights == "int8":
            layers = [m for m in module.layers.modules() if isinstance(m, Linear)]
            found[part] -= sum(m.weight.numel() * (size - 1) - m.out_features * 4 for m in layers)
    return found


def report_left_behind(target: Path, progress: Progress) -> None:
    """Says what conversions that were killed have left beside the target."""
    folders = left_behind(target)
    lost = [folder / "old" for folder in folders if (folder / "old").is_dir()]
    if lost and not target.exists():
        move = f"mv {quoted(lost[0])} {quoted(target)}"
        progress.say(f"'{target}' was about to be replaced when a conversion was killed: {move}")
        return
    if folders:
        size = sum(path.stat().st_size for f in folders for path in f.rglob("*") if path.is_file())
        names = " ".join(quoted(folder) for folder in folders)
        progress.say(f"killed conversions have left {size_text(size)}: rm -r {names}")


def quoted(path: Path) -> str:
    return shlex.quote(str(path))


def check_room(
    target: Path, sizes: ModelSizes, dtype: str, llm_weights: str | None, replace: bool
) -> None:
    """Refuses early what would fail after minutes."""
    if target.exists() and not replace:
        raise BundleError(f"'{target}' exists already; remove it or add --replace")
    if target.exists() and not is_replaceable(target):
        raise BundleError(f"'{target}' is not a bundle (no model.yaml); it is not replaced")
    parent = target.absolute().parent
    while not parent.exists():
        parent = parent.parent
    parts = part_bytes(sizes, dtype, llm_weights).values()
    needed = sum(parts) + max(parts)  # a part is written twice: TorchScript's file, then ours
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise BundleError(
            f"'{parent}' has {size_text(free)} free, the bundle needs {size_text(needed)} "
            f"while it is written; free some or choose another --out"
        )
