"""Broken and wrong checkpoints: each is named, nothing is written, and the exit code is 2."""

import dataclasses
import json
import re
import shutil
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import flags_of
from moviechat_convert.__main__ import main as convert
from moviechat_convert.hints import wrong_qformer

NAN = float("nan")


@pytest.fixture
def refused(files, tmp_path, capsys):
    """Converts, and expects each pattern in a line of its own on stderr."""

    def check(*patterns, flags=()):
        out = tmp_path / "out" / "bundle"
        command = ["moviechat", *flags_of(files.paths), "--sizes", str(files.sizes), *flags]
        capsys.readouterr()
        assert convert([*command, "--dtype", "fp16", "--out", str(out)]) == 2
        said = [line for line in capsys.readouterr().err.splitlines() if "ignored" not in line]
        for pattern in patterns:
            assert any(re.search(pattern, line) for line in said), (pattern, said)
        assert not out.exists()
        assert not out.parent.exists() or list(out.parent.iterdir()) == []
        return said

    return check


TENSORS = {
    "vision": "blocks.1.mlp.fc2.weight",
    "qformer": "Qformer.bert.encoder.layer.2.crossattention.self.key.bias",
    "video_llama": "video_frame_position_embedding.weight",
    "llm": "model.layers.0.mlp.down_proj.weight",
}
each_part = pytest.mark.parametrize(("part", "name"), TENSORS.items())


@each_part
def test_a_missing_tensor(files, refused, part, name):
    files.change(part, lambda tensors: tensors.pop(name))
    refused(rf"{files.file(part).name}: missing: {re.escape(name)}$")


@each_part
def test_an_unexpected_tensor(files, refused, part, name):
    files.change(part, lambda tensors: tensors.update({f"{name}_lora": torch.ones(2)}))
    refused(rf"{files.file(part).name}: unexpected: {re.escape(name)}_lora$")


@each_part
def test_a_wrong_shape(files, refused, part, name):
    files.change(part, lambda tensors: tensors.update({name: torch.ones(3, 7)}))
    refused(rf"wrong shape: {re.escape(name)} \(found \[3, 7\], expected \[")


@each_part
def test_a_number_that_is_none(files, refused, part, name):
    files.change(part, lambda tensors: tensors[name].view(-1)[5:7].fill_(NAN))
    refused(rf"{files.file(part).name}: not finite: {re.escape(name)} \(2 numbers\)")


@each_part
def test_a_file_that_is_cut_short(files, refused, part, name):
    file = files.file(part)
    file.write_bytes(file.read_bytes()[:-2000])
    refused(rf"{file.name}' \(\d+ bytes\) is damaged or cut short")


@each_part
def test_a_file_that_is_empty(files, refused, part, name):
    files.file(part).write_bytes(b"")
    refused(rf"{files.file(part).name}' is empty; download it again")


@each_part
def test_a_file_that_is_not_there(files, refused, part, name):
    file = files.file(part)
    file.unlink()
    refused(rf"{file.name}' does not exist|lacks {file.name}, which its index lists")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "is a git-lfs pointer"),
        (b"<!DOCTYPE html><html>Sign in", "is a web page"),
        (b"just some text, no archive", "is damaged or cut short"),
    ],
)
def test_a_download_that_is_something_else(files, refused, start, message):
    files.file("vision").write_bytes(start)
    refused(message)


def test_a_file_that_would_run_code(files, refused):
    torch.save({"model": {"query_tokens": SimpleNamespace()}}, files.paths.qformer)
    refused(r"holds a Python object \(types\.SimpleNamespace\)")


def test_everything_is_named_at_once(files, refused):
    files.change("vision", lambda tensors: tensors.pop("cls_token"))
    files.change("qformer", lambda tensors: tensors.update({"ln_vision.bias": torch.ones(9)}))
    files.change("video_llama", lambda tensors: tensors["llama_proj.bias"].fill_(NAN))
    files.change("llm", lambda tensors: tensors.update(surprise=torch.ones(1)))
    said = refused(
        r"convert: 4 problems, no bundle was written",
        r"missing: cls_token",
        r"wrong shape: ln_vision.bias \(found \[9\], expected \[48\]\)",
        r"not finite: llama_proj.bias \(64 numbers\)",
        r"unexpected: surprise",
    )
    assert len([line for line in said if "problem" in line]) == 1


def test_layers_share_a_line_and_long_lists_are_counted(files, refused):
    def strip(tensors):
        for name in [name for name in tensors if name.startswith("blocks.")]:
            tensors.pop(name)

    files.change("vision", strip)
    said = refused(r"missing: blocks\.\{0\.\.2\}\.norm1\.weight$", r"… and \d+ more")
    assert len([line for line in said if "missing" in line]) == 10
    said = refused(r"missing: blocks\.\{0\.\.2\}\.mlp\.fc2\.bias$", flags=["--verbose"])
    assert not any("more (" in line for line in said)


def test_a_number_too_large_for_the_dtype(files, refused):
    files.change("qformer", lambda tensors: tensors["ln_vision.weight"][0].fill_(1e6))
    refused(r"not finite: ln_vision\.weight \(1e\+06 is too large for fp16\)")


def test_a_position_table_that_is_not_square(files, refused):
    files.change("vision", lambda tensors: tensors.update(pos_embed=torch.ones(1, 18, 48)))
    refused(
        r"wrong shape: pos_embed \(found \[1, 18, 48\], expected \[1, 1 \+ a square number, 48\]"
    )


def test_llama_or_a_later_vicuna_in_place_of_vicuna_v0(files, refused):
    files.use("llm", "llama_base")
    refused(
        r"wrong shape: lm_head\.weight \(found \[512, 64\], expected \[513, 64\]\)",
        r"perhaps: --llm: 512 rows are LLaMA's own or those of Vicuna v1\.1",
    )


def test_llama_2(files, refused):
    files.config("llm", max_position_embeddings=4096, rms_norm_eps=1e-5)
    refused(
        r"config\.json: max_position_embeddings is 4096, expected 2048",
        r"config\.json: rms_norm_eps is 1e-05, expected 1e-06",
        r"perhaps: --llm: looks like LLaMA-2",
    )


def test_a_head_count_that_no_shape_tells(files, refused):
    files.config("llm", num_attention_heads=8)
    refused(r"vicuna/config\.json: num_attention_heads is 8, expected 4")


def test_a_language_model_of_another_width(files, refused):
    sizes = json.loads(files.sizes.read_text(encoding="utf-8"))["sizes"]
    sizes["llama"] |= {"width": 128}
    files.sizes = files.folder / "sizes.json"
    files.sizes.write_text(json.dumps(sizes), encoding="utf-8")
    refused(
        r"perhaps: --video-llama: projects to width 64, the language model has 128",
        r"perhaps: --llm: is a model of width 64, expected 128",
    )


def test_a_qformer_of_another_backbone(files, refused):
    def narrow(tensors):
        for name in [n for n in tensors if "crossattention.self" in n and n.endswith("weight")]:
            if ".query." not in name:
                tensors[name] = tensors[name][:, :40].clone()

    files.change("qformer", narrow)
    refused(
        r"layer\.\{0,2\}\.crossattention\.self\.key\.weight \(found \[32, 40\], expected \[32, 48",
        r"perhaps: --qformer: is the Q-Former of another backbone: it looks at width 40",
    )


def test_a_qformer_for_a_smaller_t5():
    def source(rows):
        shapes = {"t5_proj.weight": (rows, 768)}
        return SimpleNamespace(shapes=shapes, file_of=lambda _name: "blip2.pth")

    def plan(rows):
        qformer = SimpleNamespace(width=768)
        sizes = SimpleNamespace(frame_encoder=SimpleNamespace(qformer=qformer))
        return SimpleNamespace(
            layers={"qformer": SimpleNamespace(source=source(rows))}, sizes=sizes
        )

    assert "FLAN-T5-XL" in next(wrong_qformer(plan(2048)))
    assert list(wrong_qformer(plan(4096))) == []


def test_two_files_swapped(files, refused):
    swapped = {"vision": files.paths.qformer, "qformer": files.paths.vision}
    files.paths = dataclasses.replace(files.paths, **swapped)
    refused(r"eva_vit_g\.pth' has no 'model'", r"perhaps: --vision: .*are two files swapped\?")


def test_the_projection_file_in_place_of_the_fine_tuned_one(files, refused):
    files.use("video_llama", "pretrained_minigpt4.pth")
    refused(r"perhaps: --video-llama: looks like pretrained_minigpt4\.pth")


def test_no_projection_anywhere(files, refused):
    files.change("video_llama", lambda tensors: tensors.pop("llama_proj.weight"))
    refused(r"missing: llama_proj\.weight", r"add --projection pretrained_minigpt4\.pth")


def test_the_projection_of_another_language_model_even_if_it_is_not_used(files, refused):
    files.use("projection", "pretrained_minigpt4.pth")
    files.change(
        "projection", lambda tensors: tensors.update({"llama_proj.weight": torch.ones(80, 32)})
    )
    refused(
        r"pretrained_minigpt4\.pth: wrong shape: llama_proj\.weight \(found \[80, 32\]",
        r"perhaps: --projection: projects to width 80",
    )


def use_delta(files):
    files.use("llm", "llama_base")
    return files.use("llm_delta", "vicuna_delta")


def test_a_delta_in_place_of_the_model(files, refused):
    files.use("llm", "vicuna_delta")
    refused(r"vicuna_delta: wrong model: is a delta to LLaMA")


def test_a_delta_in_place_of_the_model_without_rotary_tables(files, refused):
    delta = files.use("llm", "vicuna_delta")
    target = files.folder / "difference"
    shutil.copytree(delta, target)
    tensors = torch.load(target / "pytorch_model.bin", weights_only=True)
    (target / "pytorch_model.bin").unlink()
    kept = {name: tensor for name, tensor in tensors.items() if "inv_freq" not in name}
    save_file(kept, str(target / "model.safetensors"))
    files.paths = dataclasses.replace(files.paths, llm=target)
    refused(r"difference: wrong model: is a delta to LLaMA")


def test_a_folder_without_config(files, refused):
    folder = files.use("llm", "vicuna")
    target = files.folder / "bare"
    shutil.copytree(folder, target)
    (target / "config.json").unlink()
    files.paths = dataclasses.replace(files.paths, llm=target)
    refused(r"bare/config\.json: is missing")


def test_the_model_in_place_of_the_delta(files, refused):
    files.use("llm", "llama_base")
    files.use("llm_delta", "vicuna")
    refused(r"vicuna: wrong delta: is a finished model")


def test_the_model_in_place_of_the_delta_without_rotary_tables(files, refused):
    base = files.use("llm", "llama_base")
    target = files.folder / "merged"
    shutil.copytree(base, target)
    tensors = torch.load(target / "pytorch_model.bin", weights_only=True)
    grown = {
        name: torch.cat((tensor, tensor[:1])) if tensor.size(0) == 512 else tensor * 1.01
        for name, tensor in tensors.items()
        if "inv_freq" not in name
    }
    (target / "pytorch_model.bin").unlink()
    save_file(grown, str(target / "model.safetensors"))
    files.paths = dataclasses.replace(files.paths, llm_delta=target)
    refused(r"merged: wrong delta: is a finished model")


def test_a_delta_on_vicuna_itself(files, refused):
    files.use("llm_delta", "vicuna_delta")
    refused(
        r"wrong shape: lm_head\.weight \(found \[513, 64\], expected \[512, 64\] for the delta\)",
        r"perhaps: --llm: has Vicuna's padding row already",
    )


def test_the_delta_of_a_later_vicuna(files, refused):
    use_delta(files)

    def cut(tensors):
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            tensors[name] = tensors[name][:512].clone()

    files.change("llm_delta", cut)
    refused(r"perhaps: --llm-delta: adds no padding row \(512 rows")


def test_a_delta_on_llama_2(files, refused):
    use_delta(files)
    files.config("llm", max_position_embeddings=4096)
    refused(
        r"llama_base/config\.json: max_position_embeddings is 4096, expected 2048",
        r"perhaps: --llm: looks like LLaMA-2; Vicuna v0's delta",
    )


def test_a_delta_that_lacks_a_tensor_of_its_base(files, refused):
    use_delta(files)
    files.change("llm_delta", lambda tensors: tensors.pop("model.norm.weight"))
    refused(r"vicuna_delta: missing: model\.norm\.weight \(llama_base has it\)")


def test_a_base_that_lacks_a_tensor_of_the_delta(files, refused):
    use_delta(files)
    files.change("llm", lambda tensors: tensors.pop("model.norm.weight"))
    refused(r"llama_base: missing: model\.norm\.weight \(vicuna_delta has it\)")


def test_a_base_of_another_width(files, refused):
    use_delta(files)
    name = "model.layers.1.self_attn.q_proj.weight"
    files.change("llm", lambda tensors: tensors.update({name: torch.zeros(80, 80).half()}))
    refused(rf"{re.escape(name)} \(found \[80, 80\], expected \[64, 64\] for the delta\)")


def test_a_delta_of_another_shape(files, refused):
    use_delta(files)
    name = "model.layers.1.self_attn.q_proj.weight"
    files.change("llm_delta", lambda tensors: tensors.update({name: torch.zeros(80, 80).half()}))
    refused(rf"{re.escape(name)} \(found \[64, 64\], expected \[80, 80\] for the delta\)")


def test_a_shard_without_its_tensors(files, refused):
    folder = files.paths.llm
    first, second = sorted(folder.glob("*.bin"))
    shutil.copyfile(first, second)
    refused(rf"{second.name}: missing: lm_head\.weight", flags=["--verbose"])


def test_safetensors_that_are_cut_short(files, refused):
    file = files.use("llm", "vicuna_safetensors") / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    refused(r"model\.safetensors' is damaged or cut short")


def test_safetensors_with_a_number_that_is_none(files, refused):
    file = files.use("llm", "vicuna_safetensors") / "model.safetensors"
    tensors = load_file(str(file))
    tensors["model.norm.weight"][1] = NAN
    save_file(tensors, str(file))
    refused(r"model\.safetensors: not finite: model\.norm\.weight \(1 numbers\)")


def test_a_folder_without_weights(files, refused):
    for file in files.paths.llm.glob("pytorch_model*"):
        file.unlink()
    refused(r"holds no \*\.safetensors and no pytorch_model\*\.bin \(found: config\.json")


def test_a_file_in_place_of_the_folder(files, refused):
    files.paths = dataclasses.replace(files.paths, llm=files.paths.vision)
    refused(r"eva_vit_g\.pth' is a file; expected a language model's folder")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), r"tokenizer\.model' does not exist"),
        (lambda path: path.write_bytes(path.read_bytes()[:99]), r"no sentencepiece model"),
    ],
)
def test_a_tokenizer_that_is_lost_or_damaged(files, refused, damage, message):
    damage(files.paths.llm / "tokenizer.model")
    refused(message)


def test_a_tokenizer_of_another_size(files, refused):
    sizes = json.loads(files.sizes.read_text(encoding="utf-8"))["sizes"]
    sizes["llama"] |= {"vocab": 500}
    files.sizes = files.folder / "sizes.json"
    files.sizes.write_text(json.dumps(sizes), encoding="utf-8")
    refused(r"vicuna/tokenizer\.model: knows 512 tokens, expected 500")
