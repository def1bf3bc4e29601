"""What the training of the mini model needs: gradients everywhere, dropout only in training."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from moviechat_models.model import Model
from moviechat_models.sizes import ModelSizes


def with_dropout(sizes: ModelSizes, rate: float) -> ModelSizes:
    change = dataclasses.replace
    encoder, reader = sizes.frame_encoder, sizes.memory_reader
    return ModelSizes(
        change(encoder, qformer=change(encoder.qformer, dropout=rate)),
        change(reader, qformer=change(reader.qformer, dropout=rate)),
        change(sizes.language_model, dropout=rate),
    )


def train_step(model: Model) -> torch.Tensor:
    """Two films of three frames, one shorter, and five tokens of text → loss"""
    rgb = torch.randint(0, 256, (6, 3, 56, 56), dtype=torch.uint8)
    blocks = model.frame_encoder(rgb).unflatten(0, (2, 3))  # [2, 3, N, C]
    mask = torch.tensor([[True, True, True], [True, True, False]])
    video = model.memory_reader.read_batch(blocks, mask)  # [2, Q, H]
    ids = torch.randint(0, 512, (2, 5))
    embeds = torch.cat((video, model.language_model.embed(ids)), dim=1)
    logits = model.language_model.score(embeds, None)
    return F.cross_entropy(logits[:, -6:-1].flatten(0, 1), ids.flatten())


def test_every_parameter_gets_a_gradient(sizes):
    model = Model.create(sizes)
    train_step(model).backward()
    for file, module in model.modules().items():
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, f"{file}: {name}"
            assert torch.isfinite(parameter.grad).all(), f"{file}: {name}"
            assert parameter.grad.abs().sum() > 0, f"{file}: {name}"


def test_a_few_steps_lower_the_loss(sizes):
    model = Model.create(sizes)
    parameters = [p for module in model.modules().values() for p in module.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    losses = []
    for _ in range(15):
        torch.manual_seed(0)
        loss = train_step(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("module", ["frame_encoder", "memory_reader", "language_model"])
def test_dropout_acts_in_training_and_only_there(sizes, module):
    chosen = getattr(Model.create(with_dropout(sizes, 0.3)), module)
    run = {
        "frame_encoder": lambda: chosen(torch.full((1, 3, 56, 56), 9, dtype=torch.uint8)),
        "memory_reader": lambda: chosen(torch.ones(3, 8, 32)),
        "language_model": lambda: chosen.score(torch.ones(1, 4, 64), None),
    }[module]
    with torch.no_grad():
        chosen.train()
        assert not torch.equal(run(), run())
        chosen.eval()
        assert torch.equal(run(), run())
