"""Odd checkpoints and command lines: each is one line that names the file, never a traceback."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import flags_of
from moviechat_convert.__main__ import main as convert

QUERY = "model.layers.1.self_attn.q_proj.weight"


@pytest.fixture
def refused(files, tmp_path, capsys):
    """Converts, and expects this at the start of a line on stderr."""

    def check(start):
        command = ["moviechat", *flags_of(files.paths), "--sizes", str(files.sizes)]
        assert convert([*command, "--out", str(tmp_path / "out" / "bundle")]) == 2
        said = capsys.readouterr().err.splitlines()
        assert any(line.startswith(f"convert: {start}") for line in said), said
        assert not (tmp_path / "out").exists()

    return check


def test_integers_in_place_of_weights(files, refused):
    name = "blocks.1.mlp.fc2.weight"
    files.change("vision", lambda tensors: tensors.update({name: tensors[name].to(torch.int8)}))
    refused(f"eva_vit_g.pth: wrong dtype: {name} (found int8, expected floating point")


def test_integers_in_safetensors(files, refused):
    file = files.use("llm", "vicuna_safetensors") / "model.safetensors"
    tensors = load_file(str(file))
    save_file(tensors | {QUERY: tensors[QUERY].to(torch.int8)}, str(file))
    refused(f"vicuna_safetensors/model.safetensors: wrong dtype: {QUERY} (found I8, expected")


def test_integers_in_the_base_of_a_delta(files, refused):
    files.use("llm", "llama_base")
    files.use("llm_delta", "vicuna_delta")
    files.change("llm", lambda tensors: tensors.update({QUERY: tensors[QUERY].to(torch.int8)}))
    refused(f"llama_base/pytorch_model.bin: wrong dtype: {QUERY} (found int8, expected")


def test_an_index_that_holds_a_number(files, refused):
    index = files.paths.llm / "pytorch_model.bin.index.json"
    content = json.loads(index.read_text(encoding="utf-8"))
    content["weight_map"]["lm_head.weight"] = 2
    index.write_text(json.dumps(content), encoding="utf-8")
    refused(f"'{index}': weight_map names no file for lm_head.weight (found: 2)")


def test_a_norm_that_is_none_where_there_are_no_rotary_tables(files, refused):
    folder = files.use("llm", "vicuna_delta")

    def change(tensors):
        for name in [name for name in tensors if "inv_freq" in name]:
            del tensors[name]
        tensors["model.norm.weight"] = None

    files.change("llm", change)
    refused(f"{folder.name}/pytorch_model.bin: wrong shape: model.norm.weight (found no tensor")


@pytest.mark.parametrize("part", ["vision", "llm"])
def test_a_path_that_is_no_text(files, tmp_path, capsys, part):
    odd = files.folder / "caf\udce9"
    getattr(files.paths, part).rename(odd)
    files.paths = dataclasses.replace(files.paths, **{part: odd})
    command = ["moviechat", *flags_of(files.paths), "--sizes", str(files.sizes)]
    assert convert([*command, "--out", str(tmp_path / "bundle")]) == 2
    assert f"--{part}: " in capsys.readouterr().err


def test_an_output_that_is_no_text(tmp_path, capsys):
    assert convert(["synthetic", "--out", str(tmp_path / "caf\udce9")]) == 2
    assert (
        f"convert: --out: '{tmp_path}/caf\\xe9' is not UTF-8; rename it" in capsys.readouterr().err
    )
