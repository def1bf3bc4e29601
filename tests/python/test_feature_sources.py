"""Folders and files of features that do not hold what they should: one line that names the file."""

import h5py
import numpy as np
import pytest
from safetensors.torch import load_file

from moviechat_convert.__main__ import main as convert

FEATURES = np.ones((2, 3, 4), dtype=np.float16)


def write(path, features=FEATURES, **options):
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, features)
        return
    with h5py.File(path, "w") as file:
        file.create_dataset("features", data=features, **options)


@pytest.fixture
def converted(tmp_path, capsys):
    """Exit code, and the last line on stderr."""

    def run(source):
        code = convert(["features", str(source), "--out", str(tmp_path / "film.safetensors")])
        return code, capsys.readouterr().err.splitlines()[-1]

    return run


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("0.h5", "1.h5", "3.h5"), "lacks 2.h5 (it has 0.h5 to 3.h5)"),
        (("001.h5", "003.h5"), "lacks 002.h5 (it has"),
        (("2.h5", "3.h5", "12.h5"), "lacks 1.h5, 4.h5, 5.h5, 6.h5, 7.h5, 8.h5 and 3 more (it has"),
        (("0.h5", "1.h5", "01.h5"), "count as one number"),
    ],
)
def test_a_film_with_a_part_missing_is_refused(tmp_path, converted, names, message):
    for name in names:
        write(tmp_path / "film" / name)
    code, said = converted(tmp_path / "film")
    assert code == 2
    assert message in said


@pytest.mark.parametrize(
    "names", [("0.h5", "1.h5"), ("1.h5", "2.h5", "10.h5"), ("a1.h5", "a3.h5"), ("0.h5", "end.h5")]
)
def test_a_film_that_may_be_whole_is_taken(tmp_path, converted, names):
    missing = [f"{number}.h5" for number in range(3, 10)] if "10.h5" in names else []
    for name in (*names, *missing):
        write(tmp_path / "film" / name)
    assert converted(tmp_path / "film")[0] == 0


@pytest.mark.parametrize("name", ["film.npy", "film.h5"])
@pytest.mark.parametrize("dtype", [">f2", ">f4"])
def test_bytes_in_the_other_order_are_read(tmp_path, converted, name, dtype):
    features = np.arange(24, dtype=dtype).reshape(2, 3, 4)
    write(tmp_path / name, features)
    assert converted(tmp_path / name)[0] == 0
    written = load_file(str(tmp_path / "film.safetensors"))["features"]
    assert written.flatten().tolist() == list(range(24))


def test_an_archive_of_arrays_is_no_array(tmp_path, converted):
    with (tmp_path / "film.npy").open("wb") as file:
        np.savez(file, FEATURES)
    code, said = converted(tmp_path / "film.npy")
    assert code == 2
    assert f"'{tmp_path}/film.npy' is an archive (.npz), expected one array" in said


def test_a_damaged_part_of_a_film_is_named(tmp_path, converted):
    for number in range(3):
        write(tmp_path / "film" / f"{number}.h5", chunks=(1, 3, 4), fletcher32=True)
    damaged = tmp_path / "film" / "1.h5"
    with h5py.File(damaged) as file:
        place = file["features"].id.get_chunk_info(1).byte_offset
    with damaged.open("r+b") as file:
        file.seek(place)
        file.write(b"\x11" * 8)
    code, said = converted(tmp_path / "film")
    assert code == 2
    assert f"'{damaged}' is damaged: frames 0 to 1 cannot be read (" in said
