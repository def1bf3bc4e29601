"""Frames to video files and back, through pipes to the ffmpeg program."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np


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
        *["ffmpeg", "-v", "error", "-threads", "1", "-i", source, "-vsync", "passthrough"],
        *["-vf", f"scale={size}:{size}:flags=bilinear", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
    ]


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    size: tuple[int, int],
    fps: float,
    codec: Codec,
    quality: int,
) -> None:
    """Writes uint8 [height, width, 3] frames; the file appears whole or not at all."""
    part = path.with_suffix(f".part.{codec.ending}")
    target = ["-movflags", "+faststart", str(part)] if codec.ending == "mp4" else [str(part)]
    command = encode_command(*size, fps, codec, quality, target)
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        for frame in frames:
            encoder.stdin.write(frame.tobytes())
        encoder.stdin.close()
    if encoder.returncode != 0:
        part.unlink(missing_ok=True)
        raise RuntimeError(f"ffmpeg could not write '{path}' (exit code {encoder.returncode})")
    part.replace(path)


def read_frames(stream, size: int) -> Iterator[np.ndarray]:
    """Raw RGB from a pipe → uint8 [size, size, 3] each."""
    while True:
        data = stream.read(size * size * 3)
        if len(data) < size * size * 3:
            return
        yield np.frombuffer(data, dtype=np.uint8).reshape(size, size, 3)


def read_video(path: Path, size: int) -> np.ndarray:
    """All frames of a file at size × size. → uint8 [frames, size, size, 3]"""
    with subprocess.Popen(decode_command(str(path), size), stdout=subprocess.PIPE) as decoder:
        frames = list(read_frames(decoder.stdout, size))
    if decoder.returncode != 0 or not frames:
        raise RuntimeError(f"ffmpeg could not read '{path}' (exit code {decoder.returncode})")
    return np.stack(frames)


def through_codec(
    frames: Iterable[np.ndarray], size: tuple[int, int], fps: float, quality: int, side: int
) -> np.ndarray:
    """Frames as they look after H.264 and the program's resize. → uint8 [frames, side, side, 3]"""
    target = ["-f", "matroska", "-"]
    encode = encode_command(*size, fps, CODECS["h264"], quality, target)
    with subprocess.Popen(encode, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as encoder:
        command = decode_command("-", side)
        with subprocess.Popen(command, stdin=encoder.stdout, stdout=subprocess.PIPE) as decoder:
            encoder.stdout.close()  # ours; the decoder holds its own end

            def feed() -> None:
                for frame in frames:
                    encoder.stdin.write(frame.tobytes())
                encoder.stdin.close()

            feeder = threading.Thread(target=feed)
            feeder.start()
            seen = list(read_frames(decoder.stdout, side))
            feeder.join()
    if encoder.returncode != 0 or decoder.returncode != 0:
        raise RuntimeError("ffmpeg failed to encode or decode drawn frames")
    return np.stack(seen)
