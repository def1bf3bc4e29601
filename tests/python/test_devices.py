"""No module bakes in a device: all run as fake tensors on `cuda`, without a GPU.

Only parameters and inputs are made on cuda; whatever a module creates without saying where lands on
the CPU, as it would on a real GPU, and mixing raises.
"""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from moviechat_models import linear, llama, memory_reader
from moviechat_models.export import quantize
from moviechat_models.frame_encoder import FrameEncoder
from moviechat_models.linear import Linear, Table
from moviechat_models.llama import LanguageModel
from moviechat_models.memory_reader import MemoryReader

# Every kind of bundle as it is computed: dtype, what holds the matrices, int8 language model
KINDS = {
    "fp32": (torch.float32, torch.float32, False),
    "fp16": (torch.float16, torch.float16, False),
    "bf16": (torch.bfloat16, torch.bfloat16, False),
    "fp16 in fp32": (torch.float32, torch.float16, False),
    "fp16 in bf16": (torch.bfloat16, torch.float16, False),
    "int8 in fp32": (torch.float32, torch.float32, True),
    "int8 in fp16": (torch.float16, torch.float16, True),
}


def on_cuda(kind, sizes, dtype, stored=None, int8=False):
    """Built in its dtype: fake parameters cannot be converted afterwards."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("cuda"):
            module = kind(sizes).eval()
    finally:
        torch.set_default_dtype(before)
    for layer in module.modules():
        if isinstance(layer, Linear | Table) and stored not in (None, dtype):
            layer.weight = nn.Parameter(layer.weight.detach().to(stored))
    if int8 and kind is LanguageModel:
        quantize(module)
    return module


def run_frame_encoder(sizes, dtype, *kind):
    encoder = on_cuda(FrameEncoder, sizes.frame_encoder, dtype, *kind)
    rgb = torch.empty(2, 3, 56, 56, dtype=torch.uint8, device="cuda")
    return [encoder(rgb), encoder.condense(torch.empty(2, 17, 48, dtype=dtype, device="cuda"))]


def run_memory_reader(sizes, dtype, *kind):
    reader = on_cuda(MemoryReader, sizes.memory_reader, dtype, *kind)
    blocks = torch.empty(5, 8, 32, dtype=dtype, device="cuda")
    mask = torch.empty(1, 5, dtype=torch.bool, device="cuda")
    return [
        reader(blocks),
        *reader.read(blocks),
        reader.read_batch(blocks.unsqueeze(0), mask),
    ]


def run_language_model(sizes, dtype, *kind):
    language = on_cuda(LanguageModel, sizes.language_model, dtype, *kind)
    ids = torch.empty(2, 7, dtype=torch.int64, device="cuda")
    embeds = language.embed(ids)
    keys, values = language.make_cache(2, 32)
    return [
        embeds,
        keys,
        language.step(embeds, keys, values, 0),
        language.step(embeds[:, :1], keys, values, 7),
        language.step(embeds, keys, values, 8),
        language.step_rows(
            embeds[:, :1],
            keys,
            values,
            torch.empty_like(ids[:, 0]),
            torch.empty_like(ids[:, 0]),
            torch.empty_like(ids[:, 0]),
            [keys[:, :1]],
            [values[:, :1]],
        ),
        *language.step_attention(embeds, keys, values, 15),
        language.score(embeds, None),
        language.score(embeds, torch.empty(2, 7, dtype=torch.bool, device="cuda")),
    ]


RUNS = {
    "frame_encoder": run_frame_encoder,
    "memory_reader": run_memory_reader,
    "language_model": run_language_model,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("module", RUNS)
def test_everything_stays_on_the_device_of_the_parameters(module, kind, sizes):
    with FakeTensorMode():
        for output in RUNS[module](sizes, *kind):
            assert output.device.type == "cuda"
            assert output.dtype in (kind[0], torch.float32)


@pytest.mark.parametrize("kind", ["fp16 in fp32", "int8 in fp16"])
@pytest.mark.parametrize("module", RUNS)
def test_a_constant_on_the_cpu_is_caught_where_matrices_are_widened(
    module, kind, sizes, monkeypatch
):
    if "int8" in kind and module != "language_model":
        pytest.skip("has no int8 matrices")
    widen = linear.widen
    monkeypatch.setattr(
        linear,
        "widen",
        lambda weight, scale, dtype: widen(weight, scale, dtype) * torch.ones(weight.size(0), 1),
    )
    with FakeTensorMode(), pytest.raises(RuntimeError, match="cpu"):
        RUNS[module](sizes, *KINDS[kind])


def test_a_constant_on_the_cpu_is_caught_in_the_frame_encoder(sizes, monkeypatch):
    normalize = FrameEncoder.normalize
    monkeypatch.setattr(
        FrameEncoder, "normalize", lambda self, rgb: normalize(self, rgb) - torch.ones(3, 1, 1)
    )
    with FakeTensorMode(), pytest.raises(RuntimeError, match="cpu"):
        run_frame_encoder(sizes, torch.float32)


def test_a_constant_on_the_cpu_is_caught_in_the_memory_reader(sizes, monkeypatch):
    monkeypatch.setattr(
        memory_reader, "extend_positions", lambda table, levels, alpha, count: torch.ones(count, 32)
    )
    with FakeTensorMode(), pytest.raises(RuntimeError, match="cpu"):
        run_memory_reader(sizes, torch.float32)


def test_a_constant_on_the_cpu_is_caught_in_the_language_model(sizes, monkeypatch):
    monkeypatch.setattr(
        llama,
        "causal_mask",
        lambda new, total, device: torch.ones(new, total, dtype=torch.bool),
    )
    with FakeTensorMode(), pytest.raises(RuntimeError, match="cpu"):
        run_language_model(sizes, torch.float32)
