"""Stage 1: the frame encoder learns to write the blocks' code.

The loss is the distance to the code, and how well its colours can be read from it. A linear head on
the ViT's patches, thrown away afterwards, tells it early what lies where.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mini import checkpoint
from mini.block_code import BACKGROUND, BASIS, CAMEO, mirror
from mini.frame_bank import GRID, PATCH_KINDS, FrameBank
from mini.progress import Progress
from moviechat_models.frame_encoder import FrameEncoder

SHARPNESS = 6.0  # of a colour's strength as a logit


@dataclass(frozen=True)
class FrameOptions:
    folder: Path
    steps: int
    batch: int = 64
    peak: float = 1.2e-3
    seed: int = 1


def to_rgb(frames: np.ndarray) -> Tensor:
    """uint8 [B, S, S, 3] → uint8 [B, 3, S, S]"""
    return torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2)


def draw_batch(
    rng: np.random.Generator, bank: FrameBank, rows: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames, codes float32 and patches of the bank's first `rows`, half of them mirrored."""
    chosen = np.sort(rng.integers(0, rows, count))
    frames, patches = bank.frames[chosen], bank.patches[chosen].reshape(count, GRID, GRID, -1)
    codes = bank.codes[chosen].astype(np.float32)
    turned = rng.uniform(size=count) < 0.5
    frames[turned] = frames[turned][:, :, ::-1]
    patches[turned] = patches[turned][:, :, ::-1]
    codes[turned] = codes[turned] @ mirror()
    return frames, codes, patches.reshape(count, GRID * GRID, -1)


def lr_at(step: int, steps: int, peak: float, warmup: int = 100) -> float:
    """Linear warm-up, then a cosine to a fiftieth."""
    if step < warmup:
        return peak * (step + 1) / warmup
    share = min(1.0, (step - warmup) / max(1, steps - warmup))
    return peak * (0.02 + 0.98 * 0.5 * (1.0 + np.cos(np.pi * share)))


def read_code(blocks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Blocks [B, N, C] → how strong colours [B, N, 8], cameo shapes [B, 4], absence [B, N] are"""
    colours = blocks @ torch.from_numpy(BASIS["colour"]).T
    cameos = blocks[:, CAMEO] @ torch.from_numpy(BASIS["cameo"]).T
    return colours, cameos, blocks @ torch.from_numpy(BASIS["absent"][0])


def code_loss(blocks: Tensor, codes: Tensor) -> Tensor:
    """Distance to the code, and cross-entropy of colours where something is. [B, N, C] both"""
    colours, cameos, _ = read_code(blocks)
    true_colours, true_cameos, true_absent = read_code(codes)
    there = true_absent < 1.0  # [B, N]
    loss = 6.0 * F.mse_loss(blocks, codes)
    loss = loss + F.cross_entropy(SHARPNESS * colours[there], true_colours[there].argmax(-1))
    on = there[:, CAMEO]
    if bool(on.any()):
        loss = loss + F.cross_entropy(SHARPNESS * cameos[on], true_cameos[on].argmax(-1))
    return loss


def scores(blocks: Tensor, codes: Tensor) -> dict[str, float]:
    """Shares of frames right: background, which shapes are there, their colours, cameos."""
    colours, cameos, absent = read_code(blocks)
    true_colours, true_cameos, true_absent = read_code(codes)
    there = true_absent < 1.0
    right = colours.argmax(-1) == true_colours.argmax(-1)
    shapes = slice(1, CAMEO)
    cameo = right[:, CAMEO] & (cameos.argmax(-1) == true_cameos.argmax(-1))
    same = (absent < 1.0) == there
    on = there[:, CAMEO]
    return {
        "background": right[:, BACKGROUND].float().mean().item(),
        "shapes": same[:, shapes].all(1).float().mean().item(),
        "colours": (right | ~there)[:, shapes].all(1).float().mean().item(),
        "cameo": (cameo & same[:, CAMEO])[on].float().mean().item(),
        "no_cameo": same[~on][:, CAMEO].float().mean().item(),
        "error": F.mse_loss(blocks, codes).item(),
    }


def train_frames(encoder: FrameEncoder, bank: FrameBank, options: FrameOptions) -> None:
    """Trains in place; resumes from and saves to folder/frames.pt. The last 5 % of the bank are for
    validation.
    """
    head = nn.Linear(encoder.sizes.vit.width, PATCH_KINDS)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.02, betas=(0.9, 0.98))
    path, start = options.folder / "frames.pt", 0
    if path.exists():
        saved = checkpoint.load(path)
        encoder.load_state_dict(saved["encoder"])
        head.load_state_dict(saved["head"])
        optimizer.load_state_dict(saved["optimizer"])
        start = saved["step"]
    rng = np.random.default_rng([options.seed, 11, start])
    held_out = len(bank.frames) * 19 // 20
    progress = Progress("frames", options.folder, start, options.steps)
    for step in range(start, options.steps):
        for group in optimizer.param_groups:
            group["lr"] = lr_at(step, options.steps, options.peak)
        frames, codes, patches = draw_batch(rng, bank, held_out, options.batch)
        vit = encoder.see(to_rgb(frames))
        loss = code_loss(encoder.condense(vit), torch.from_numpy(codes))
        patches = torch.from_numpy(patches).float()
        whole = loss + 15.0 * F.binary_cross_entropy_with_logits(head(vit[:, 1:]), patches)
        optimizer.zero_grad()
        whole.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        progress.add(loss=loss.item())
        if (step + 1) % 200 == 0 or step + 1 == options.steps:
            state = {"encoder": encoder.state_dict(), "head": head.state_dict()}
            state |= {"optimizer": optimizer.state_dict()}
            checkpoint.save(path, state, step + 1, options.steps)
            progress.tell(step, validate(encoder, bank, held_out))


def validate(encoder: FrameEncoder, bank: FrameBank, held_out: int) -> dict[str, float]:
    """Scores on 600 frames that are not trained on."""
    rows = np.linspace(held_out, len(bank.frames) - 1, 600).astype(int)
    encoder.eval()
    with torch.inference_mode():
        blocks = encoder(to_rgb(bank.frames[rows]))
        result = scores(blocks, torch.from_numpy(bank.codes[rows]).float())
    encoder.train()
    return result
