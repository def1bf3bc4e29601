"""Trains the mini model in stages: bank, tokenizer, frames, answers, bundle. Each stage resumes
where it stopped.

python scripts/mini/train.py --work DIR [--stages bank,tokenizer,frames,answers,bundle] [--out
models/mini]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from mini.scene_bank import SceneBank, draw_bank
from mini.sizes import VOCABULARY, mini_sizes
from mini.tokenizer import PROMPT, MiniTokenizer, train_tokenizer
from mini.train_answers import Answerer, AnswerOptions, train_answers
from mini.train_frames import encode_bank, train_frames
from moviechat_models.export import BundleInfo, Model, Prompt, write_bundle

STAGES = ("bank", "tokenizer", "frames", "answers", "bundle")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and the scene bank")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--scenes", type=int, default=4000, help="scenes in the bank")
    parser.add_argument("--frame-steps", type=int, default=8000)
    parser.add_argument("--answer-steps", type=int, default=4000)
    parser.add_argument(
        "--peak", type=float, default=1e-3, help="learning rate of the answers stage"
    )
    parser.add_argument("--start-from", type=Path, help="answers.pt of another run to begin with")
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
    model = Model.create(sizes)
    init_positions(model)
    init_vision(model)
    if "frames" in stages:
        bank = SceneBank.load(work / "bank")
        train_frames(model.frame_encoder, bank, work, options.frame_steps)
    if "answers" in stages:
        answers_stage(model, options)
    if "bundle" in stages:
        bundle_stage(model, options)


def init_positions(model: Model) -> None:
    """Positions start as smooth waves as large as the blocks' own numbers, so that order is seen
    early.
    """
    reader = model.memory_reader
    rows, width = reader.position_table.shape
    count = torch.arange(rows).unsqueeze(1) / (rows - 1)  # [rows, 1], 0..1
    waves = torch.cos(torch.pi * count * torch.arange(1, 7))  # [rows, 6]
    with torch.no_grad():
        reader.position_table.copy_(waves @ torch.randn(6, width) * 0.25)
        reader.position_table.add_(torch.randn(rows, width) * 0.1)


def init_vision(model: Model) -> None:
    """The start of the ViT: positions are 2-D waves, queries and keys the same projection.

    So it looks at neighbours from the first step, and a small ViT learns shapes much sooner
    (Trockman and Kolter, arXiv 2305.09828).
    """
    vit, sizes = model.frame_encoder.vit, model.frame_encoder.sizes.vit
    axis = torch.arange(sizes.grid, dtype=torch.float32)
    rates = torch.pi / sizes.grid * 2.0 ** torch.linspace(-1.0, 2.0, sizes.width // 4)
    waves = torch.cat([(axis[:, None] * rates).sin(), (axis[:, None] * rates).cos()], 1)  # [g, D/2]
    rows = waves[:, None].expand(-1, sizes.grid, -1)
    columns = waves[None].expand(sizes.grid, -1, -1)
    with torch.no_grad():
        vit.pos_embed[0, 1:] = torch.cat([rows, columns], -1).flatten(0, 1)
        head = sizes.width // sizes.heads
        for block in vit.blocks:
            for h in range(sizes.heads):
                shared = torch.linalg.qr(torch.randn(sizes.width, head))[0].T * 1.3  # [d, D]
                query, key = h * head, sizes.width + h * head
                block.attn.qkv.weight[query : query + head] = shared
                block.attn.qkv.weight[key : key + head] = shared
        model.frame_encoder.qformer.query_tokens.normal_()


def load_frames(model: Model, work: Path) -> None:
    saved = torch.load(work / "frames.pt", weights_only=False)
    model.frame_encoder.load_state_dict(saved["encoder"])


def answers_stage(model: Model, options: argparse.Namespace) -> None:
    """Encodes the bank once with the frozen encoder, puts films together, trains reader and LLM."""
    load_frames(model, options.work)
    bank = SceneBank.load(options.work / "bank")
    cached = options.work / "blocks.pt"
    if not cached.exists() or cached.stat().st_mtime < (options.work / "frames.pt").stat().st_mtime:
        torch.save(encode_bank(model.frame_encoder, bank, every=2), cached)
    blocks = torch.load(cached)
    print(f"{len(blocks)} scenes encoded", flush=True)
    tokens = MiniTokenizer(options.work / "tokenizer.model")
    answerer = Answerer(model.memory_reader, model.language_model, tokens)
    chosen = AnswerOptions(
        folder=options.work,
        steps=options.answer_steps,
        seed=options.seed,
        peak=options.peak,
        start_from=options.start_from,
    )
    train_answers(answerer, bank.scenes, blocks, chosen)


def bundle_stage(model: Model, options: argparse.Namespace) -> None:
    """Writes options.out from the checkpoints in options.work."""
    load_frames(model, options.work)
    tokens = MiniTokenizer(options.work / "tokenizer.model")
    answerer = Answerer(model.memory_reader, model.language_model, tokens)
    saved = torch.load(options.work / "answers.pt", weights_only=False)
    answerer.load_state_dict(saved["answerer"])
    prompt = Prompt(template=PROMPT, stop=tokens.stop(), context=300)
    info = BundleInfo(
        name="mini",
        prompt=prompt,
        dtype="fp16",
        memory={"short_capacity": 18, "keep": 2, "long_capacity": 256},
        plan={"window": 8},
        generation={"max_new_tokens": 40},
    )
    samples = {path: path.read_bytes() for path in options.out.glob("sample.*")}
    write_bundle(options.out, model, info, options.work / "tokenizer.model", replace=True)
    for path, data in samples.items():  # the folder was replaced whole
        path.write_bytes(data)


if __name__ == "__main__":
    main()
