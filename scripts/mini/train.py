"""Trains the mini model in stages: bank, tokenizer, frames, answers, bundle. Each stage resumes where it stopped.

python scripts/mini/train.py --work DIR [--stages bank,tokenizer,frames,answers,bundle] [--out models/mini]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402

from mini.scene_bank import SceneBank, draw_bank  # noqa: E402
from mini.sizes import VOCABULARY, mini_sizes  # noqa: E402
from mini.tokenizer import train_tokenizer  # noqa: E402
from mini.train_frames import train_frames  # noqa: E402
from moviechat_models.frame_encoder import FrameEncoder  # noqa: E402

STAGES = ("bank", "tokenizer", "frames", "answers", "bundle")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and the scene bank")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--scenes", type=int, default=4000, help="scenes in the bank")
    parser.add_argument("--frame-steps", type=int, default=2500)
    parser.add_argument("--answer-steps", type=int, default=6000)
    parser.add_argument("--films", type=int, default=4000, help="films put together for training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("models/mini"))
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    stages = options.stages.split(",")
    sizes = mini_sizes()
    if "bank" in stages and not (work / "bank.pickle").exists():
        draw_bank(options.scenes, options.seed).save(work / "bank")
    if "tokenizer" in stages and not (work / "tokenizer.model").exists():
        train_tokenizer(work / "tokenizer.model", VOCABULARY)
    encoder = FrameEncoder(sizes.frame_encoder)
    if "frames" in stages:
        train_frames(encoder, SceneBank.load(work / "bank"), work, options.frame_steps)


if __name__ == "__main__":
    main()
