#!/usr/bin/env python3
"""The tiny checkpoints of tests/data/golden → the bundle tests/data/tiny_bundle that the C++ tests
run.

scripts/make_tiny_bundle.py --golden tests/data/golden --out tests/data/tiny_bundle --replace
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from moviechat_models.export import BundleError, BundleInfo, Model, Prompt, write_bundle
from moviechat_models.load import LoadError, load_moviechat
from moviechat_models.sizes import (
    FrameEncoderSizes,
    LlamaSizes,
    MemoryReaderSizes,
    ModelSizes,
    PositionSizes,
    QFormerSizes,
    VitSizes,
)


def tiny_sizes(sizes: dict[str, Any]) -> ModelSizes:
    """The `sizes` of golden.json: depth and head counts cannot be read from the checkpoints."""
    vit, frame, video, llama = (sizes[key] for key in ("vit", "qformer", "video_qformer", "llama"))
    return ModelSizes(
        frame_encoder=FrameEncoderSizes(
            vit=VitSizes(**{key: value for key, value in vit.items() if key != "file_blocks"}),
            qformer=QFormerSizes(**frame, memory_width=vit["width"]),
        ),
        memory_reader=MemoryReaderSizes(
            qformer=QFormerSizes(**(frame | video), memory_width=frame["width"]),
            positions=PositionSizes(rows=sizes["frame_table"], levels=sizes["memory"]["n"]),
            tokens=frame["queries"],
            out=llama["width"],
        ),
        language_model=LlamaSizes(
            width=llama["width"],
            layers=llama["layers"],
            heads=llama["heads"],
            ffn=llama["ffn"],
            vocab=llama["vocab"],
            rows=llama["rows"],
            kv_heads=llama["heads"],
            context=llama["positions"],
            rms_eps=llama["rms_eps"],
        ),
    )


def make_tiny_bundle(golden: Path, out: Path, replace: bool = False) -> None:
    """Reads the checkpoints in `golden`, writes the bundle folder `out`."""
    description = json.loads((golden / "golden.json").read_text(encoding="utf-8"))
    sizes, language = description["sizes"], description["cases"]["language"]
    parts = {
        "vit": golden / "eva_vit_g.pth",
        "blip2": golden / "blip2_pretrained_flant5xxl.pth",
        "finetune": golden / "finetune-vicuna7b-v2.pth",
        "llama": golden / "vicuna",
    }
    model = Model.create(tiny_sizes(sizes))
    load_moviechat(model, **parts)
    asked = language["prompts"][0]
    info = BundleInfo(
        name="tiny",
        prompt=Prompt(
            template=asked["prompt"].replace(asked["question"], "{question}"),
            stop=language["stop_sequences"],
            bos=language["bos"],
            eos=language["eos"],
        ),
        memory={
            "short_capacity": sizes["memory"]["K"],
            "keep": sizes["memory"]["m"],
            "long_capacity": sizes["memory"]["L"],
        },
        plan={"window": sizes["memory"]["w"]},
        generation={"max_new_tokens": 300},
        sources=tuple(parts.values()),
    )
    write_bundle(out, model, info, golden / "tokenizer.model", replace)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--golden", type=Path, required=True, help="folder with golden.json")
    parser.add_argument("--out", type=Path, required=True, help="bundle folder to write")
    parser.add_argument("--replace", action="store_true", help="replace the folder if it exists")
    options = parser.parse_args()
    try:
        make_tiny_bundle(options.golden, options.out, options.replace)
    except (BundleError, LoadError, OSError) as error:
        print(f"make_tiny_bundle: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
