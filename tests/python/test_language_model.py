"""Embeddings → logits: against transformers 4.28 (llm.safetensors), cache against no cache."""

import dataclasses

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from conftest import assert_close, outputs_of
from moviechat_models.llama import LanguageModel

PROMPTS = range(11)
CACHE_TOLERANCE = 5e-5  # float32 sums in another order, on logits of up to 10


@pytest.fixture
def language(tensors):
    return tensors("llm")


def start(language_model, embeddings, capacity=400):
    return language_model.make_cache(embeddings.size(0), capacity)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_prompt_ids_and_video_become_the_golden_embeddings(
    model, language, golden, tensors, prompt
):
    case = golden["cases"]["language"]["prompts"][prompt]
    video = tensors("video_qformer")["global/T37"][0]
    embed = model.language_model.embed
    with torch.no_grad():
        parts = (
            embed(torch.tensor(case["part1_ids"])),
            video,
            embed(torch.tensor(case["part2_ids"])),
        )
    assert_close(torch.cat(parts).unsqueeze(0), language[f"q{prompt}/embeds"])


@pytest.mark.parametrize("kind", ["model", "scripted"])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_first_logits_are_golden(kind, request, language, prompt):
    language_model = request.getfixturevalue(kind).language_model
    embeds = language[f"q{prompt}/embeds"]
    with torch.no_grad():
        logits = language_model.step(embeds, *start(language_model, embeds), 0)
    assert logits.dtype == torch.float32
    assert_close(logits[0], language[f"q{prompt}/logits"])


def test_every_layer_gives_the_golden_hidden_state(model, language):
    llm = model.language_model
    seen = outputs_of([*llm.layers, llm.norm], lambda: llm.score(language["q0/embeds"], None))
    assert_close(language["q0/embeds"], language["q0/hidden_0"])
    assert_close(seen[0], language["q0/hidden_1"])
    assert_close(seen[2], language["q0/hidden_2"])  # transformers: after the final norm


def test_logits_of_the_last_positions_are_golden(model, language):
    embeds = language["q0/embeds"]
    with torch.no_grad():
        logits = model.language_model.score(embeds, None)
    assert_close(logits[0, -8:], language["q0/logits_last8"])


@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_steps_of_one_equal_the_forward_without_a_cache(kind, request, language):
    llm = request.getfixturevalue(kind).language_model
    embeds = language["q0/embeds"]
    keys, values = start(llm, embeds)
    with torch.no_grad():
        uncached = llm.score(embeds, None)
        for i in range(embeds.size(1)):
            logits = llm.step(embeds[:, i : i + 1], keys, values, i)
            assert_close(logits, uncached[:, i], CACHE_TOLERANCE)


@pytest.mark.parametrize("pieces", [(77,), (1, 76), (40, 1, 36), (30, 30, 17)])
def test_prefill_in_pieces_equals_prefill_at_once(model, language, pieces):
    llm = model.language_model
    embeds = language["q0/embeds"]
    keys, values = start(llm, embeds)
    at = 0
    with torch.no_grad():
        uncached = llm.score(embeds, None)
        for piece in pieces:
            logits = llm.step(embeds[:, at : at + piece], keys, values, at)
            at += piece
            assert_close(logits, uncached[:, at - 1], CACHE_TOLERANCE)
        at_once = start(llm, embeds)
        llm.step(embeds, *at_once, 0)
    # what comes next sees every position through these
    assert_close(keys, at_once[0], CACHE_TOLERANCE)
    assert_close(values, at_once[1], CACHE_TOLERANCE)


def test_rows_of_a_batch_do_not_see_each_other(model, language):
    llm = model.language_model
    batch = torch.cat((language["q7/embeds"], language["q8/embeds"]))
    with torch.no_grad():
        logits = llm.step(batch, *start(llm, batch), 0)
    assert_close(logits[0], language["q7/logits"])
    assert_close(logits[1], language["q8/logits"])


def test_beams_are_reordered_by_selecting_rows_of_the_cache(model, language):
    llm = model.language_model
    batch = torch.cat((language["q7/embeds"], language["q8/embeds"]))
    keys, values = start(llm, batch)
    order = torch.tensor([1, 1])
    with torch.no_grad():
        llm.step(batch[:, :70], keys, values, 0)
        keys, values = keys.index_select(1, order), values.index_select(1, order)
        logits = llm.step(batch[order, 70:], keys, values, 70)
    assert_close(logits, language["q8/logits"].expand(2, -1))


def test_a_step_overwrites_what_stood_there(model, language):
    llm = model.language_model
    embeds = language["q0/embeds"]
    keys, values = start(llm, embeds)
    with torch.no_grad():
        llm.step(embeds.flip(1), keys, values, 0)
        logits = llm.step(embeds, keys, values, 0)
    assert_close(logits[0], language["q0/logits"])


@pytest.mark.parametrize("begin", [0, 30])
def test_attention_sums_to_one_and_never_looks_ahead(model, scripted, language, begin):
    embeds = language["q0/embeds"]
    for llm in (model.language_model, scripted.language_model):
        keys, values = start(llm, embeds)
        with torch.no_grad():
            if begin > 0:
                llm.step(embeds[:, :begin], keys, values, 0)
            logits, attention = llm.step_attention(embeds[:, begin:], keys, values, begin)
        assert attention.shape == (1, 77 - begin, 77)
        assert attention.dtype == torch.float32
        assert_close(attention.sum(-1), torch.ones(1, 77 - begin), CACHE_TOLERANCE)
        assert (attention.triu(begin + 1) == 0).all()
        assert_close(logits[0], language["q0/logits"])


def test_attention_of_the_first_position_is_all_on_itself(model, language):
    embeds = language["q0/embeds"][:, :1]
    with torch.no_grad():
        _, attention = model.language_model.step_attention(
            embeds, *start(model.language_model, embeds), 0
        )
    assert attention.tolist() == [[[1.0]]]


def test_padding_on_the_right_needs_no_mask(model, language):
    llm = model.language_model
    embeds = language["q0/embeds"]
    padded = torch.cat((embeds, torch.full((1, 9, 64), 5.0)), dim=1)
    with torch.no_grad():
        assert_close(llm.score(padded, None)[:, :77], llm.score(embeds, None), CACHE_TOLERANCE)


def test_padding_on_the_left_is_masked(model, language):
    llm = model.language_model
    embeds = language["q0/embeds"]
    padded = torch.cat((torch.full((1, 9, 64), 5.0), embeds), dim=1)
    mask = torch.arange(86).unsqueeze(0) >= 9
    with torch.no_grad():
        scores = llm.score(padded, mask)
        # rotary positions are relative: the shift by 9 changes nothing but rounding
        assert_close(scores[:, 9:], llm.score(embeds, None))
        # a row of padding sees itself, so no softmax is over nothing
        assert_close(scores[:, :1], llm.score(padded[:, :1], None), CACHE_TOLERANCE)
    assert torch.isfinite(scores).all()


def test_shared_key_value_heads_give_the_same_with_and_without_a_cache(shared_heads):
    embeds = torch.randn(2, 12, 64)
    keys, values = shared_heads.make_cache(2, 12)
    assert keys.shape == (2, 2, 2, 12, 16)
    with torch.no_grad():
        uncached = shared_heads.score(embeds, None)
        first = shared_heads.step(embeds[:, :5], keys, values, 0)
        rest = shared_heads.step(embeds[:, 5:], keys, values, 5)
    assert_close(first, uncached[:, 4], CACHE_TOLERANCE)
    assert_close(rest, uncached[:, 11], CACHE_TOLERANCE)


def test_shared_key_value_heads_equal_a_model_with_repeated_heads(shared_heads, sizes):
    full = LanguageModel(sizes.language_model).eval()
    weights = shared_heads.state_dict()
    for name in weights:
        if name.endswith(("k_proj.weight", "v_proj.weight")):
            heads = weights[name].view(2, 16, 64).repeat_interleave(2, dim=0)
            weights[name] = heads.reshape(64, 64)
    full.load_state_dict(weights)
    embeds = torch.randn(1, 9, 64)
    with torch.no_grad():
        assert_close(full.score(embeds, None), shared_heads.score(embeds, None), CACHE_TOLERANCE)


def test_a_tied_model_uses_the_embedding_table_for_logits(sizes):
    llm = LanguageModel(dataclasses.replace(sizes.language_model, tied=True)).eval()
    assert not any("lm_head" in name for name in llm.state_dict())
    embeds = torch.randn(1, 3, 64)
    hidden = outputs_of([llm.norm], lambda: llm.score(embeds, None))[0]
    with torch.no_grad():
        expected = hidden @ llm.embed_tokens.weight.T
        assert_close(llm.score(embeds, None), expected, CACHE_TOLERANCE)
        assert_close(torch.jit.script(llm).score(embeds, None), expected, CACHE_TOLERANCE)


@pytest.mark.parametrize(("count", "begin"), [(5, 0), (1, 4), (2, 3), (1, -1)])
def test_positions_outside_the_cache_are_refused(model, scripted, count, begin):
    for llm in (model.language_model, scripted.language_model):
        keys, values = llm.make_cache(1, 4)
        with pytest.raises(Exception, match="do not fit a cache of 4"):
            llm.step(torch.zeros(1, count, 64), keys, values, begin)


def test_a_batch_of_another_size_than_the_cache_is_refused(model):
    keys, values = model.language_model.make_cache(1, 4)
    with pytest.raises(ValueError, match=r"expected embeddings \[1, n, 64\]"):
        model.language_model.step(torch.zeros(2, 1, 64), keys, values, 0)


class Work(TorchDispatchMode):
    """Counts the elements that operations write; views write none."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            outputs = result if isinstance(result, tuple) else (result,)
            self.elements += sum(o.numel() for o in outputs if isinstance(o, torch.Tensor))
        return result


def test_the_work_of_a_step_does_not_grow_with_the_capacity(model):
    def work(capacity: int) -> int:
        keys, values = model.language_model.make_cache(1, capacity)
        with torch.no_grad(), Work() as counted:
            model.language_model.step(torch.zeros(1, 1, 64), keys, values, 8)
        return counted.elements

    assert work(16) == work(16384)
