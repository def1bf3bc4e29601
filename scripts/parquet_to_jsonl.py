"""moviechat_convert.parquet, installed or not:

python scripts/parquet_to_jsonl.py test-00000-of-00001.parquet > test.jsonl
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from moviechat_convert.parquet import main

if __name__ == "__main__":
    main()
