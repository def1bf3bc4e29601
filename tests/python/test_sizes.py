"""Sizes: those of the published model, and those that do not fit each other."""

import dataclasses

import pytest
import torch

from moviechat_models.export import describe_sizes
from moviechat_models.model import Model
from moviechat_models.sizes import PositionSizes, VitSizes, moviechat_7b


def test_the_published_sizes_give_the_published_shapes():
    with torch.device("meta"):  # no memory is used
        model = Model.create(moviechat_7b())
    vit = dict(model.frame_encoder.vit.named_parameters())
    key_biases = 39 * 1408  # kept as zeros here, absent in the file
    assert sum(p.numel() for p in vit.values()) - key_biases == 985_894_528
    assert vit["blocks.38.mlp.fc1.weight"].shape == (6144, 1408)
    assert vit["pos_embed"].shape == (1, 257, 1408)
    crossing = [layer.crossattention is not None for layer in model.frame_encoder.qformer.layers]
    assert crossing == [True, False] * 6
    assert model.memory_reader.position_table.shape == (32, 768)
    assert model.memory_reader.proj.weight.shape == (4096, 768)
    llama = dict(model.language_model.named_parameters())
    assert llama["lm_head.weight"].shape == (32001, 4096)
    assert llama["layers.31.mlp.down_proj.weight"].shape == (4096, 11008)
    described = describe_sizes(moviechat_7b())
    assert described["positions"] == 256
    assert described["head_dim"] == 128


def test_the_mlp_width_is_cut_to_an_integer_as_timm_does():
    assert VitSizes(56, 14, 48, 3, 3, 4.3637).hidden == 209


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": 5}, r"width \(48\) must be a multiple of heads \(5\)"),
        ({"patch": 15}, r"image \(56\) must be a multiple of patch \(15\)"),
    ],
)
def test_vit_sizes_that_do_not_divide_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(VitSizes(56, 14, 48, 3, 3, 4.0), **change)


def test_more_levels_than_trained_positions_are_refused():
    with pytest.raises(ValueError, match=r"levels \(9\) must lie between 1 and rows \(8\)"):
        PositionSizes(rows=8, levels=9)


def test_parts_that_do_not_fit_each_other_are_refused(sizes):
    reader = dataclasses.replace(sizes.memory_reader, tokens=9)
    with pytest.raises(ValueError, match=r"gives blocks \[8, 32\], the memory reader takes \[9"):
        dataclasses.replace(sizes, memory_reader=reader)
    language = dataclasses.replace(sizes.language_model, width=32)
    with pytest.raises(ValueError, match=r"gives width 64, the language model takes 32"):
        dataclasses.replace(sizes, language_model=language)
