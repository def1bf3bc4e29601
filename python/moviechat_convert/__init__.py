"""Checkpoints → bundles: the command line `scripts/convert`.

    size_file, tokenizer, report, hints ← moviechat, synthetic ← __main__

Beside it stand `parquet`, annotations → JSON lines (`scripts/parquet_to_jsonl.py`), and
`int8_error`, what int8 costs a synthetic model (`scripts/bench/int8_error.py`).

What is where in the files, and how it becomes parameters, is in moviechat_models (`upstream`,
`load`); how a bundle is written, in `moviechat_models.export`.
"""
