"""The architectures of moviechat, defined once for every size.

Real, mini and test models are the same modules with other numbers (`sizes`). A module here is plain
PyTorch that `torch.jit.script` accepts; `export` turns three of them into the bundle that the C++
program runs, `load` fills them from the published checkpoints.

    frames ──FrameEncoder──▸ blocks ──MemoryReader──▸ video embeddings ──LanguageModel──▸ logits

Imports point this way:

    sizes, attention, linear ← eva_vit, qformer, positions
                     ← frame_encoder, memory_reader, llama ← export ← upstream ← delta ← load
    checkpoint ← upstream

Three rules keep a module usable on any device in any dtype:
* nothing is created without saying on which device; `tests/python/test_devices.py` catches what
  forgets it;
* what half precision would round (pixel statistics, rotary frequencies, alpha) stays a Python
  number;
* LayerNorm after the ViT, RMSNorm, softmax and rotary angles are float32, the rest is in the dtype
  of the norms' weights; matrices may stay in another (`linear`).

Arguments of exported methods have no defaults once scripted: pass every one.
"""
