"""Features that a ViT gave before → `scripts/convert features` → `moviechat --features`."""

import json
import re

import h5py
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from moviechat_convert.__main__ import main as convert
from shell import asked, moviechat, questions_file
from test_end_to_end import FLOWS, RECORDED, read_frames

FPS, FRAMES, DURATION = 30, 300, 10.0  # of the golden clip


@pytest.fixture(scope="module")
def seen(golden_folder, bundle_folder, tmp_path_factory):
    """Every frame of the clip through the bundle's own ViT: [300, 17, 48]."""
    folder = tmp_path_factory.mktemp("seen") / "frames"
    words = ("inspect", golden_folder / "clip.avi", "--plan", "fps:30", "--frames", folder)
    result = moviechat(*words, model=bundle_folder)
    assert result.returncode == 0, result.stderr
    encoder = torch.jit.load(str(bundle_folder / "frame_encoder.pt")).eval()
    with torch.no_grad():
        return encoder.see(read_frames(folder, 56))


def as_npy(folder, features):
    path = folder / "film.npy"
    np.save(path, features.numpy())
    return path


def as_pt(folder, features):
    path = folder / "film.pt"
    torch.save(features, path)
    return path


def as_dictionary(folder, features):
    path = folder / "named.pt"
    torch.save({"fps": torch.tensor(30), "features": features}, path)
    return path


def as_safetensors(folder, features):
    path = folder / "film.safetensors"
    save_file({"eva": features}, str(path))
    return path


def as_hdf5(folder, features):
    """As MovieChat-1K has them: files of 64 frames (here 25), named by their number."""
    path = folder / "film"
    path.mkdir()
    for number, part in enumerate(features.split(25)):  # 0.h5 … 11.h5
        with h5py.File(path / f"{number}.h5", "w") as file:
            file.create_dataset(f"frames_{number}", data=part.numpy())
    return path


FORMS = (as_npy, as_pt, as_dictionary, as_safetensors, as_hdf5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_every_form_becomes_the_same_file(seen, tmp_path, form, dtype):
    features, out = seen.to(dtype), tmp_path / "out" / "film.safetensors"
    source = form(tmp_path, features)
    assert convert(["features", str(source), "--fps", "30", "--out", str(out)]) == 0
    with safe_open(str(out), framework="pt") as file:
        assert file.metadata()["fps"] == "30.0"
        sources = [each["file"] for each in json.loads(file.metadata()["sources"])]
        parts = range(12) if source.is_dir() else []
        assert sources == ([f"film/{part}.h5" for part in parts] or [source.name])
        assert torch.equal(file.get_tensor("features"), features)
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("flow", FLOWS)
def test_features_of_a_film_give_the_recorded_answers_of_the_film(
    seen, golden, golden_folder, bundle_folder, tmp_path, flow
):
    cases = golden["cases"]["end_to_end"]["cases"]
    mine = [case for case in cases if case["name"].startswith(f"{flow}/")]
    expected = questions_file(tmp_path / "questions.jsonl", mine)
    out = tmp_path / "film.safetensors"
    flags = ("--duration", "10", "--out", str(out))
    assert convert(["features", str(as_pt(tmp_path, seen)), *flags]) == 0
    flags = ("--questions", tmp_path / "questions.jsonl", *FLOWS[flow], *RECORDED)
    report = asked("--features", out, *flags, model=bundle_folder)
    assert [result["token_ids"] for result in report["results"]] == [a["ids"] for a in expected]
    assert [result["answer"] for result in report["results"]] == [a["text"] for a in expected]
    assert report["features"] == {"format": "safetensors", "dtype": "fp32", "times": "file"}
    assert report["video"] == {
        "path": str(out), "duration": DURATION, "fps": FPS, "frames": FRAMES,
    }  # fmt: skip
    film = asked("--video", golden_folder / "clip.avi", *flags, model=bundle_folder)
    assert report["plan"] == film["plan"]
    assert report["counts"]["frames_decoded"] == 0
    for count in ("frames_encoded", "blocks_long", "blocks_short"):
        assert report["counts"][count] == film["counts"][count]


def test_frames_with_times_of_their_own_are_found_by_them(
    seen, golden_folder, bundle_folder, tmp_path
):
    """Only the frames that a plan reads, unevenly spaced: the answers are those of the film."""
    kept = sorted({k * FRAMES // 8 for k in range(8)} | {111})  # uniform:8, and a moment's frame
    (tmp_path / "times.json").write_text(json.dumps([k / FPS for k in kept]), encoding="utf-8")
    out = tmp_path / "film.safetensors"
    source, times = as_npy(tmp_path, seen[kept]), str(tmp_path / "times.json")
    flags = ("--times", times, "--duration", "10", "--out", str(out))
    assert convert(["features", str(source), *flags]) == 0
    # fps:0.8 asks for what is on screen at k · 1.25 s = frame 37.5 k, which uniform:8 rounds down.
    words = ("--question", "why does she leave", "--at-frame")
    film = asked(
        *("--video", golden_folder / "clip.avi", *words, "111", "--plan", "uniform:8"),
        *("--set", "memory.policy=keep_all"),
        model=bundle_folder,
    )
    features = asked(
        *("--features", out, *words, str(kept.index(111)), "--plan", "fps:0.8"),
        *("--set", "memory.policy=keep_all"),
        model=bundle_folder,
    )
    assert features["results"][0]["token_ids"] == film["results"][0]["token_ids"]
    assert features["results"][0]["at"] == pytest.approx(111 / FPS)


def test_npy_is_read_as_it_is_with_times_from_the_command_line(
    seen, golden_folder, bundle_folder, tmp_path
):
    words = ("--question", "summary", "--at", "4", "--max-new-tokens", "12")
    film = asked("--video", golden_folder / "clip.avi", *words, model=bundle_folder)
    source = as_npy(tmp_path, seen)
    for timing in (("--features-fps", "30"), ("--features-duration", "0:10")):
        features = asked("--features", source, *timing, *words, model=bundle_folder)
        assert features["results"] == film["results"]
        assert features["features"]["times"] == "given"


def test_without_times_the_whole_can_be_asked_about_but_no_moment(seen, bundle_folder, tmp_path):
    source = as_npy(tmp_path, seen[:20])
    words = ("--features", source, "--question", "summary", "--max-new-tokens", "4")
    whole = moviechat(*words, model=bundle_folder)
    assert whole.returncode == 0, whole.stderr
    assert "do not say when their frames were" in whole.stderr
    moment = moviechat(*words, "--at", "4", "--quiet", model=bundle_folder)
    assert moment.returncode == 2
    assert "give --features-fps or --features-duration" in moment.stderr
    assert moviechat(*words, "--at-frame", "4", "--quiet", model=bundle_folder).returncode == 0


def test_memory_does_not_grow_with_the_file(bundle_folder, tmp_path):
    peaks = {}
    for frames in (2_000, 200_000):  # the latter 650 MB, of which nothing lies on the disk
        path = tmp_path / f"{frames}.npy"
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (frames, 17, 48)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + frames * 17 * 48 * 4)
        words = ("--features", path, "--features-fps", "30", "--question", "summary")
        report = asked(*words, "--max-new-tokens", "2", model=bundle_folder)
        assert report["counts"]["frames_encoded"] == min(frames, 2048)
        peaks[frames] = report["peak_memory_bytes"]
    assert peaks[200_000] < peaks[2_000] + 50e6


def nan_at(features, frame):
    damaged = features.clone()
    damaged[frame, 3, 5] = torch.nan
    return damaged


@pytest.mark.parametrize(
    ("make", "flags", "message"),
    [
        (lambda f, x: as_npy(f, nan_at(x, 33)), (), "film.npy': frame 33 holds NaN or infinity"),
        (lambda f, x: as_npy(f, x[0]), (), r"has shape \[17, 48\]; expected \[frames, patches"),
        (lambda f, x: as_npy(f, x.double()), (), "has dtype float64; expected fp16, bf16 or fp32"),
        (lambda f, x: as_pt(f, x.long()), (), "has dtype int64; expected"),
        (lambda f, x: as_npy(f, 1e6 * x), ("--dtype", "fp16"), "beyond fp16"),
        (lambda f, x: f, (), "holds no features"),
        (lambda f, x: f / "lost.npy", (), "does not exist"),
        (lambda f, x: as_npy(f, x), ("--fps", "0"), "--fps must be a positive number, got 0"),
        (lambda f, x: as_npy(f, x), ("--fps", "1", "--duration", "9"), "contradict each other"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted(seen, tmp_path, capsys, make, flags, message):
    folder = tmp_path / "in"
    folder.mkdir()
    source, out = make(folder, seen), tmp_path / "out" / "film.safetensors"
    capsys.readouterr()
    assert convert(["features", str(source), *flags, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said), said
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_files_that_would_run_code_or_are_cut_are_refused(seen, tmp_path, capsys):
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    torch.save({"features": seen, "hook": print}, tmp_path / "pickle.pt")
    for form in (as_npy, as_pt, as_safetensors):
        path = form(tmp_path, seen)
        path.write_bytes(path.read_bytes()[:-5000])
    for name, message in {
        "pickle.npy": "holds Python objects",
        "pickle.pt": "holds a Python object",
        "film.npy": "damaged or cut short",
        "film.pt": "damaged or cut short",
        "film.safetensors": "damaged or cut short",
    }.items():
        out = tmp_path / "out.safetensors"
        assert convert(["features", str(tmp_path / name), "--out", str(out)]) == 2
        assert message in capsys.readouterr().err, name
        assert not out.exists()


def test_files_of_two_models_are_not_one_film(seen, tmp_path, capsys):
    np.save(tmp_path / "1.npy", seen.numpy())
    np.save(tmp_path / "2.npy", seen[:, :5].numpy())
    assert convert(["features", str(tmp_path), "--out", str(tmp_path / "out.safetensors")]) == 2
    assert "are they of one model?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--video", "film.mp4"), "--video and --features contradict each other"),
        (("--features-fps", "2", "--features-duration", "9"), "contradict each other"),
        (("--features-fps", "0"), "--features-fps must be 0.001 to 1000, got 0"),
        (("--features-duration", "0"), "--features-duration must be above 0"),
        (("--features-fps", "1", "--at", "21"), "beyond the end of"),
        (("--at-frame", "20"), "which has some 20 frames"),
    ],
)
def test_mistakes_on_the_command_line(seen, bundle_folder, tmp_path, flags, message):
    words = ("--features", as_npy(tmp_path, seen[:20]), "--question", "summary", "--quiet")
    result = moviechat(*words, *flags, model=bundle_folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f, x: as_npy(f, nan_at(x, 2)), "frame 2 of 20 holds NaN or infinity"),
        (lambda f, x: as_npy(f, x[:, :5]), "are [20, 5, 48], the ViT of bundle 'tiny' gives"),
        (as_pt, "neither .npy nor .safetensors by its content; scripts/convert features makes"),
        (lambda f, x: f / "lost.npy", "No such file or directory"),
        (lambda f, x: f, "must be a file; scripts/convert features makes one of a folder"),
    ],
)
def test_files_that_the_program_refuses(seen, bundle_folder, tmp_path, make, message):
    source = make(tmp_path, seen[:20])
    words = ("--features", source, "--question", "summary", "--quiet")
    result = moviechat(*words, model=bundle_folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
