"""moviechat_convert.int8_error, installed or not: python scripts/bench/int8_error.py --help"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from moviechat_convert.int8_error import main

if __name__ == "__main__":
    main()
