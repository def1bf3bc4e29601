"""Modules run in half precision where their parameters are, and nothing exact is rounded."""

import pytest
import torch

from conftest import assert_close
from moviechat_models.llama import rotary_tables

HALVES = [torch.float16, torch.bfloat16]
# of the largest value: rounding of the weights and of every layer's output
TOLERANCE = {torch.float16: 0.02, torch.bfloat16: 0.15}


def assert_near(actual, expected, dtype):
    assert_close(actual, expected, TOLERANCE[dtype] * float(expected.abs().max()))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_frames_become_blocks_in_half_precision(kind, request, tensors, dtype):
    encoder = request.getfixturevalue(kind).frame_encoder
    golden = tensors("vision")
    with torch.no_grad():
        blocks = encoder.to(dtype)(golden["frames_u8"])
        condensed = encoder.condense(golden["vit_out"].to(dtype))
    assert blocks.dtype == condensed.dtype == dtype
    assert_near(blocks, golden["qformer_out"], dtype)
    assert_near(condensed, golden["qformer_out"], dtype)


@pytest.mark.parametrize("part", ["vit", "condense", "reader"])
def test_fp16_is_as_close_as_the_reference_that_runs_under_autocast(part, model, tensors):
    """Autocast: float32 parameters, matrices multiplied in fp16, norms and sums in float32. Of one
    memory either may be a third closer, by chance and by the processor: 40 are read.
    """
    vision, blocks = tensors("vision"), tensors("video_qformer")["blocks"]
    encoder, reader = model.frame_encoder, model.memory_reader
    run, given = {
        "vit": (encoder.vit, [vision["normalized"]]),
        "condense": (encoder.condense, [vision["vit_out"]]),
        "reader": (reader, [blocks[i : 5 * i + 37] for i in range(40)]),
    }[part]

    def error(seen):
        squares = [(a.float() - b).square().mean() for a, b in zip(seen, expected, strict=True)]
        return float(torch.stack(squares).mean().sqrt())

    with torch.no_grad():
        expected = [run(one) for one in given]
        with torch.autocast("cpu", torch.float16):
            reference = error([run(one) for one in given])
        encoder.to(torch.float16)
        reader.to(torch.float16)
        assert error([run(one.to(torch.float16)) for one in given]) < 1.1 * reference


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_memory_is_read_in_half_precision(kind, request, tensors, dtype):
    reader = request.getfixturevalue(kind).memory_reader
    golden = tensors("video_qformer")
    blocks = golden["blocks"][:37].to(dtype)
    with torch.no_grad():
        plain = reader.to(dtype)(blocks)
        read, attention = reader.read(blocks)
    assert plain.dtype == read.dtype == dtype
    assert attention.dtype == torch.float32
    assert_close(attention.sum(-1), torch.ones(8), 1e-5)
    assert_near(plain, golden["global/T37"][0], dtype)
    assert_near(read, golden["global/T37"][0], dtype)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_the_language_model_steps_in_half_precision(kind, request, tensors, dtype):
    language = request.getfixturevalue(kind).language_model.to(dtype)
    golden = tensors("llm")
    embeds = golden["q0/embeds"].to(dtype)
    keys, values = language.make_cache(1, 80)
    assert keys.dtype == values.dtype == dtype
    assert language.embed(torch.tensor([3])).dtype == dtype
    with torch.no_grad():
        language.step(embeds[:, :40], keys, values, 0)
        language.step(embeds[:, 40:76], keys, values, 40)
        logits = language.step(embeds[:, 76:], keys, values, 76)
        again, attention = language.step_attention(embeds[:, 70:], keys, values, 70)
        scored = language.score(embeds, None)[:, -1]
    assert_close(attention.sum(-1), torch.ones(1, 7), 1e-5)
    for result in (logits, again, scored):
        assert result.dtype == torch.float32
        assert_near(result[0], golden["q0/logits"], dtype)


@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_float32_features_enter_a_half_precision_encoder(kind, request, tensors):
    encoder = request.getfixturevalue(kind).frame_encoder.half()
    golden = tensors("vision")
    with torch.no_grad():
        assert_near(encoder.condense(golden["vit_out"]), golden["qformer_out"], torch.float16)


@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_float32_blocks_enter_a_half_precision_reader(kind, request, tensors):
    reader = request.getfixturevalue(kind).memory_reader.half()
    golden = tensors("video_qformer")
    with torch.no_grad():
        assert_near(reader(golden["blocks"][:5]), golden["global/T5"][0], torch.float16)


@pytest.mark.parametrize("dtype", HALVES)
def test_rotary_angles_are_float32_whatever_the_dtype(dtype):
    # at position 2000 an inv_freq rounded to half precision would be off by more than a radian
    like = torch.zeros(1, dtype=dtype)
    cos, sin = rotary_tables(2000, 1, 128, 10000.0, like)
    inv_freq = 10000.0 ** (-torch.arange(0, 128, 2, dtype=torch.float64) / 128)
    expected = torch.cat((2000 * inv_freq, 2000 * inv_freq))
    assert cos.dtype == sin.dtype == dtype
    rounding = torch.finfo(dtype).eps
    assert_close(cos[0], expected.cos(), rounding)
    assert_close(sin[0], expected.sin(), rounding)
