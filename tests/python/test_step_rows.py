"""step_rows: rows of their own length behind prefixes that they share. The same work on the same
shapes at every position, and nothing read from the device."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from conftest import assert_close
from moviechat_models.llama import LanguageModel
from test_devices import on_cuda

TOLERANCE = 1e-5
NO_PREFIX = torch.full((4,), -1), [], []
LENGTHS = [3, 11, 1, 7]  # of the rows' prompts


def read_prompts(llm, embeds, capacity=24):
    """Rows of their own length [B, n, H] → a cache of all, filled as the program would"""
    keys, values = llm.make_cache(len(LENGTHS), capacity)
    for row, length in enumerate(LENGTHS):
        own_keys, own_values = llm.make_cache(1, capacity)
        llm.step(embeds[row : row + 1, :length], own_keys, own_values, 0)
        keys[:, row], values[:, row] = own_keys[:, 0], own_values[:, 0]
    return keys, values


@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_rows_of_different_lengths_step_as_each_would_alone(kind, request):
    llm = request.getfixturevalue(kind).language_model
    embeds = torch.randn(len(LENGTHS), 16, 64)
    with torch.no_grad():
        keys, values = read_prompts(llm, embeds)
        positions = torch.tensor(LENGTHS)
        for _ in range(4):
            new = embeds[torch.arange(len(LENGTHS)), positions].unsqueeze(1)  # [B, 1, H]
            logits = llm.step_rows(new, keys, values, positions, positions, *NO_PREFIX)
            for row, position in enumerate(positions.tolist()):
                own = llm.make_cache(1, 24)
                wanted = llm.step(embeds[row : row + 1, : position + 1], *own, 0)
                assert_close(logits[row], wanted[0], TOLERANCE)
            positions += 1


def test_what_stands_behind_a_row_s_position_is_not_seen(model):
    llm = model.language_model
    embeds = torch.randn(len(LENGTHS), 16, 64)
    positions = torch.tensor(LENGTHS)
    logits = []
    with torch.no_grad():
        for garbage in (0.0, 1e4):
            keys, values = read_prompts(llm, embeds)
            for row, length in enumerate(LENGTHS):
                keys[:, row, :, length:] += garbage
                values[:, row, :, length:] += garbage
            logits.append(
                llm.step_rows(embeds[:, 15:], keys, values, positions, positions, *NO_PREFIX)
            )
    assert torch.equal(*logits)


@pytest.mark.parametrize("kind", ["model", "scripted", "shared_heads"])
@pytest.mark.parametrize("prefix_of", [[0, 0, 0, 0], [1, 0, -1, 1]], ids=str)
def test_rows_behind_shared_prefixes_step_as_each_would_alone(kind, prefix_of, request):
    llm = request.getfixturevalue(kind)
    llm = llm if kind == "shared_heads" else llm.language_model
    prefixes = [torch.randn(1, 9, 64), torch.randn(1, 5, 64)][: max(prefix_of) + 1]
    embeds = torch.randn(len(LENGTHS), 16, 64)
    before = [prefixes[p] if p >= 0 else torch.empty(1, 0, 64) for p in prefix_of]
    with torch.no_grad():
        caches = []
        for prefix in prefixes:
            caches.append(llm.make_cache(1, prefix.size(1)))
            llm.step(prefix, *caches[-1], 0)
        keys, values = llm.make_cache(len(LENGTHS), 24)
        for row, length in enumerate(LENGTHS):
            own = llm.make_cache(1, 40)
            start = before[row].size(1)
            llm.step(torch.cat((before[row], embeds[row : row + 1, :length]), 1), *own, 0)
            keys[:, row, :, :length] = own[0][:, 0, :, start : start + length]
            values[:, row, :, :length] = own[1][:, 0, :, start : start + length]
        slots = torch.tensor(LENGTHS)
        offsets = torch.tensor([b.size(1) for b in before])
        for _ in range(4):
            new = embeds[torch.arange(len(LENGTHS)), slots].unsqueeze(1)  # [B, 1, H]
            logits = llm.step_rows(
                new,
                keys,
                values,
                slots,
                slots + offsets,
                torch.tensor(prefix_of),
                [cache[0] for cache in caches],
                [cache[1] for cache in caches],
            )
            for row, slot in enumerate(slots.tolist()):
                whole = torch.cat((before[row], embeds[row : row + 1, : slot + 1]), 1)
                wanted = llm.step(whole, *llm.make_cache(1, 40), 0)
                assert_close(logits[row], wanted[0], TOLERANCE)
            slots += 1


class OnTheDeviceOnly(TorchDispatchMode):
    """Refuses operations that touch another device: each is a copy that the host waits for."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in (*args, *(result if isinstance(result, tuple) else (result,))):
            if isinstance(value, torch.Tensor) and value.device.type != "cuda":
                raise AssertionError(f"{func} touches {value.device}")
        return result


def step_on_cuda(sizes, dtype=torch.float16):
    llm = on_cuda(LanguageModel, sizes.language_model, dtype)
    keys, values = llm.make_cache(2, 32)
    positions = torch.empty(2, dtype=torch.int64, device="cuda")
    embeds = llm.embed(torch.empty(2, 1, dtype=torch.int64, device="cuda"))
    prefix = llm.make_cache(1, 7)
    with OnTheDeviceOnly():
        return llm.step_rows(
            embeds, keys, values, positions, positions, positions, [prefix[0]], [prefix[1]]
        )


def test_nothing_is_read_from_the_device(sizes):
    # fake tensors have no values: whoever wants one on the host (item, a branch, a shape) raises
    with FakeTensorMode():
        assert step_on_cuda(sizes).device.type == "cuda"


@pytest.mark.parametrize(
    "look_at_host",
    [
        lambda positions: positions + int(positions.max()),
        lambda positions: positions[positions > 0],
        lambda positions: positions + torch.zeros(1, dtype=torch.int64).to(positions.device),
    ],
    ids=["item", "mask", "copy"],
)
def test_a_wait_for_the_device_is_caught(sizes, monkeypatch, look_at_host):
    step_rows = LanguageModel.step_rows
    monkeypatch.setattr(
        LanguageModel,
        "step_rows",
        lambda self, embeds, keys, values, slots, *rest: step_rows(
            self, embeds, keys, values, look_at_host(slots), *rest
        ),
    )
    with FakeTensorMode(), pytest.raises((AssertionError, RuntimeError)):
        step_on_cuda(sizes)


def test_the_operations_do_not_depend_on_the_positions(model):
    llm = model.language_model

    def trace(positions):
        keys, values = llm.make_cache(2, 32)
        prefix = llm.make_cache(1, 7)
        slots = torch.tensor(positions)
        with torch.no_grad():
            step = make_fx(
                lambda *given: llm.step_rows(*given, torch.zeros(2), [prefix[0]], [prefix[1]])
            )
            graph = step(torch.zeros(2, 1, 64), keys, values, slots, slots + 7).graph
        return [(str(node.target), [str(a) for a in node.args]) for node in graph.nodes]

    assert trace([0, 1]) == trace([31, 8])
