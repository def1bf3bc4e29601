"""Checkpoints → bundles: the command line `scripts/convert`.

    size_file, tokenizer, report, hints ← moviechat, synthetic ← __main__

What is where in the files, and how it becomes parameters, is in moviechat_models (`upstream`,
`load`); how a bundle is written, in `moviechat_models.export`.
"""
