"""Folders and files of features that do not hold what they should: one line that names the file."""

import h5py
import numpy as np
import pytest

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
