"""Frames → blocks, against the authors' modules (vision.safetensors)."""

import pytest
import torch

from conftest import assert_close, outputs_of
from moviechat_models.eva_vit import resize_pos_embed


@pytest.fixture
def vision(tensors):
    return tensors("vision")


def test_pixels_are_normalised_as_the_authors_do(model, vision):
    assert_close(
        model.frame_encoder.normalize(vision["frames_u8"]), vision["normalized"], tolerance=1e-6
    )


def test_every_vit_block_gives_the_golden_hidden_state(model, vision):
    blocks = list(model.frame_encoder.vit.blocks)
    seen = outputs_of(blocks, lambda: model.frame_encoder(vision["frames_u8"]))
    assert len(seen) == 3
    for i, hidden in enumerate(seen):
        assert_close(hidden, vision[f"vit_block_{i}"])
    assert_close(seen[-1], vision["vit_out"])


def test_ln_vision_gives_the_golden_values(model, vision):
    assert_close(model.frame_encoder.ln_vision(vision["vit_out"]), vision["ln_vision"])


def test_every_qformer_layer_gives_the_golden_hidden_state(model, vision):
    qformer = model.frame_encoder.qformer
    seen = outputs_of(
        [qformer.norm, *qformer.layers], lambda: model.frame_encoder(vision["frames_u8"])
    )
    assert len(seen) == 5
    assert_close(seen[0].expand(4, -1, -1), vision["qformer_hidden_0"])
    for i, hidden in enumerate(seen):
        assert_close(hidden.expand(4, -1, -1), vision[f"qformer_hidden_{i}"])


@pytest.mark.parametrize("kind", ["model", "scripted"])
def test_frames_become_the_golden_blocks(kind, request, vision):
    encoder = request.getfixturevalue(kind).frame_encoder
    with torch.no_grad():
        assert_close(encoder(vision["frames_u8"]), vision["qformer_out"])
        assert_close(encoder.condense(vision["vit_out"]), vision["qformer_out"])


def test_strides_of_the_frames_do_not_matter(model, vision):
    frames = vision["frames_u8"]
    interleaved = frames.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)  # RGBRGB… in memory
    assert not interleaved.is_contiguous()
    with torch.no_grad():
        assert torch.equal(model.frame_encoder(interleaved), model.frame_encoder(frames))


def test_frames_of_another_size_are_refused(model, scripted):
    wrong = torch.zeros(1, 3, 28, 56, dtype=torch.uint8)
    for encoder in (model.frame_encoder, scripted.frame_encoder):
        with pytest.raises(Exception, match=r"expected RGB \[B, 3, 56, 56\], got \[1, 3, 28, 56\]"):
            encoder(wrong)


def test_positions_of_another_grid_are_resized(vision):
    assert_close(
        resize_pos_embed(vision["pos_embed_6x6"], grid=4), vision["pos_embed_resized"], 1e-6
    )


def test_positions_of_the_same_grid_are_kept(vision):
    same = resize_pos_embed(vision["pos_embed_6x6"], grid=6)
    assert torch.equal(same, vision["pos_embed_6x6"].float())


def test_positions_of_no_square_grid_are_refused():
    with pytest.raises(ValueError, match="square number"):
        resize_pos_embed(torch.zeros(1, 8, 4), grid=2)
