"""Parquet annotations → JSON lines, which `moviechat eval` reads.

python scripts/parquet_to_jsonl.py test-00000-of-00001.parquet > test.jsonl

Needs pyarrow (pip install pyarrow). Columns of bytes (videos, images) are left out; of a file
with its path the path stays.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_AT_A_TIME = 1024


def holds_bytes(kind: pa.DataType) -> bool:
    """True for binary data, and for types that hold some."""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    return any(holds_bytes(kind.field(i).type) for i in range(kind.num_fields))


def is_file(kind: pa.DataType) -> bool:
    """A file as Hugging Face's datasets keep it: {bytes, path}"""
    names = [kind.field(i).name for i in range(kind.num_fields)]
    return pa.types.is_struct(kind) and sorted(names) == ["bytes", "path"]


def without_nan(value: Any) -> Any:
    """JSON has no word for what a missing number has become in a column of floats."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_nan(inner) for inner in value]
    return value


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The table's rows in their order, without bytes."""
    table = pq.ParquetFile(file)
    files = [field.name for field in table.schema_arrow if is_file(field.type)]
    others = [field.name for field in table.schema_arrow if not holds_bytes(field.type)]
    columns = others + [f"{name}.path" for name in files]
    for batch in table.iter_batches(ROWS_AT_A_TIME, columns=columns):
        for row in batch.to_pylist():
            for name in files:
                row[name] = row[name] and row[name]["path"]
            yield without_nan(row)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    for file in parser.parse_args().files:
        try:
            for row in rows(file):
                json.dump(row, sys.stdout, ensure_ascii=False, default=str, allow_nan=False)
                sys.stdout.write("\n")
            sys.stdout.flush()
        except BrokenPipeError:  # as `| head` does; what Python flushes at exit goes nowhere then
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except (OSError, pa.ArrowException) as error:
            raise SystemExit(f"parquet_to_jsonl.py: cannot read '{file}': {error}") from None


if __name__ == "__main__":
    main()
