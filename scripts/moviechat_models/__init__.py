"""The architectures of moviechat, defined once for every size.

Real, mini and test models are the same modules with other numbers (`sizes`). A module here is plain PyTorch
that `torch.jit.script` accepts; `export` turns a set of them into the bundle that the C++ program runs, `load`
fills them from the published checkpoints.

    uint8 frames --FrameEncoder--> blocks --MemoryReader--> video embeddings --LanguageModel--> logits
"""
