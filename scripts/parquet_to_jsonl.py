"""Parquet annotations → JSON lines, which `moviechat eval` reads.

python scripts/parquet_to_jsonl.py test-00000-of-00001.parquet > test.jsonl

Needs pyarrow (pip install pyarrow). Columns of bytes (videos, images) are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_AT_A_TIME = 1024


def holds_bytes(kind: pa.DataType) -> bool:
    """Whether a column is, or has inside, binary data."""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    return any(holds_bytes(kind.field(i).type) for i in range(kind.num_fields))


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The table's rows in their order, without columns of bytes."""
    table = pq.ParquetFile(file)
    columns = [field.name for field in table.schema_arrow if not holds_bytes(field.type)]
    for batch in table.iter_batches(ROWS_AT_A_TIME, columns=columns):
        for row in batch.to_pylist():
            yield {name: None if is_nan(value) else value for name, value in row.items()}


def is_nan(value: object) -> bool:
    """What a missing number has become in a column of floats; JSON has no word for it."""
    return isinstance(value, float) and math.isnan(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    for file in parser.parse_args().files:
        for row in rows(file):
            json.dump(row, sys.stdout, ensure_ascii=False, default=str)
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
