"""A film is opened once, whatever is asked about it: counted where the program opens files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from shell import PROGRAM, ROOT, run

SAMPLE = ROOT / "models/mini/sample.mp4"

# Stands before the C library's functions; notes each opening of one file.
COUNTER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(const char* path) {
  const char* film = getenv("COUNTED_FILM");
  if (film == NULL || path == NULL || strcmp(path, film) != 0) return;
  int (*open_log)(const char*, int, ...) = dlsym(RTLD_NEXT, "open");
  const int log = open_log(getenv("COUNTED_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (write(log, "opened\n", 7) != 7) abort();
  close(log);
}

#define WITH_MODE                      \
  mode_t mode = 0;                     \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list more;                      \
    va_start(more, flags);             \
    mode = va_arg(more, mode_t);       \
    va_end(more);                      \
  }

#define OPEN(name)                                                   \
  int name(const char* path, int flags, ...) {                       \
    WITH_MODE                                                        \
    note(path);                                                      \
    int (*real)(const char*, int, ...) = dlsym(RTLD_NEXT, #name);    \
    return real(path, flags, mode);                                  \
  }
#define OPENAT(name)                                                    \
  int name(int folder, const char* path, int flags, ...) {              \
    WITH_MODE                                                           \
    note(path);                                                         \
    int (*real)(int, const char*, int, ...) = dlsym(RTLD_NEXT, #name);  \
    return real(folder, path, flags, mode);                             \
  }
#define FOPEN(name)                                                  \
  FILE* name(const char* path, const char* mode) {                   \
    note(path);                                                      \
    FILE* (*real)(const char*, const char*) = dlsym(RTLD_NEXT, #name); \
    return real(path, mode);                                         \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
"""


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("counter")
    (folder / "counter.c").write_text(COUNTER)
    library = folder / "counter.so"
    command = ["cc", "-shared", "-fPIC", "-o", library, folder / "counter.c", "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


@pytest.fixture(scope="module", params=["mp4", "mkv", "mpg", "h264"])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / f"film.{request.param}"
    codec = ["-c:v", "mpeg2video", "-r", "25"] if request.param == "mpg" else ["-c", "copy"]
    command = ["ffmpeg", "-v", "error", "-i", SAMPLE, "-t", "8", "-an", *codec, path]
    subprocess.run(command, check=True, capture_output=True)
    return path


def openings(counter: Path, film: Path, *words: str) -> int:
    log = film.with_suffix(".log")
    log.unlink(missing_ok=True)
    command = [PROGRAM, "--video", film, "--question", "What happens?", "--quiet", *words]
    result = run(command, LD_PRELOAD=str(counter), COUNTED_FILM=str(film), COUNTED_LOG=str(log))
    assert result.returncode == 0, result.stderr
    return len(log.read_text().splitlines())


@pytest.mark.parametrize(
    "words",
    [(), ("--at", "3"), ("--at-frame", "40"), ("--plan", "uniform:4"), ("--plan", "fps:1")],
    ids=" ".join,
)
def test_a_film_is_opened_once_for_a_question(counter: Path, film: Path, words: tuple) -> None:
    assert openings(counter, film, *words) == 1


def test_a_second_opening_would_be_counted(counter: Path, tmp_path: Path) -> None:
    film = shutil.copy(SAMPLE, tmp_path / "film.mp4")
    log = tmp_path / "log"
    for times in (1, 2):
        run(
            ["sha256sum", film],
            LD_PRELOAD=str(counter),
            COUNTED_FILM=str(film),
            COUNTED_LOG=str(log),
        )
        assert len(log.read_text().splitlines()) == times
