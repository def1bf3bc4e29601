"""Stage 1: the frame encoder learns to put background, colours, shapes and places into its blocks.

Linear heads, thrown away afterwards, read these from the flattened block, so that stage 2 finds
them easily.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mini.films import COLOURS, SHAPES
from mini.scene_bank import SceneBank, patch_labels, scene_labels, scene_places
from mini.sizes import TOKENS, WIDTH
from moviechat_models.frame_encoder import FrameEncoder


class FrameHeads(nn.Module):
    """What the frame shows: from its block, and patch by patch from the ViT's output."""

    def __init__(self, vit_width: int) -> None:
        super().__init__()
        sizes = {"background": len(COLOURS), "colours": len(COLOURS), "shapes": len(SHAPES)}
        sizes |= {"pairs": len(COLOURS) * len(SHAPES), "place": 2}
        self.heads = nn.ModuleDict({k: nn.Linear(TOKENS * WIDTH, n) for k, n in sizes.items()})
        self.patches = nn.Linear(vit_width, len(SHAPES) + len(COLOURS))

    def forward(self, vit: Tensor, blocks: Tensor) -> dict[str, Tensor]:
        """ViT output [B, P, D] and blocks [B, N, C] → scores by name"""
        flat = blocks.flatten(1)
        seen = {name: head(flat) for name, head in self.heads.items()}
        return seen | {"patches": self.patches(vit[:, 1:])}  # [B, P - 1, 12]


def to_rgb(frames: np.ndarray) -> Tensor:
    """uint8 [B, S, S, 3] → uint8 [B, 3, S, S]"""
    return torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2)


def frame_loss(seen: dict[str, Tensor], truth: dict[str, Tensor]) -> Tensor:
    """Sum of the heads' losses."""
    loss = F.cross_entropy(seen["background"], truth["background"])
    for name in ("colours", "shapes", "pairs"):
        weight = truth[name].shape[1] / 4.0
        loss = loss + weight * F.binary_cross_entropy_with_logits(seen[name], truth[name])
    patches = F.binary_cross_entropy_with_logits(seen["patches"], truth["patches"])
    return loss + F.mse_loss(seen["place"], truth["place"]) + 20.0 * patches


def lr_at(step: int, steps: int, peak: float, warmup: int = 100) -> float:
    """Linear warm-up, then a cosine to a fiftieth."""
    if step < warmup:
        return peak * (step + 1) / warmup
    share = min(1.0, (step - warmup) / max(1, steps - warmup))
    return peak * (0.02 + 0.98 * 0.5 * (1.0 + np.cos(np.pi * share)))


def train_frames(
    encoder: FrameEncoder, bank: SceneBank, folder: Path, steps: int, batch: int = 64
) -> None:
    """Trains in place; resumes from and saves to folder/frames.pt; the last 5 % of the scenes are
    for validation.
    """
    labels = {k: torch.from_numpy(v) for k, v in scene_labels(bank.scenes).items()}
    places = torch.from_numpy(scene_places(bank.scenes))
    heads = FrameHeads(encoder.sizes.vit.width)
    patches = patch_labels(bank, encoder.sizes.vit.grid)
    parameters = [*encoder.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.02, betas=(0.9, 0.98))
    rng = np.random.default_rng(11)
    held_out = len(bank.scenes) * 19 // 20
    checkpoint, start = folder / "frames.pt", 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=False)
        encoder.load_state_dict(saved["encoder"])
        heads.load_state_dict(saved["heads"])
        if "optimizer" in saved:
            optimizer.load_state_dict(saved["optimizer"])
        start = saved["step"]

    def truth_of(scene: np.ndarray, frame: np.ndarray) -> dict[str, Tensor]:
        truth = {name: values[scene] for name, values in labels.items()}
        inside = torch.from_numpy(patches[scene, frame]).float()
        return truth | {"place": places[scene, frame], "patches": inside}

    def look(scene: np.ndarray, frame: np.ndarray) -> dict[str, Tensor]:
        vit = encoder.see(to_rgb(bank.frames[scene, frame]))
        return heads(vit, encoder.condense(vit))

    def save(step: int) -> None:
        state = {"encoder": encoder.state_dict(), "heads": heads.state_dict(), "step": step}
        torch.save(state | {"optimizer": optimizer.state_dict()}, checkpoint)

    began = time.time()
    for step in range(start, steps):
        for group in optimizer.param_groups:
            group["lr"] = lr_at(step, steps, 1.2e-3)
        scene = rng.integers(0, held_out, batch)
        frame = rng.integers(0, bank.frames.shape[1], batch)
        seen = look(scene, frame)
        loss = frame_loss(seen, truth_of(scene, frame))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % 100 == 0 or step + 1 == steps:
            save(step + 1)
            with torch.no_grad():
                scene = np.repeat(np.arange(held_out, len(bank.scenes)), 4)[:800]
                frame = rng.integers(0, bank.frames.shape[1], len(scene))
                seen = look(scene, frame)
                truth = truth_of(scene, frame)
                right = (seen["background"].argmax(1) == truth["background"]).float().mean()
                exact = {
                    name: ((seen[name] > 0) == (truth[name] > 0.5)).all(1).float().mean().item()
                    for name in ("colours", "shapes", "pairs")
                }
            shown = " ".join(f"{name} {value:.3f}" for name, value in exact.items())
            print(
                f"frames {step + 1}/{steps} loss {loss:.3f} background {right:.3f} {shown} "
                f"{time.time() - began:.0f}s",
                flush=True,
            )


def encode_bank(encoder: FrameEncoder, bank: SceneBank, every: int = 1) -> Tensor:
    """Every `every`-th kept frame as a block. → float16 [scenes, F / every, N, C]"""
    encoder.eval()
    with torch.inference_mode():
        blocks = [encoder(to_rgb(frames[::every])).half() for frames in bank.frames]
    return torch.stack(blocks)
