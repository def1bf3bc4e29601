"""Shared by all Python tests: goldens, the tiny model in eager mode, the committed bundle."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import Tensor

from checkpoint_files import Files
from mini.memories import FilmPool
from mini.sizes import VOCABULARY, mini_sizes
from mini.tokenizer import MiniTokenizer, train_tokenizer
from mini.train_answers import Answerer
from moviechat_convert.__main__ import main as convert
from moviechat_convert.size_file import read_sizes
from moviechat_models.export import load_modules
from moviechat_models.llama import LanguageModel
from moviechat_models.load import MovieChatFiles, load_moviechat
from moviechat_models.memory_reader import MemoryReader
from moviechat_models.model import Model
from moviechat_models.sizes import ModelSizes

DATA = Path(__file__).parents[1] / "data"
GOLDEN_TOLERANCE = 1e-4  # golden.json, notes.tolerance

torch.set_num_threads(1)  # tiny matrices: more threads only wait for each other


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return DATA / "golden"


@pytest.fixture(scope="session")
def bundle_folder() -> Path:
    return DATA / "tiny_bundle"


@pytest.fixture(scope="session")
def golden(golden_folder: Path) -> dict[str, Any]:
    return json.loads((golden_folder / "golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tensors(golden_folder: Path) -> Callable[[str], dict[str, Tensor]]:
    """Name of a golden file → its tensors"""
    return lambda name: load_file(str(golden_folder / f"{name}.safetensors"))


@pytest.fixture(scope="session")
def sizes(golden_folder: Path) -> ModelSizes:
    return read_sizes(golden_folder / "golden.json").model


@pytest.fixture(scope="session")
def checkpoints(golden_folder: Path) -> MovieChatFiles:
    """The tiny model as it would be published."""
    return MovieChatFiles(
        vision=golden_folder / "eva_vit_g.pth",
        qformer=golden_folder / "blip2_pretrained_flant5xxl.pth",
        video_llama=golden_folder / "finetune-vicuna7b-v2.pth",
        llm=golden_folder / "vicuna",
    )


@pytest.fixture
def model(sizes: ModelSizes, checkpoints: MovieChatFiles) -> Model:
    """The tiny model in eager mode, evaluation mode, float32."""
    return load_moviechat(checkpoints, sizes)


@pytest.fixture
def scripted(bundle_folder: Path) -> Model:
    """The modules of the committed bundle."""
    return load_modules(bundle_folder)


def flags_of(files: MovieChatFiles) -> list[str]:
    """The command line of `convert moviechat` for these files."""
    paths = {key: path for key, path in vars(files).items() if path is not None}
    return [
        word for key, path in paths.items() for word in (f"--{key.replace('_', '-')}", str(path))
    ]


@pytest.fixture(scope="session")
def tiny_flags(golden_folder: Path) -> list[str]:
    """Of `convert moviechat` for the tiny checkpoints."""
    return ["--sizes", str(golden_folder / "golden.json"), "--name", "tiny"]


@pytest.fixture(scope="session")
def build_tiny(golden_folder: Path, checkpoints: MovieChatFiles) -> Callable[[Path], None]:
    """Builds the tiny bundle in a folder, as users do."""
    sizes = ["--sizes", str(golden_folder / "golden.json"), "--dtype", "fp32", "--name", "tiny"]

    def build(out: Path) -> None:
        command = ["moviechat", *flags_of(checkpoints), *sizes, "--out", str(out)]
        assert convert(command) == 0

    return build


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def model_yaml(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))


def assert_close(actual: Tensor, expected: Tensor, tolerance: float = GOLDEN_TOLERANCE) -> None:
    """Same shape, and no element further apart than the tolerance."""
    assert actual.shape == expected.shape
    torch.testing.assert_close(actual.float(), expected.float(), rtol=0.0, atol=tolerance)


def outputs_of(modules: list[torch.nn.Module], run: Callable[[], Any]) -> list[Tensor]:
    """What each of the modules returned while `run` ran, in order of the calls."""
    seen: list[Tensor] = []
    hooks = [m.register_forward_hook(lambda _m, _i, out: seen.append(out)) for m in modules]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return seen


@pytest.fixture
def files(golden_folder: Path, checkpoints: MovieChatFiles, tmp_path: Path) -> Files:
    """The tiny checkpoints as files that a test may change."""
    folder = tmp_path / "files"
    folder.mkdir()
    return Files(golden_folder, checkpoints, folder)


@pytest.fixture(scope="module")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Answerer:
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    train_tokenizer(path, VOCABULARY, films=150)
    torch.manual_seed(3)
    sizes = mini_sizes()
    reader, language = MemoryReader(sizes.memory_reader), LanguageModel(sizes.language_model)
    return Answerer(reader, language, MiniTokenizer(path)).eval()


@pytest.fixture(scope="module")
def pool() -> FilmPool:
    return FilmPool(4, 5)


@pytest.fixture
def shared_heads(sizes):
    """A model with fewer key-value heads than query heads."""
    return LanguageModel(dataclasses.replace(sizes.language_model, kv_heads=2)).eval()
