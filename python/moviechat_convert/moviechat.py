"""`convert moviechat`: the authors' files → a bundle."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from moviechat_models.checkpoint import Problem
from moviechat_models.delta import Sum
from moviechat_models.export import DTYPES, write_parts
from moviechat_models.folder import Source
from moviechat_models.load import LoadError, MovieChatFiles, Plan, plan_moviechat, single_file

from .bundle import bundle_info, check_room, report_left_behind
from .hints import hints, wrong_models
from .report import Progress, grouped, shortened
from .size_file import Sizes
from .tokenizer import TOKENIZER, tokenizer_problems


@dataclass(frozen=True)
class Conversion:
    """What is asked for."""

    files: MovieChatFiles
    sizes: Sizes
    out: Path
    name: str
    dtype: str = "fp16"
    llm_weights: str | None = None
    replace: bool = False
    ignore: Sequence[str] = ()  # patterns of unexpected tensors to pass over
    verbose: bool = False


def convert(asked: Conversion, progress: Progress) -> None:
    """Checks everything that can be checked without reading weights, then makes part by part.

    LoadError names all tensors at once; nothing is written then. Memory: a part, and two files
    mapped.
    """
    report_left_behind(asked.out, progress)
    check_room(asked.out, asked.sizes.model, asked.dtype, asked.llm_weights, asked.replace)
    progress.say("comparing names and shapes")
    plan = plan_moviechat(asked.files, asked.sizes.model, asked.ignore)
    tokenizer = (asked.files.llm_delta or asked.files.llm) / TOKENIZER
    vocab = asked.sizes.model.language_model.vocab
    plan.problems += [*wrong_models(plan), *tokenizer_problems(tokenizer, vocab)]
    report_ignored(plan.ignored, asked.verbose, progress)
    if plan.problems:
        progress.say("something does not fit: checking the numbers of the rest, to name all")
        for part in plan.recipes:
            plan.build(part, DTYPES[asked.dtype], plan.problems, progress.step)
        raise LoadError(plan.problems, hints(plan))

    def make(part: str) -> nn.Module:
        module = plan.build(part, DTYPES[asked.dtype], plan.problems, progress.step)
        if module is None:  # go on to the rest, to name all
            for rest in list(plan.recipes)[list(plan.recipes).index(part) + 1 :]:
                plan.build(rest, DTYPES[asked.dtype], plan.problems, progress.step)
            raise LoadError(plan.problems, hints(plan))
        return module

    sources = used_files(asked.files, plan, progress)
    info = bundle_info(asked.name, asked.dtype, asked.llm_weights, asked.sizes, tokenizer, sources)
    parts = {part: lambda part=part: make(part) for part in plan.recipes}
    write_parts(asked.out, asked.sizes.model, parts, info, tokenizer, asked.replace, progress.say)


def used_files(files: MovieChatFiles, plan: Plan, progress: Progress) -> list[Source]:
    """The sources that model.yaml lists, in load order; of folders, what is read of them."""
    used = [single_file(files.vision), single_file(files.qformer)]
    if files.projection is not None:
        place = plan.place("memory_reader", "llama_proj.weight")
        if place is not None and place.source is plan.layers["projection"].source:
            used.append(single_file(files.projection))
        else:
            winner = files.video_llama.name
            progress.say(f"{files.projection.name} is not used: {winner} has its own projection")
    used.append(single_file(files.video_llama))
    language = plan.layers["llm"].source
    folders = [language.base, language.delta] if isinstance(language, Sum) else [language]
    named = [Source(file, folder.path) for folder in folders for file in folder.files]
    last = folders[-1].path
    return [*map(Source, used), *named, Source(last / TOKENIZER, last)]


def report_ignored(ignored: Sequence[Problem], verbose: bool, progress: Progress) -> None:
    """Names what the files hold and the model does not have."""
    groups: dict[tuple[str, str], list[str]] = {}
    for tensor in ignored:
        layer = re.match(r".*?\.\d+(?=\.)", tensor.name)
        prefix = layer[0] if layer else tensor.name.split(".")[0]
        groups.setdefault((tensor.file, prefix), []).append(tensor.name)
    named: dict[str, list[Problem]] = {}
    for (file, prefix), names in groups.items():
        shown = names if verbose or len(names) == 1 else [f"{prefix}.* ({len(names)} tensors)"]
        named.setdefault(file, []).extend(Problem(file, "ignored", name) for name in shown)
    for tensors in named.values():
        for line in shortened(grouped(tensors), None):
            progress.say(line)
