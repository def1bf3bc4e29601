"""mini.make_sample, installed or not: python scripts/mini/make_sample.py --help"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from mini.make_sample import main

if __name__ == "__main__":
    main()
