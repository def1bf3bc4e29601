"""The converter, from files to a bundle: the goldens, other sizes, dtypes, load order, memory."""

import dataclasses
import gc
import hashlib
import math
import re
import shutil
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from conftest import assert_close, flags_of, model_yaml
from moviechat_convert.__main__ import main as convert
from moviechat_convert.size_file import read_sizes
from moviechat_models import export
from moviechat_models.checkpoint import OpenFiles
from moviechat_models.delta import Sum
from moviechat_models.export import DTYPES, load_modules
from moviechat_models.self_test import self_test_output
from moviechat_models.upstream import moviechat_recipes
from upstream_files import OTHER_SIZES, publish, random_model

ROOT = Path(__file__).parents[2]
FORMS = ("shards", "safetensors", "delta")


@pytest.fixture(scope="session")
def forms(golden_folder, checkpoints):
    """The three ways in which Vicuna is published."""
    folder = golden_folder
    return {
        "shards": checkpoints,
        "safetensors": dataclasses.replace(checkpoints, llm=folder / "vicuna_safetensors"),
        "delta": dataclasses.replace(
            checkpoints, llm=folder / "llama_base", llm_delta=folder / "vicuna_delta"
        ),
    }


@pytest.fixture(scope="session")
def built(forms, tiny_flags, tmp_path_factory):
    """Form → bundle folder, made once."""
    made = {}

    def build(form):
        if form not in made:
            made[form] = tmp_path_factory.mktemp(form) / "bundle"
            flags = [*tiny_flags, "--dtype", "fp32", "--out", str(made[form])]
            assert convert(["moviechat", *flags_of(forms[form]), *flags]) == 0
        return made[form]

    return build


@pytest.mark.parametrize("form", FORMS)
def test_the_tiny_files_become_the_golden_numbers(built, tensors, form):
    bundle = load_modules(built(form))
    vision, video, language = tensors("vision"), tensors("video_qformer"), tensors("llm")
    llm = bundle.language_model
    with torch.no_grad():
        assert_close(bundle.frame_encoder(vision["frames_u8"]), vision["qformer_out"])
        assert_close(bundle.memory_reader(video["blocks"][:37]), video["global/T37"][0])
        for prompt in range(11):
            embeds = language[f"q{prompt}/embeds"]
            logits = llm.step(embeds, *llm.make_cache(1, 400), 0)
            assert_close(logits[0], language[f"q{prompt}/logits"])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_vicuna_gives_the_same_parts(built, bundle_folder, form):
    built_files, committed = model_yaml(built(form))["files"], model_yaml(bundle_folder)["files"]
    ours, theirs = load_modules(built(form)), load_modules(bundle_folder)
    for file, module in ours.modules().items():
        weights, wanted = module.state_dict(), theirs.modules()[file].state_dict()
        assert all(torch.equal(weights[key], wanted[key]) for key in wanted)
    assert built_files["tokenizer.model"] == committed["tokenizer.model"]


FOLDERS = {
    "shards": ("llm", "*-0000?-of-00002.bin", "*.index.json", "config.json", "tokenizer.model"),
    "safetensors": ("llm", "model.safetensors", "config.json", "tokenizer.model"),
    "delta": ("llm_delta", "pytorch_model.bin", "config.json", "tokenizer.model"),
}


@pytest.mark.parametrize("form", FORMS)
def test_model_yaml_lists_every_file_that_was_read_in_load_order(built, forms, form):
    files, (part, *patterns) = forms[form], FOLDERS[form]
    paths = [files.vision, files.qformer, files.video_llama]
    if form == "delta":
        paths += [files.llm / "pytorch_model.bin", files.llm / "config.json"]
    paths += [path for pattern in patterns for path in sorted(getattr(files, part).glob(pattern))]
    golden = files.vision.parent
    assert model_yaml(built(form))["sources"] == [
        {
            "file": str(path.relative_to(golden)),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in paths
    ]


def test_base_and_delta_are_rounded_to_float16_before_they_are_added():
    base = SimpleNamespace(read=lambda _name: torch.full((3, 2), 1.0004))  # 1 in float16
    delta = SimpleNamespace(read=lambda _name: torch.full((4, 2), 0.0004))
    total = Sum(base, delta).read("lm_head.weight")
    assert total.dtype == torch.float16
    assert (total[:3] == 1.0).all()  # 1.0008, rounded once, would be 1.001
    assert torch.equal(total[3], delta.read("")[3].half())  # the new row


def test_a_language_model_in_float32_is_rounded_to_float16_as_the_authors_load_it(sizes):
    recipe = moviechat_recipes(sizes)["language_model"]["norm.weight"]
    assert recipe.make(torch.tensor([1.0004])).float() == 1.0


@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
def test_weights_are_rounded_once_to_the_stored_dtype(
    checkpoints, tiny_flags, bundle_folder, tmp_path, dtype
):
    flags = [*tiny_flags, "--dtype", dtype, "--out", str(tmp_path / "half")]
    assert convert(["moviechat", *flags_of(checkpoints), *flags]) == 0
    assert model_yaml(tmp_path / "half")["dtype"] == dtype
    exact = load_modules(bundle_folder)
    for file, module in exact.modules().items():
        stored = torch.jit.load(str(tmp_path / "half" / file)).state_dict()
        for name, tensor in module.state_dict().items():
            assert torch.equal(stored[name], tensor.to(DTYPES[dtype]))


@pytest.fixture
def other(tmp_path):
    """A size file that shares no number with the tiny model."""
    path = tmp_path / "sizes.yaml"
    path.write_text(OTHER_SIZES, encoding="utf-8")
    return path


@pytest.mark.parametrize("shards", [0, 1, 3])
def test_other_sizes_give_the_outputs_of_the_model_that_was_published(
    other, golden_folder, tmp_path, shards
):
    sizes = read_sizes(other)
    model = random_model(sizes.model)
    files = publish(model, tmp_path, golden_folder / "tokenizer.model", shards)
    flags = ["--sizes", str(other), "--dtype", "fp32", "--out", str(tmp_path / "bundle")]
    assert convert(["moviechat", *flags_of(files), *flags]) == 0
    bundle = load_modules(tmp_path / "bundle")
    for file, module in model.modules().items():
        part = file.removesuffix(".pt")
        ours = self_test_output(part, bundle.modules()[file], sizes.model)
        assert_close(ours, self_test_output(part, module, sizes.model), 1e-5)
        assert ours.std() > 0.01
    described = model_yaml(tmp_path / "bundle")
    assert described["memory"] == {"short_capacity": 6, "keep": 1, "long_capacity": 9}
    assert described["plan"] == {"window": 5}
    assert described["sizes"]["positions"] == 9
    assert described["prompt"]["context"] == 300


@pytest.mark.parametrize(
    ("part", "name", "shape"),
    [
        ("frame_encoder", "visual_encoder.blocks.38.attn.q_bias", (1408,)),
        ("frame_encoder", "visual_encoder.blocks.0.attn.qkv.weight", (4224, 1408)),
        ("frame_encoder", "visual_encoder.blocks.7.mlp.fc1.weight", (6144, 1408)),
        ("frame_encoder", "visual_encoder.patch_embed.proj.weight", (1408, 3, 14, 14)),
        ("frame_encoder", "ln_vision.weight", (1408,)),
        ("frame_encoder", "query_tokens", (1, 32, 768)),
        (
            "frame_encoder",
            "Qformer.bert.encoder.layer.10.crossattention.self.value.weight",
            (768, 1408),
        ),
        ("frame_encoder", "Qformer.bert.encoder.layer.11.output_query.dense.weight", (768, 3072)),
        ("frame_encoder", "Qformer.bert.embeddings.LayerNorm.bias", (768,)),
        ("memory_reader", "video_query_tokens", (1, 32, 768)),
        ("memory_reader", "video_frame_position_embedding.weight", (32, 768)),
        (
            "memory_reader",
            "video_Qformer.bert.encoder.layer.1.crossattention.self.key.weight",
            (768, 768),
        ),
        ("memory_reader", "llama_proj.weight", (4096, 768)),
        ("language_model", "model.embed_tokens.weight", (32001, 4096)),
        ("language_model", "lm_head.weight", (32001, 4096)),
        ("language_model", "model.layers.31.mlp.down_proj.weight", (4096, 11008)),
    ],
)
def test_the_published_model_is_asked_for_by_its_published_names(published, part, name, shape):
    assert published[part][name] == shape


@pytest.fixture(scope="module")
def published():
    """Part → name upstream → shape, at the published sizes."""
    recipes = moviechat_recipes(read_sizes(None).model)
    return {
        part: {need.name: need.shape for recipe in made.values() for need in recipe.inputs}
        for part, made in recipes.items()
    }


def test_the_published_model_has_as_many_tensors_as_the_published_files(published):
    count = {part: len(names) for part, names in published.items()}
    bert = 10 + 6  # self-attention with its output; the query branch's feed-forward
    assert count["frame_encoder"] == 4 + 39 * 13 + (12 * bert + 6 * 10 + 2) + 1 + 2
    assert count["memory_reader"] == (2 * (bert + 10) + 2) + 1 + 1 + 2
    assert count["language_model"] == 2 + 32 * 9 + 1
    vision = [shape for name, shape in published["frame_encoder"].items() if "visual_" in name]
    assert sum(math.prod(shape) for shape in vision) == 985_894_528


def test_positions_of_another_grid_are_resized(
    checkpoints, tiny_flags, tensors, tmp_path, bundle_folder
):
    vision = tensors("vision")
    content = torch.load(checkpoints.vision, weights_only=True)
    content["pos_embed"] = vision["pos_embed_6x6"]
    torch.save(content, tmp_path / "eva.pth")
    files = dataclasses.replace(checkpoints, vision=tmp_path / "eva.pth")
    flags = [*tiny_flags, "--dtype", "fp32", "--out", str(tmp_path / "bundle")]
    assert convert(["moviechat", *flags_of(files), *flags]) == 0
    stored = load_modules(tmp_path / "bundle").frame_encoder.state_dict()["vit.pos_embed"]
    assert_close(stored, vision["pos_embed_resized"], 1e-5)


def without_projection(checkpoints, tmp_path):
    content = torch.load(checkpoints.video_llama, weights_only=True)
    for name in ("llama_proj.weight", "llama_proj.bias"):
        content["model"].pop(name)
    torch.save(content, tmp_path / "finetune.pth")
    return dataclasses.replace(checkpoints, video_llama=tmp_path / "finetune.pth")


def convert_with_projection(files, golden_folder, tiny_flags, tmp_path):
    files = dataclasses.replace(files, projection=golden_folder / "pretrained_minigpt4.pth")
    flags = [*tiny_flags, "--dtype", "fp32", "--out", str(tmp_path / "bundle")]
    assert convert(["moviechat", *flags_of(files), *flags]) == 0
    stored = load_modules(tmp_path / "bundle").memory_reader.state_dict()["proj.weight"]
    sources = [source["file"] for source in model_yaml(tmp_path / "bundle")["sources"]]
    return stored, sources


def projection_in(path):
    return torch.load(path, weights_only=True)["model"]["llama_proj.weight"]


def test_the_projection_file_fills_in_where_the_fine_tuned_one_has_none(
    checkpoints, golden_folder, tiny_flags, tmp_path
):
    files = without_projection(checkpoints, tmp_path)
    stored, sources = convert_with_projection(files, golden_folder, tiny_flags, tmp_path)
    assert torch.equal(stored, projection_in(golden_folder / "pretrained_minigpt4.pth"))
    assert "pretrained_minigpt4.pth" in sources


def test_the_fine_tuned_projection_wins_over_the_projection_file(
    checkpoints, golden_folder, tiny_flags, tmp_path, capsys
):
    stored, sources = convert_with_projection(checkpoints, golden_folder, tiny_flags, tmp_path)
    assert torch.equal(stored, projection_in(checkpoints.video_llama))
    assert "pretrained_minigpt4.pth" not in sources
    assert "pretrained_minigpt4.pth is not used" in capsys.readouterr().err


def test_a_folder_stands_for_the_one_file_in_it(checkpoints, tiny_flags, tmp_path):
    (tmp_path / "proj").mkdir()
    shutil.copy(checkpoints.video_llama, tmp_path / "proj")
    files = dataclasses.replace(checkpoints, video_llama=tmp_path / "proj")
    command = ["moviechat", *flags_of(files), *tiny_flags, "--out", str(tmp_path / "bundle")]
    assert convert(command) == 0


def test_ignored_tensors_are_named(checkpoints, tiny_flags, tmp_path, capsys):
    flags = [*tiny_flags, "--out", str(tmp_path / "bundle"), "--verbose"]
    assert convert(["moviechat", *flags_of(checkpoints), *flags]) == 0
    said = capsys.readouterr().err
    for name in ("blocks.3.attn.q_bias", "norm.weight", "t5_proj.bias", "inv_freq"):
        assert re.search(rf"ignored: .*{re.escape(name)}", said)


def test_tensors_known_to_be_useless_can_be_passed_over(checkpoints, tiny_flags, tmp_path, capsys):
    content = torch.load(checkpoints.vision, weights_only=True)
    content["teacher.weight"] = torch.ones(2)
    torch.save(content, tmp_path / "eva.pth")
    files = dataclasses.replace(checkpoints, vision=tmp_path / "eva.pth")
    command = ["moviechat", *flags_of(files), *tiny_flags, "--out", str(tmp_path / "bundle")]
    assert convert(command) == 2
    assert "unexpected: teacher.weight" in capsys.readouterr().err
    assert convert([*command, "--ignore", r"teacher\..*"]) == 0
    assert convert([*command, "--ignore", "("]) == 2


def test_no_more_than_one_part_and_two_files_are_held(other, golden_folder, tmp_path, monkeypatch):
    model = random_model(read_sizes(other).model)
    files = publish(model, tmp_path, golden_folder / "tokenizer.model", shards=4)
    mapped, parts = [], []
    reader, save, test = OpenFiles.reader, export.save_scripted, export.stored_part

    def count(self, *arguments):
        result = reader(self, *arguments)
        mapped.append(len(self._readers))
        return result

    def none_before():
        assert all(earlier() is None for earlier in parts), "an earlier part is still in memory"

    def watch_save(module, path):
        none_before()
        parts.append(weakref.ref(module))
        save(module, path)

    def watch_test(path, sizes):
        none_before()
        module = test(path, sizes)
        parts.append(weakref.ref(module))
        return module

    monkeypatch.setattr(OpenFiles, "reader", count)
    monkeypatch.setattr(export, "save_scripted", watch_save)
    monkeypatch.setattr(export, "stored_part", watch_test)
    command = ["--sizes", str(other), "--out", str(tmp_path / "bundle")]
    gc.disable()  # memory must not wait for Python's collector to come by
    try:
        assert convert(["moviechat", *flags_of(files), *command]) == 0
    finally:
        gc.enable()
    assert len(parts) == 6  # each made and written, then read back and tested
    assert max(mapped) == 2
