"""A copy of the tiny checkpoints that a test may damage."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from moviechat_models.load import MovieChatFiles


class Files:
    def __init__(self, golden: Path, checkpoints: MovieChatFiles, folder: Path) -> None:
        self.golden, self.folder = golden, folder
        self.sizes = golden / "golden.json"
        self.paths = checkpoints
        for part in ("vision", "qformer", "video_llama", "llm"):
            self.use(part, getattr(checkpoints, part).name)

    def use(self, part: str, name: str) -> Path:
        """A golden file or folder as a part."""
        source, target = self.golden / name, self.folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
        self.paths = dataclasses.replace(self.paths, **{part: target})
        return target

    def file(self, part: str) -> Path:
        path = getattr(self.paths, part)
        return path if path.is_file() else next(iter(sorted(path.glob("pytorch_model*.bin"))))

    def change(self, part: str, edit: Callable[[dict[str, Any]], Any]) -> None:
        """Applies a function to a file's tensors."""
        file = self.file(part)
        content = torch.load(file, weights_only=True)
        edit(content.get("model", content))
        torch.save(content, file)

    def config(self, part: str, **values: Any) -> None:
        file = getattr(self.paths, part) / "config.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps(content | values), encoding="utf-8")
