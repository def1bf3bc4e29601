"""Checkpoints that do not fit are refused, and every tensor concerned is named."""

import dataclasses
import shutil

import pytest
import torch

from moviechat_models.load import LoadError, load_moviechat


@pytest.fixture
def changed(tmp_path, checkpoints, sizes):
    """Loads the tiny checkpoints with one file's tensors changed by a function."""

    def run(part, change):
        source = getattr(checkpoints, part)
        target = tmp_path / source.name
        if part == "llm":
            shutil.copytree(source, target, dirs_exist_ok=True)
            file = target / "pytorch_model-00001-of-00002.bin"
        else:
            file = shutil.copyfile(source, target)
        content = torch.load(file, weights_only=True)
        change(content.get("model", content))
        torch.save(content, file)
        return load_moviechat(dataclasses.replace(checkpoints, **{part: target}), sizes)

    return run


CASES = {
    "vision": "blocks.1.mlp.fc2.weight",
    "qformer": "Qformer.bert.encoder.layer.2.crossattention.self.key.bias",
    "video_llama": "video_frame_position_embedding.weight",
    "llm": "model.layers.0.mlp.down_proj.weight",
}


@pytest.mark.parametrize(("part", "name"), CASES.items())
def test_a_missing_tensor_is_named(changed, part, name):
    with pytest.raises(LoadError, match=f"(missing|lacks).*{name}"):
        changed(part, lambda tensors: tensors.pop(name))


@pytest.mark.parametrize(("part", "name"), CASES.items())
def test_a_tensor_of_another_shape_is_named(changed, part, name):
    def cut(tensors):
        tensors[name] = tensors[name][:3]

    with pytest.raises(LoadError, match=rf"wrong shape: {name} \(found \[3.*expected \["):
        changed(part, cut)


@pytest.mark.parametrize("part", CASES)
def test_an_unexpected_tensor_is_named(changed, part):
    with pytest.raises(LoadError, match=r"unexpected.*surprise\.weight"):
        changed(part, lambda tensors: tensors.update({"surprise.weight": torch.ones(1)}))


def test_a_missing_bias_of_the_vit_is_named(changed):
    with pytest.raises(LoadError, match=r"missing: blocks\.2\.attn\.q_bias"):
        changed("vision", lambda tensors: tensors.pop("blocks.2.attn.q_bias"))


def test_several_missing_tensors_are_all_named(changed):
    gone = ["video_query_tokens", "llama_proj.bias"]
    with pytest.raises(LoadError, match=r"(?=.*video_query_tokens)(?=.*llama_proj\.bias)"):
        changed("video_llama", lambda tensors: [tensors.pop(name) for name in gone])


def test_the_fine_tuned_file_wins_over_the_earlier_ones(changed):
    last = torch.full((1, 8, 32), 7.0)
    model = changed("video_llama", lambda tensors: tensors.update({"query_tokens": last}))
    assert torch.equal(model.frame_encoder.qformer.query_tokens, last)


def test_the_key_bias_of_the_vit_is_zero(model):
    for block in model.frame_encoder.vit.blocks:
        assert (block.attn.qkv.bias[48:96] == 0).all()
        assert (block.attn.qkv.bias[:48] != 0).any()


def test_a_file_of_another_kind_is_refused(changed, checkpoints, sizes):
    wrong = dataclasses.replace(checkpoints, qformer=checkpoints.vision)
    with pytest.raises(LoadError, match="has no 'model'"):
        load_moviechat(wrong, sizes)
