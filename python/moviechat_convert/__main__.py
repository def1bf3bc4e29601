"""The command line. Exit codes: 0 done, 1 our mistake, 2 files or flags, 128 + signal."""

import argparse
import contextlib
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from moviechat_models.checkpoint import CheckpointError
from moviechat_models.export import DTYPES, BundleError
from moviechat_models.load import LoadError, MovieChatFiles

from .features import EXAMPLES as FEATURES_EXAMPLES
from .features import add_features, asked_features, convert_features
from .moviechat import Conversion, convert
from .report import SHOWN, Progress, grouped, shortened, size_text
from .size_file import SizeError, read_sizes
from .synthetic import make_synthetic
from .upgrade import EXAMPLES as UPGRADE_EXAMPLES
from .upgrade import upgrade

SIZE_NAMES = ("vicuna-7b",)  # the published sizes

EXAMPLES = {
    "all": """\
examples:
  scripts/convert moviechat --vision eva_vit_g.pth --qformer blip2_pretrained_flant5xxl.pth \\
      --video-llama finetune-vicuna7b-v2.pth --llm vicuna-7b-v0 --out models/moviechat-7b
  scripts/convert synthetic --sizes vicuna-7b --seed 0 --out models/synthetic-7b
  scripts/convert upgrade models/moviechat-7b
  scripts/convert features feature_hdf5/AWA-1 --duration 497 --out AWA-1.safetensors
  scripts/convert moviechat --help
""",
    "moviechat": """\
examples:
  Vicuna-7B v0, merged already:
    scripts/convert moviechat --vision eva_vit_g.pth --qformer blip2_pretrained_flant5xxl.pth \\
        --video-llama finetune-vicuna7b-v2.pth --llm vicuna-7b-v0 --out models/moviechat-7b
  LLaMA-7B and the delta:
    scripts/convert moviechat … --llm llama-7b-hf --llm-delta vicuna-7b-delta-v0 --out DIR
  The tests' tiny model:
    scripts/convert moviechat --vision tests/data/golden/eva_vit_g.pth \\
        --qformer tests/data/golden/blip2_pretrained_flant5xxl.pth \\
        --video-llama tests/data/golden/finetune-vicuna7b-v2.pth --llm tests/data/golden/vicuna \\
        --sizes tests/data/golden/golden.json --dtype fp32 --name tiny --out /tmp/tiny

Files count in this order, later ones win: vision, qformer, projection, video-llama. A tensor that
is missing, unexpected, of another shape or not a number is named, and nothing is written.
""",
    "synthetic": """\
examples:
  scripts/convert synthetic --sizes vicuna-7b --seed 0 --dtype fp16 --out models/synthetic-7b
  scripts/convert synthetic --sizes small.yaml --seed 1 --dtype fp32 --out /tmp/small

small.yaml, sections as in tests/data/golden/golden.json; what is left out keeps the published size:
  vit: {width: 64, depth: 2, heads: 4}
  llama: {width: 128, layers: 2, heads: 4, ffn: 256}
""",
}


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP (a connection that is lost), cleaned up after like Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def identity(path: Path) -> tuple[int, int] | None:
    """Tells a file or folder from another that took its place."""
    if not path.exists():
        return None
    found = path.stat()
    return found.st_dev, found.st_ino


def parser() -> argparse.ArgumentParser:
    def formatted(**settings: str) -> dict[str, object]:
        return {"formatter_class": argparse.RawDescriptionHelpFormatter, **settings}

    main = argparse.ArgumentParser(
        prog="convert",
        **formatted(
            description="Makes model bundles, and files of features.", epilog=EXAMPLES["all"]
        ),
    )
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    text = "the authors' checkpoints → a bundle"
    moviechat = commands.add_parser(
        "moviechat", help=text, **formatted(description=text, epilog=EXAMPLES["moviechat"])
    )
    for flag, wanted, help_text in (
        ("--vision", True, "eva_vit_g.pth"),
        ("--qformer", True, "blip2_pretrained_flant5xxl.pth"),
        ("--video-llama", True, "finetune-vicuna7b-v2.pth, or the folder it lies in"),
        ("--projection", False, "pretrained_minigpt4.pth: used only if the former has none"),
        ("--llm", True, "folder of Vicuna-7B v0 (HF layout), or of LLaMA with --llm-delta"),
        ("--llm-delta", False, "folder of vicuna-7b-delta-v0"),
    ):
        metavar = "DIR" if flag.startswith("--llm") else "FILE"
        moviechat.add_argument(flag, type=Path, required=wanted, metavar=metavar, help=help_text)
    moviechat.add_argument(
        "--sizes", type=Path, metavar="FILE", help="YAML or JSON (default: the published sizes)"
    )
    moviechat.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="PATTERN",
        help="regular expression of unexpected tensors that you know to be useless; repeats",
    )
    moviechat.add_argument(
        "--verbose", action="store_true", help="name every tensor, not the first few"
    )
    text = "random weights of any sizes → a bundle to measure with"
    synthetic = commands.add_parser(
        "synthetic", help=text, **formatted(description=text, epilog=EXAMPLES["synthetic"])
    )
    synthetic.add_argument("--sizes", default="vicuna-7b", metavar="vicuna-7b|FILE")
    synthetic.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default: 0)")
    for command in (moviechat, synthetic):
        command.add_argument(
            "--dtype", choices=list(DTYPES), default="fp16", help="of the weights (default: fp16)"
        )
        command.add_argument(
            "--llm-weights",
            choices=["int8"],
            help="the language model's layers in 8 bits (default: as --dtype)",
        )
        command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle")
        command.add_argument("--name", help="in model.yaml (default: that of the folder)")
        command.add_argument("--replace", action="store_true", help="replace an existing bundle")
    text = "an older bundle → the same weights with today's methods"
    upgraded = commands.add_parser(
        "upgrade", help=text, **formatted(description=text, epilog=UPGRADE_EXAMPLES)
    )
    upgraded.add_argument("folder", type=Path, metavar="DIR", help="the bundle")
    upgraded.add_argument(
        "--out", type=Path, metavar="DIR", help="another place (default: its own)"
    )
    upgraded.add_argument("--replace", action="store_true", help="replace what is at --out")
    add_features(commands, **formatted(epilog=FEATURES_EXAMPLES))
    return main


def check_paths(options: argparse.Namespace) -> None:
    """torch opens files by names in UTF-8 alone."""
    for name, value in vars(options).items():
        for path in value if isinstance(value, list) else [value]:
            try:
                str(path).encode()
            except UnicodeEncodeError as error:
                shown = os.fsencode(path).decode(errors="backslashreplace")
                flag = "SOURCE" if name == "sources" else f"--{name.replace('_', '-')}"
                raise SizeError(f"{flag}: '{shown}' is not UTF-8; rename it") from error


def run(options: argparse.Namespace, progress: Progress) -> None:
    check_paths(options)
    if options.command == "features":
        convert_features(asked_features(options), progress)
        return
    if options.command == "upgrade":
        upgrade(options.folder, options.out, options.replace, progress)
        return
    name = options.name or options.out.absolute().name
    if options.command == "synthetic":
        path = None if options.sizes in SIZE_NAMES else Path(options.sizes)
        if options.seed < 0:
            raise SizeError(f"--seed must not be negative, got {options.seed}")
        sizes = read_sizes(path)
        make_synthetic(
            sizes,
            options.seed,
            options.dtype,
            options.llm_weights,
            options.out,
            name,
            options.replace,
            progress,
        )
        return
    for pattern in options.ignore:
        try:
            re.compile(pattern)
        except re.error as error:
            raise SizeError(f"--ignore '{pattern}' is no regular expression: {error}") from error
    asked = Conversion(
        files=MovieChatFiles(
            options.vision,
            options.qformer,
            options.video_llama,
            options.llm,
            options.projection,
            options.llm_delta,
        ),
        sizes=read_sizes(options.sizes),
        out=options.out,
        name=name,
        dtype=options.dtype,
        llm_weights=options.llm_weights,
        replace=options.replace,
        ignore=options.ignore,
        verbose=options.verbose,
    )
    convert(asked, progress)


def explain(error: LoadError, verbose: bool, progress: Progress) -> None:
    count = len(error.problems)
    noun = "problem" if count == 1 else "problems"
    progress.say(f"{count} {noun}, no bundle was written")
    for line in shortened(grouped(error.problems), None if verbose else SHOWN):
        progress.say(line)
    for hint in error.hints:
        progress.say(f"perhaps: {hint}")


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.command == "upgrade" and options.out is None:
        options.out = options.folder
    progress = Progress()

    def terminate(number: int, _frame: FrameType | None) -> None:
        raise Terminated(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, terminate)
    started, before = time.monotonic(), identity(options.out)
    try:
        run(options, progress)
    except LoadError as error:
        explain(error, getattr(options, "verbose", False), progress)
        return 2
    except (BundleError, CheckpointError, SizeError, OSError) as error:
        progress.say(str(error))
        return 2
    except KeyboardInterrupt as interrupt:
        done = identity(options.out) not in (None, before)
        what = f", but {options.out} is written and whole" if done else "; nothing was written"
        with contextlib.suppress(OSError):  # the terminal may be gone
            progress.say(f"interrupted{what}")
        return 128 + (interrupt.number if isinstance(interrupt, Terminated) else signal.SIGINT)
    written = options.out.iterdir() if options.out.is_dir() else [options.out]
    size = sum(path.stat().st_size for path in written)
    seconds = time.monotonic() - started
    peak = size_text(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)  # of kB
    told = f"{size_text(size)} in {seconds:.0f} s, {peak} of memory at most"
    progress.say(f"wrote {options.out} ({told})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
