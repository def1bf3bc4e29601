"""Hierarchical positions, against the authors' (positions.safetensors)."""

import math

import pytest
import torch

from conftest import assert_close
from moviechat_models.positions import extend_positions


@pytest.mark.parametrize("levels", [7, 16])
def test_the_table_is_extended_to_the_golden_positions(tensors, levels):
    golden = tensors("positions")
    extended = extend_positions(golden["table"], levels, 0.01, levels * levels)
    assert_close(extended, golden[f"n{levels}"], 1e-6)


@pytest.mark.parametrize("blocks", [1, 5, 33, 100, 1024])
def test_moviechat_plus_takes_as_many_levels_as_it_has_blocks_for(tensors, blocks):
    golden = tensors("positions")
    levels = min(golden["table"].size(0), math.ceil(math.sqrt(blocks)))
    extended = extend_positions(golden["table"], levels, 0.01, blocks)
    assert_close(extended, golden[f"plus/T{blocks}"], 1e-6)


def test_the_bundle_holds_the_trained_table(model, scripted, tensors):
    table = tensors("positions")["table"]
    assert torch.equal(model.memory_reader.position_table, table)
    assert torch.equal(scripted.memory_reader.position_table, table)


def test_alpha_is_a_setting():
    table = torch.randn(4, 3)
    alpha = 0.3
    base = (table - alpha * table[0]) / (1 - alpha)
    expected = torch.stack(
        [alpha * base[i] + (1 - alpha) * base[j] for i in (0, 1) for j in (0, 1)]
    )
    assert_close(extend_positions(table, 2, alpha, 4), expected, 1e-6)


def test_positions_are_extended_in_float32():
    table = torch.randn(8, 4).half()
    extended = extend_positions(table, 8, 0.01, 64)
    assert extended.dtype == torch.float32
    assert_close(extended, extend_positions(table.float(), 8, 0.01, 64), 0.0)
