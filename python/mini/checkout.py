"""The checkout that the package lies in: its program, its bundle, its commit."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
