"""Published checkpoints → modules. Every tensor that does not fit is named, all of them at once.

Files count in the order in which the released code loads them, later ones win. `strict=False`,
which it uses everywhere, would let a renamed tensor pass silently.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from .checkpoint import (
    UNUSABLE,
    WEIGHTS,
    CheckpointError,
    OpenFiles,
    Problem,
    Shape,
    TensorFile,
    TensorFolder,
    TensorSource,
)
from .delta import Sum
from .export import all_finite
from .model import Model, empty_part
from .sizes import ModelSizes
from .upstream import (
    IGNORED_BLIP2,
    IGNORED_FINETUNE,
    IGNORED_LLAMA,
    IGNORED_VIT,
    VISION,
    Input,
    Recipe,
    Recipes,
    config_problems,
    moviechat_recipes,
)


class LoadError(Exception):
    """Checkpoints and model do not fit. problems: tensors and, as text, whole files; hints: why."""

    def __init__(self, problems: Sequence[Problem | str], hints: Sequence[str] = ()) -> None:
        super().__init__("; ".join(map(str, [*problems, *hints])))
        self.problems = problems
        self.hints = hints


@dataclass(frozen=True)
class MovieChatFiles:
    """Where the published parts lie."""

    vision: Path  # eva_vit_g.pth
    qformer: Path  # blip2_pretrained_flant5xxl.pth
    video_llama: Path  # finetune-vicuna7b-v2.pth
    llm: Path  # Vicuna's folder, or LLaMA's when there is a delta
    projection: Path | None = None  # pretrained_minigpt4.pth
    llm_delta: Path | None = None


@dataclass(frozen=True)
class Layer:
    """A source's tensors under a prefix of the whole model, and what else it may hold."""

    source: TensorSource
    prefix: str
    ignored: tuple[str, ...]

    def find(self, name: str) -> str | None:
        """Name in the whole model → in this source, if it is there."""
        if not name.startswith(self.prefix):
            return None
        inner = name.removeprefix(self.prefix)
        return inner if inner in self.source.shapes else None


@dataclass(frozen=True)
class Place:
    """A tensor that was found."""

    source: TensorSource
    name: str  # there

    @property
    def shape(self) -> Shape:
        return self.source.shapes[self.name]

    @property
    def dtype(self) -> str:
        return self.source.dtypes.get(self.name, "unknown")

    @property
    def file(self) -> str:
        return self.source.file_of(self.name)

    def problem(self, wanted: Input) -> Problem | None:
        """Why this is not the tensor that is wanted, if it is not."""
        if not wanted.fits(self.shape):
            found = "no tensor" if self.shape == UNUSABLE else str(list(self.shape))
            detail = f"found {found}, expected {wanted.expected}"
            return Problem(self.file, "wrong shape", self.name, detail)
        if self.dtype not in WEIGHTS:
            detail = f"found {self.dtype}, expected floating point, as published: not quantized"
            return Problem(self.file, "wrong dtype", self.name, detail)
        return None

    def read(self) -> Tensor:
        return self.source.read(self.name)


@dataclass
class Plan:
    """Which tensor of which file becomes which parameter. Made without reading a weight."""

    sizes: ModelSizes
    recipes: dict[str, Recipes]
    # Layers by key: vision, qformer, video_llama, llm, … in load order, later ones win
    layers: dict[str, Layer]
    problems: list[Problem | str] = field(default_factory=list)
    ignored: list[Problem] = field(default_factory=list)  # known to be useless

    def place(self, part: str, name: str) -> Place | None:
        """Where a tensor upstream comes from."""
        for key, layer in reversed(self.layers.items()):
            if (key == "llm") == (part == "language_model") and (inner := layer.find(name)):
                return Place(layer.source, inner)
        return None

    def places(self, part: str, recipe: Recipe) -> list[Place] | None:
        """Where a recipe's inputs come from; None when one is missing or does not fit."""
        found = [(wanted, self.place(part, wanted.name)) for wanted in recipe.inputs]
        places = [place for wanted, place in found if place and not place.problem(wanted)]
        return places if len(places) == len(recipe.inputs) else None

    def build(
        self,
        part: str,
        dtype: torch.dtype,
        problems: list[Problem | str],
        progress: Callable[[str, int, int], None] | None = None,
    ) -> nn.Module | None:
        """One part's module in a dtype, or None when there are problems; adds tensors with NaN to
        them. Costs the part's memory and that of the files mapped.

        Tensors that are stored in the dtype are not copied: they stay mapped.
        """
        recipes = self.recipes[part]
        broken = {problem.name for problem in problems if isinstance(problem, Problem)}
        located = {name: self.places(part, recipe) for name, recipe in recipes.items()}
        for name, places in located.items():
            if places and any(place.name in broken for place in places):
                located[name] = None
        parameters: dict[str, Tensor] = {}
        order = sorted((p[0].file, name) for name, p in located.items() if p)  # file by file
        for done, (_, name) in enumerate(order):
            if progress:
                progress(part, done, len(order))
            places = located[name] or []
            inputs = [place.read() for place in places]
            made = own_storage(recipes[name].make(*inputs), dtype)
            if not all_finite(made):
                problems += not_finite(places, inputs)
            if not problems:
                parameters[name] = made
        if progress:
            progress(part, len(order), len(order))
        if problems:
            return None
        module = empty_part(part, self.sizes)
        module.load_state_dict(parameters, assign=True)
        return module.eval()


def not_finite(places: list[Place], inputs: list[Tensor]) -> list[Problem]:
    """Which of a parameter's inputs is to blame, and why."""
    broken = [
        Problem(place.file, "not finite", place.name, f"{int((~torch.isfinite(t)).sum())} numbers")
        for place, t in zip(places, inputs, strict=True)
        if not all_finite(t)
    ]
    return broken or [
        Problem(p.file, "not finite", p.name, f"{float(t.abs().max()):.3g} is too large for fp16")
        for p, t in zip(places, inputs, strict=True)
    ]


def own_storage(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """In the dtype, contiguous, and no view of something larger, which would be saved with it."""
    tensor = tensor.to(dtype).contiguous()
    if tensor.untyped_storage().nbytes() != tensor.numel() * tensor.element_size():
        tensor = tensor.clone()
    return tensor.detach()


def home_of(part: str, name: str) -> str:
    """The layer that should hold a tensor upstream."""
    if part == "language_model":
        return "llm"
    if part == "memory_reader":
        return "video_llama"
    return "vision" if name.startswith(VISION) else "qformer"


def single_file(path: Path) -> Path:
    """A folder with one checkpoint in it stands for that (as Enxin/MovieChat-proj on disk)."""
    if not path.is_dir():
        return path
    held = sorted([*path.glob("*.pth"), *path.glob("*.safetensors")])
    if len(held) != 1:
        raise CheckpointError(
            f"'{path}' is a folder with {len(held)} *.pth or *.safetensors, expected a file"
        )
    return held[0]


def plan_moviechat(files: MovieChatFiles, sizes: ModelSizes, ignore: Sequence[str] = ()) -> Plan:
    """Opens all files and compares names and shapes. ignore: patterns of tensors to pass over."""
    plan = Plan(sizes, moviechat_recipes(sizes), {})
    open_layers(plan, files, tuple(ignore))
    wanted: dict[str, Input] = {}
    for part, recipes in plan.recipes.items():
        for need in (need for recipe in recipes.values() for need in recipe.inputs):
            wanted[need.name] = need
            compare(plan, part, need)
    projection = plan.layers.get("projection")
    if projection is not None:  # checked even where the fine-tuned file wins
        for need in (wanted["llama_proj.weight"], wanted["llama_proj.bias"]):
            compare_in(plan, projection, need)
    for layer in plan.layers.values():
        sort_out_the_rest(plan, layer, wanted)
    check_language_folders(plan)
    return plan


def open_layers(plan: Plan, files: MovieChatFiles, ignore: tuple[str, ...]) -> None:
    """All files in the order of loading, later ones win; those that cannot be read are problems."""
    opened = OpenFiles()

    def add(key: str, prefix: str, ignored: Sequence[str], read: Callable[[], TensorSource]):
        try:
            plan.layers[key] = Layer(read(), prefix, (*ignored, *ignore))
        except (CheckpointError, OSError) as error:
            plan.problems.append(str(error))

    def file(path: Path, key: str | None) -> Callable[[], TensorFile]:
        return lambda: TensorFile.open(single_file(path), key, opened)

    def language_model() -> TensorSource:
        base = TensorFolder.open(files.llm, opened)
        if files.llm_delta is None:
            return base
        return Sum(base, TensorFolder.open(files.llm_delta, opened))

    depth = plan.sizes.frame_encoder.vit.depth
    past = rf"blocks\.(?!(?:{'|'.join(map(str, range(depth)))})\.)\d+\..*"  # blocks past the depth
    add("vision", VISION, (*IGNORED_VIT, past), file(files.vision, None))
    add("qformer", "", IGNORED_BLIP2, file(files.qformer, "model"))
    if files.projection is not None:
        add("projection", "", IGNORED_FINETUNE, file(files.projection, "model"))
    add("video_llama", "", IGNORED_FINETUNE, file(files.video_llama, "model"))
    add("llm", "", IGNORED_LLAMA, language_model)


def sort_out_the_rest(plan: Plan, layer: Layer, wanted: Mapping[str, Input]) -> None:
    """What nobody asked a file for must be known to be useless."""
    known = re.compile("|".join(f"(?:{pattern})" for pattern in layer.ignored))
    for name in layer.source.shapes:
        if layer.prefix + name not in wanted:
            problem = Problem(layer.source.file_of(name), "unexpected", name)
            (plan.ignored if known.fullmatch(name) else plan.problems).append(problem)


def check_language_folders(plan: Plan) -> None:
    """config.json of base and delta, and that the two can be added."""
    source = plan.layers["llm"].source if "llm" in plan.layers else None
    folders = [source.base, source.delta] if isinstance(source, Sum) else [source]
    for folder in folders:
        if isinstance(folder, TensorFolder):
            language = plan.sizes.language_model
            plan.problems += config_problems(folder.path.name, folder.config, language)
    if isinstance(source, Sum):
        plan.problems += sorted(source.problems())


def compare(plan: Plan, part: str, wanted: Input) -> None:
    """Adds a problem when a tensor is missing or does not fit."""
    home = home_of(part, wanted.name)
    place = plan.place(part, wanted.name)
    if place is None:
        if home in plan.layers:  # else the file could not be opened, which is named already
            layer = plan.layers[home]
            inner = wanted.name.removeprefix(layer.prefix)
            plan.problems.append(Problem(layer.source.file_of(inner), "missing", inner))
    elif problem := place.problem(wanted):
        plan.problems.append(problem)


def compare_in(plan: Plan, layer: Layer, wanted: Input) -> None:
    """As compare, in one file, whether it is used or not."""
    inner = layer.find(wanted.name)
    if inner is None:
        plan.problems.append(Problem(layer.source.file_of(wanted.name), "missing", wanted.name))
        return
    problem = Place(layer.source, inner).problem(wanted)
    if problem and problem not in plan.problems:
        plan.problems.append(problem)


def load_moviechat(files: MovieChatFiles, sizes: ModelSizes) -> Model:
    """All three modules in float32, evaluation mode."""
    plan = plan_moviechat(files, sizes)
    modules = [plan.build(part, torch.float32, plan.problems) for part in Model.parts()]
    if plan.problems:
        raise LoadError(plan.problems)
    return Model(*modules)
