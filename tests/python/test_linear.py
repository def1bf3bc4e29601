"""A matrix may be of another dtype than what passes it, in every way that it is multiplied."""

import pytest
import torch
from torch import nn

from moviechat_models.linear import Linear, Table, to_int8

ROWS = [(1,), (1, 1), (5,), (2, 3), (3, 100)]
# of the largest output: what the weight's rounding leaves, and the rounding of x where there is any
TOLERANCE = {torch.float16: 1e-3, torch.bfloat16: 8e-3, torch.int8: 2e-2}


def stored(dtype: torch.dtype, inputs: int, outputs: int, bias: bool) -> Linear:
    layer = Linear(inputs, outputs, bias)
    if dtype == torch.int8:
        to_int8(layer)
    else:
        layer.weight = nn.Parameter(layer.weight.detach().to(dtype))
    return layer


def exact(layer: Linear, x: torch.Tensor) -> torch.Tensor:
    """In float64, from the weight as stored"""
    weight = layer.weight.detach().double()
    if layer.scale is not None:
        weight = weight * layer.scale.double().unsqueeze(1)
    y = x.double() @ weight.T
    return y if layer.bias is None else y + layer.bias.double()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("inputs", [64, 43])  # torch's int8 kernel takes only the first
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_x_in_float32_passes_a_matrix_of_another_dtype(dtype, rows, inputs, bias):
    layer = stored(dtype, inputs, 300, bias)
    x = torch.randn(*rows, inputs)
    with torch.no_grad():
        for run in (layer, torch.jit.script(layer)):
            y = run(x)
            assert y.dtype == torch.float32
            assert y.shape == (*rows, 300)
            wanted = exact(layer, x)
            assert (y - wanted).abs().max() <= TOLERANCE[dtype] * wanted.abs().max()


@pytest.mark.parametrize("rows", ROWS)
def test_int8_where_bf16_is_fast(rows):
    layer, x = stored(torch.int8, 64, 600, True), torch.randn(*rows, 64)
    layer.mixed.fast_bf16 = True
    wanted = exact(layer, x)
    with torch.no_grad():
        for run in (layer, torch.jit.script(layer)):
            assert (run(x) - wanted).abs().max() <= TOLERANCE[torch.int8] * wanted.abs().max()


@pytest.mark.parametrize("rows", ROWS)
def test_bf16_matrices_where_bf16_is_fast_are_multiplied_in_it(rows):
    layer, x = stored(torch.bfloat16, 64, 600, False), torch.randn(*rows, 64)
    layer.mixed.fast_bf16 = True
    with torch.no_grad():
        product = nn.functional.linear(x.bfloat16(), layer.weight)
        for run in (layer, torch.jit.script(layer)):
            assert torch.equal(run(x), product.float())
    assert (product - exact(layer, x)).abs().max() <= 1e-2 * product.abs().max()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_many_rows_are_not_rounded(dtype):
    layer, x = stored(dtype, 64, 300, True), torch.randn(7, 64)
    with torch.no_grad():
        assert (layer(x) - exact(layer, x)).abs().max() < 1e-5


@pytest.mark.parametrize("rows", ROWS)
def test_a_packed_matrix_gives_what_the_fp16_one_does_without_rounding_x(rows):
    layer, x = stored(torch.float16, 43, 300, True), torch.randn(*rows, 43)
    wanted = exact(layer, x)
    layer.packed = torch.ops.quantized.linear_prepack_fp16(
        layer.weight.detach().float(), layer.bias.detach()
    )
    with torch.no_grad():
        y = layer(x)
    assert y.shape == wanted.shape
    assert (y - wanted).abs().max() < 1e-5


def test_the_dtype_of_x_is_that_of_the_output():
    layer = stored(torch.int8, 64, 30, True).half()
    assert layer.weight.dtype == torch.int8
    with torch.no_grad():
        assert layer(torch.randn(3, 64).half()).dtype == torch.float16


def test_int8_is_symmetric_by_output_channel():
    layer = Linear(50, 4, bias=False)
    weight = torch.randn(4, 50) * torch.tensor([[1.0], [1e-3], [100.0], [0.0]])
    layer.weight = nn.Parameter(weight.clone())
    to_int8(layer)
    scale = layer.scale.unsqueeze(1)
    assert layer.weight.dtype == torch.int8
    assert (layer.weight[:3].abs().amax(1) == 127).all()  # each channel uses the whole range
    assert layer.weight.min() >= -127
    assert ((layer.weight * scale - weight).abs() <= scale / 2 * 1.0001).all()
    assert (layer.weight[3] == 0).all()
    assert torch.isfinite(scale).all()


def test_a_table_is_looked_up_in_its_own_dtype_and_multiplies_any():
    table = Table(30, 64).half()
    x = torch.randn(5, 64)
    with torch.no_grad():
        assert torch.equal(table(torch.tensor([3])), table.weight[3:4])
        wanted = x.double() @ table.weight.double().T
        assert (table.transposed(x) - wanted).abs().max() < 1e-5
