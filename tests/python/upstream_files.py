"""Models of any sizes, written as the authors publish theirs. Names by hand, from the published
layout: a second account of what moviechat_models.upstream knows.
"""

import json
import re
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from moviechat_models.load import MovieChatFiles
from moviechat_models.model import Model
from moviechat_models.sizes import LlamaSizes, ModelSizes

Tensors = dict[str, Tensor]

# A size file that shares no number with the tiny model but its tokenizer's.
OTHER_SIZES = """
vit: {image: 28, patch: 7, width: 40, depth: 2, heads: 5, mlp_ratio: 3.1}
qformer: {width: 24, layers: 5, heads: 3, ffn: 40, queries: 5, cross_every: 3}
video_qformer: {layers: 1, queries: 4, cross_every: 1}
frame_table: 9
llama: {width: 48, layers: 3, heads: 6, ffn: 56, vocab: 512, rows: 513, positions: 300,
  rms_eps: 1e-5}
memory: {K: 6, L: 9, m: 1, w: 5, n: 3}
"""

BERT = (
    (r"^qformer\.query_tokens$", "query_tokens"),
    (r"^qformer\.norm\.", "Qformer.bert.embeddings.LayerNorm."),
    (r"^qformer\.layers\.", "Qformer.bert.encoder.layer."),
    (r"feed_forward\.intermediate\.", "intermediate_query.dense."),
    (r"feed_forward\.dense\.", "output_query.dense."),
    (r"feed_forward\.norm\.", "output_query.LayerNorm."),
    (r"attention\.(query|key|value)\.", r"attention.self.\1."),
    (r"attention\.dense\.", "attention.output.dense."),
    (r"attention\.norm\.", "attention.output.LayerNorm."),
)


def random_model(sizes: ModelSizes) -> Model:
    """Every parameter random; the language model's are float16 numbers, as published."""
    model = Model.create(sizes)
    with torch.no_grad():
        for module in model.modules().values():
            for name, parameter in module.eval().named_parameters():
                parameter.normal_(std=0.2)
                if "norm" in name and name.endswith("weight"):
                    parameter.add_(1.0)
                if name.endswith("qkv.bias"):
                    parameter.view(3, -1)[1] = 0  # EVA has no key bias
        for parameter in model.language_model.parameters():
            parameter.copy_(parameter.half())
    return model


def bert_name(name: str) -> str:
    for pattern, theirs in BERT:
        name = re.sub(pattern, theirs, name)
    return name


def vision_tensors(model: Model) -> Tensors:
    """eva_vit_g.pth, with a block and a head that nobody needs."""
    found: Tensors = {"norm.weight": torch.ones(3), "head.bias": torch.ones(3)}
    for name, tensor in model.frame_encoder.vit.state_dict().items():
        if name.endswith("qkv.bias"):
            q, _, v = tensor.chunk(3)
            found[name.replace("qkv.bias", "q_bias")] = q.clone()
            found[name.replace("qkv.bias", "v_bias")] = v.clone()
        else:
            found[name] = tensor
    depth = len(model.frame_encoder.vit.blocks)
    return found | {f"blocks.{depth}.norm1.weight": torch.ones(3)}


def qformer_tensors(model: Model) -> Tensors:
    """blip2_pretrained_flant5xxl.pth, under `model`."""
    tensors = model.frame_encoder.state_dict()
    kept = {bert_name(n): t for n, t in tensors.items() if not n.startswith("vit.")}
    return kept | {"t5_proj.bias": torch.ones(3)}


def video_llama_tensors(model: Model) -> Tensors:
    """finetune-vicuna7b-v2.pth, under `model`."""
    found: Tensors = {}
    for name, tensor in model.memory_reader.state_dict().items():
        if name == "position_table":
            theirs = "video_frame_position_embedding.weight"
        elif name.startswith("proj."):
            theirs = f"llama_{name}"
        else:
            theirs = f"video_{bert_name(name)}"
        found[theirs] = tensor
    return found


def language_tensors(model: Model) -> Tensors:
    tensors = model.language_model.state_dict()
    return {n if n.startswith("lm_head") else f"model.{n}": t for n, t in tensors.items()}


def write_folder(folder: Path, tensors: Tensors, shards: int, tokenizer: Path) -> None:
    """HF layout: .bin shards with an index, or one .safetensors when shards is 0."""
    folder.mkdir()
    (folder / "tokenizer.model").write_bytes(tokenizer.read_bytes())
    halves = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    if shards == 0:
        save_file(halves, str(folder / "model.safetensors"))
        return
    where: dict[str, str] = {}
    for shard in range(shards):
        file = f"pytorch_model-{shard + 1:05}-of-{shards:05}.bin"
        part = dict(list(halves.items())[shard::shards])
        torch.save(part, folder / file)
        where |= dict.fromkeys(part, file)
    index = json.dumps({"metadata": {}, "weight_map": where})
    (folder / "pytorch_model.bin.index.json").write_text(index, encoding="utf-8")


def write_config(folder: Path, sizes: LlamaSizes) -> None:
    """config.json as transformers writes it."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": sizes.width,
        "intermediate_size": sizes.ffn,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "max_position_embeddings": sizes.context,
        "rms_norm_eps": sizes.rms_eps,
        "vocab_size": sizes.rows,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def publish(model: Model, folder: Path, tokenizer: Path, shards: int = 3) -> MovieChatFiles:
    """Writes all four parts."""
    files = MovieChatFiles(
        vision=folder / "eva_vit_g.pth",
        qformer=folder / "blip2_pretrained_flant5xxl.pth",
        video_llama=folder / "finetune-vicuna7b-v2.pth",
        llm=folder / "vicuna",
    )
    torch.save(vision_tensors(model), files.vision)
    torch.save({"model": qformer_tensors(model)}, files.qformer)
    torch.save({"model": video_llama_tensors(model), "epoch": 3}, files.video_llama)
    write_folder(files.llm, language_tensors(model), shards, tokenizer)
    write_config(files.llm, model.sizes.language_model)
    return files
