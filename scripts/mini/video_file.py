"""Frames to H.264 and back, through pipes to the ffmpeg program."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np


def encode_command(
    width: int, height: int, fps: float, quality: int, target: list[str]
) -> list[str]:
    """ffmpeg reading raw RGB from stdin and writing H.264 (4:2:0) to `target`."""
    return [
        *["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"],
        *["-s", f"{width}x{height}", "-r", str(fps), "-i", "-"],
        *["-c:v", "libx264", "-threads", "1", "-preset", "veryfast", "-crf", str(quality)],
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
    path: Path, frames: Iterable[np.ndarray], width: int, height: int, fps: float, quality: int
) -> None:
    """Writes uint8 [height, width, 3] frames as an H.264 mp4; appears whole or not at all."""
    part = path.with_suffix(".part.mp4")
    command = encode_command(width, height, fps, quality, ["-movflags", "+faststart", str(part)])
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
    frames: Iterable[np.ndarray], width: int, height: int, fps: float, quality: int, size: int
) -> np.ndarray:
    """Frames as they look after H.264 and the program's resize. → uint8 [frames, size, size, 3]"""
    encode = encode_command(width, height, fps, quality, ["-f", "matroska", "-"])
    with subprocess.Popen(encode, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as encoder:
        command = decode_command("-", size)
        with subprocess.Popen(command, stdin=encoder.stdout, stdout=subprocess.PIPE) as decoder:
            encoder.stdout.close()  # ours; the decoder holds its own end

            def feed() -> None:
                for frame in frames:
                    encoder.stdin.write(frame.tobytes())
                encoder.stdin.close()

            feeder = threading.Thread(target=feed)
            feeder.start()
            seen = list(read_frames(decoder.stdout, size))
            feeder.join()
    if encoder.returncode != 0 or decoder.returncode != 0:
        raise RuntimeError("ffmpeg failed to encode or decode drawn frames")
    return np.stack(seen)
