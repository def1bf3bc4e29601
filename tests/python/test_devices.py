"""No module bakes in a device: all run as fake tensors on `cuda`, without a GPU.

Only parameters and inputs are made on cuda; whatever a module creates without saying where lands on
the CPU, as it would on a real GPU, and mixing raises.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from moviechat_models import llama, memory_reader
from moviechat_models.frame_encoder import FrameEncoder
from moviechat_models.llama import LanguageModel
from moviechat_models.memory_reader import MemoryReader


def on_cuda(kind, sizes, dtype):
    """Built in its dtype: fake parameters cannot be converted afterwards."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("cuda"):
            return kind(sizes).eval()
    finally:
        torch.set_default_dtype(before)


def run_frame_encoder(sizes, dtype):
    encoder = on_cuda(FrameEncoder, sizes.frame_encoder, dtype)
    rgb = torch.empty(2, 3, 56, 56, dtype=torch.uint8, device="cuda")
    return [encoder(rgb), encoder.condense(torch.empty(2, 17, 48, dtype=dtype, device="cuda"))]


def run_memory_reader(sizes, dtype):
    reader = on_cuda(MemoryReader, sizes.memory_reader, dtype)
    blocks = torch.empty(5, 8, 32, dtype=dtype, device="cuda")
    mask = torch.empty(1, 5, dtype=torch.bool, device="cuda")
    return [
        reader(blocks),
        *reader.read(blocks),
        reader.read_batch(blocks.unsqueeze(0), mask),
    ]


def run_language_model(sizes, dtype):
    language = on_cuda(LanguageModel, sizes.language_model, dtype)
    embeds = language.embed(torch.empty(2, 7, dtype=torch.int64, device="cuda"))
    keys, values = language.make_cache(2, 32)
    return [
        embeds,
        keys,
        language.step(embeds, keys, values, 0),
        language.step(embeds[:, :1], keys, values, 7),
        language.step_all(embeds, keys, values, 8),
        *language.step_attention(embeds, keys, values, 15),
        language.score(embeds, None),
        language.score(embeds, torch.empty(2, 7, dtype=torch.bool, device="cuda")),
    ]


RUNS = {
    "frame_encoder": run_frame_encoder,
    "memory_reader": run_memory_reader,
    "language_model": run_language_model,
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("module", RUNS)
def test_everything_stays_on_the_device_of_the_parameters(module, dtype, sizes):
    with FakeTensorMode():
        for output in RUNS[module](sizes, dtype):
            assert output.device.type == "cuda"


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
