"""Frames to video files and back, through pipes to the ffmpeg program."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

import numpy as np

from mini.whole_file import whole_file


class VideoError(RuntimeError):
    """ffmpeg is not there or failed; one line."""


@dataclass(frozen=True)
class Codec:
    """An encoder of ffmpeg with its settings, the file's ending, and the range of its quality."""

    encoder: tuple[str, ...]
    ending: str
    quality_flag: str
    quality: tuple[int, int]


H264 = ("libx264", "-preset", "veryfast", "-threads", "1")
CODECS: dict[str, Codec] = {
    "h264": Codec(H264, "mp4", "-crf", (20, 31)),
    "h264_mkv": Codec(H264, "mkv", "-crf", (20, 31)),
    "hevc": Codec(
        (
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none:pools=1:frame-threads=1",
        ),
        "mp4",
        "-crf",
        (22, 30),
    ),
    "mpeg4": Codec(("mpeg4", "-threads", "1"), "avi", "-q:v", (3, 7)),
    "mpeg2": Codec(("mpeg2video", "-threads", "1"), "ts", "-q:v", (3, 7)),
    "vp8": Codec(
        ("libvpx", "-threads", "1", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
        "webm",
        "-crf",
        (10, 25),
    ),
}
OTHERS = tuple(name for name in CODECS if name != "h264")
MPEG2_RATES = (24, 25, 30)  # frames a second that MPEG-2 knows


def encode_command(
    width: int, height: int, fps: float, codec: Codec, quality: int, target: list[str]
) -> list[str]:
    """ffmpeg reading raw RGB from stdin and writing `target`, the same bytes every time."""
    return [
        *["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"],
        *["-s", f"{width}x{height}", "-r", str(fps), "-i", "-"],
        *["-c:v", *codec.encoder, codec.quality_flag, str(quality)],
        *["-pix_fmt", "yuv420p", "-map_metadata", "-1", "-fflags", "+bitexact"],
        *["-flags:v", "+bitexact", *target],
    ]


def decode_command(source: str, size: int) -> list[str]:
    """ffmpeg writing every frame of `source`, bilinear to size × size, as raw RGB to stdout."""
    return [
        *["ffmpeg", "-v", "error", "-threads", "1", "-i", source, "-fps_mode", "passthrough"],
        *["-vf", f"scale={size}:{size}:flags=bilinear", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
    ]


def start(command: list[str], stdin: IO[bytes] | int | None, stdout: int | None) -> Popen[bytes]:
    try:
        return Popen(command, stdin=stdin, stdout=stdout)
    except FileNotFoundError:
        raise VideoError(f"{command[0]} is missing; scripts/setup installs it") from None


def feed(encoder: Popen[bytes], frames: Iterable[np.ndarray]) -> None:
    """Frames to an encoder's stdin; what made it end early, its exit code and its log say."""
    with suppress(BrokenPipeError), encoder.stdin:
        for frame in frames:
            encoder.stdin.write(frame.tobytes())


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    size: tuple[int, int],
    fps: float,
    codec: Codec,
    quality: int,
) -> None:
    """Writes uint8 [height, width, 3] frames; the file appears whole or not at all."""
    with whole_file(path) as part:
        target = ["-movflags", "+faststart", str(part)] if codec.ending == "mp4" else [str(part)]
        with start(encode_command(*size, fps, codec, quality, target), PIPE, None) as encoder:
            feed(encoder, frames)
        if encoder.returncode != 0:
            raise VideoError(f"ffmpeg could not write '{path}' (exit code {encoder.returncode})")


def read_frames(stream, size: int) -> Iterator[np.ndarray]:
    """Raw RGB from a pipe → uint8 [size, size, 3] each."""
    while True:
        data = stream.read(size * size * 3)
        if len(data) < size * size * 3:
            return
        yield np.frombuffer(data, dtype=np.uint8).reshape(size, size, 3)


def read_video(path: Path, size: int) -> np.ndarray:
    """All frames of a file at size × size. → uint8 [frames, size, size, 3]"""
    with start(decode_command(str(path), size), None, PIPE) as decoder:
        frames = list(read_frames(decoder.stdout, size))
    if decoder.returncode != 0 or not frames:
        raise VideoError(f"ffmpeg could not read '{path}' (exit code {decoder.returncode})")
    return np.stack(frames)


def through_codec(
    frames: Iterable[np.ndarray], size: tuple[int, int], fps: float, quality: int, side: int
) -> np.ndarray:
    """Frames as they look after H.264 and the program's resize. → uint8 [frames, side, side, 3]"""
    target = ["-f", "matroska", "-"]
    encode = encode_command(*size, fps, CODECS["h264"], quality, target)
    with (
        start(encode, PIPE, PIPE) as encoder,
        start(decode_command("-", side), encoder.stdout, PIPE) as decoder,
    ):
        encoder.stdout.close()  # ours; the decoder holds its own end
        feeder = threading.Thread(target=feed, args=(encoder, frames))
        feeder.start()
        seen = list(read_frames(decoder.stdout, side))
        feeder.join()
    if encoder.returncode != 0 or decoder.returncode != 0:
        raise VideoError("ffmpeg failed to encode or decode drawn frames")
    return np.stack(seen)
