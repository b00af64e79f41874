import errno
import json
from pathlib import Path

import pytest
from cli_helpers import TINY, Ganzoo, one_sentence

from ganzoo.runs.directory import RunDirectory

NAME = "00001-infogan-mnist"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["infogam"], "there is no model 'infogam'; did you mean 'infogan' or 'infogan-cr'?"),
        (["infogan@papre"], "did you mean 'paper'?"),
        (["gan", "--data", "mnits"], "there is no data set 'mnits'; did you mean 'mnist'"),
        (["gan", "--data", "./nowhere"], "nowhere"),
        (["gan", "-d", "sise=3"], "there is no option"),
        (["gan", "-o", "widht=1"], "did you mean 'width'?"),
        (["gan", "-o", "width"], "key=value"),
        (["gan", "-o", "width=0"], "width"),
        (["gan", "-o", "noise=-3"], "noise"),
        (["gan", "-o", "networks=infogan-rgb"], "infogan-rgb"),
        (["infogan", "-o", "categories=[0]"], "0"),
        (["infogan", "-o", "latent=z: normal(62), category: categorical(ten) code"], "column"),
        (["infogan", "-o", "latent=z: normal(62)", "-o", "noise=3"], "latent"),
        (["gan", "--images=-5"], "images"),
        (["gan", "--images", "0"], "images"),
        (["gan", "--images", "some"], "images"),
        (["gan", "--epochs=-1"], "epochs"),
        (["gan", "--images", "5k", "--epochs", "2"], "give one of them"),
        (["gan", "--batch", "0"], "batch"),
        (["gan", "--seed=-1"], "seed"),
        (["gan", "--device", "abacus"], "abacus"),
        (["gan", "--precision", "fp8"], "fp8"),
        (["gan", "--graph", "maybe"], "'auto', 'on' or 'off'"),
        (["gan", "--device", "cpu", "--graph", "on"], "a CUDA graph needs a CUDA device"),
        (["gan", "--save-every", "0"], "save_every"),
        (["gan", "--config", "nothing.toml"], "nothing.toml"),
        (["--resume", "7"], "'7'"),
        (["--resume", "."], "not a run directory"),
    ],
)
def test_a_request_that_cannot_be_met_is_one_sentence_and_writes_nothing(
    line: list[str], sentence: str, ganzoo: Ganzoo, tmp_path: Path
) -> None:
    assert sentence in one_sentence(ganzoo("train", *line, code=2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[train\n", "line 1"),
        ("[trian]\n", "did you mean 'train'?"),
        ("[train]\nimags = 5\n", "did you mean 'images'?"),
        ('[train]\nbatch = "many"\n', "batch"),
        ("[options]\nwidht = 1\n", "did you mean 'width'?"),
        ("train = 3\n", "train"),
    ],
)
def test_a_malformed_settings_file_says_where(content: str, sentence: str, ganzoo: Ganzoo, tmp_path: Path) -> None:
    (tmp_path / "ganzoo.toml").write_text(content)
    said = one_sentence(ganzoo("train", "gan", code=2))
    assert "ganzoo.toml" in said
    assert sentence in said
    assert [path.name for path in tmp_path.iterdir()] == ["ganzoo.toml"]


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_a_truncated_checkpoint_is_named_and_the_one_before_is_used(runs: Path, ganzoo: Ganzoo) -> None:
    newest = max((runs / NAME / "checkpoints").iterdir())
    truncate(newest / "averaged.safetensors")
    with pytest.warns(UserWarning, match=newest.name):
        ganzoo("sample", "1", "-n", "4")


def test_without_a_whole_checkpoint_there_are_no_samples(runs: Path, ganzoo: Ganzoo) -> None:
    for checkpoint in (runs / NAME / "checkpoints").iterdir():
        truncate(checkpoint / "averaged.safetensors")
    before = sorted(runs.rglob("*"))
    assert NAME in one_sentence(ganzoo("sample", "1", code=1))
    assert sorted(runs.rglob("*")) == before
    assert NAME in one_sentence(ganzoo("train", "--resume", "1", "--images", "512", code=1))


def test_a_checkpoint_of_another_model_is_refused(runs: Path, ganzoo: Ganzoo) -> None:
    file = runs / NAME / "run.json"
    record = json.loads(file.read_text())
    record["config"]["options"]["width"] = 0.25
    file.write_text(json.dumps(record))
    assert "another model" in one_sentence(ganzoo("sample", "1", code=1))
    assert "another model" in one_sentence(ganzoo("train", "--resume", "1", "--images", "512", code=1))


def test_a_damaged_record_is_named(runs: Path, ganzoo: Ganzoo) -> None:
    truncate(runs / NAME / "run.json")
    for line in (["sample", "1"], ["traverse", "1"], ["show", "1"], ["train", "--resume", "1"]):
        assert "run.json" in one_sentence(ganzoo(*line, code=1))


def test_a_folder_that_is_no_run_is_refused(ganzoo: Ganzoo, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for line in (["sample", "folder"], ["traverse", "folder"], ["runs", "show", "folder"]):
        assert "not a run directory" in one_sentence(ganzoo(*line, code=2))


def test_a_disk_that_fills_during_a_save_leaves_nothing_half_written(
    ganzoo: Ganzoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_synced(path: Path, content: bytes | str) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("ganzoo.runs.checkpoint.write_synced", write_synced)
    result = ganzoo("train", "gan", *TINY, code=1)
    assert "Traceback" not in result.stderr
    assert "space" in one_sentence(result)
    run = RunDirectory.open(1, tmp_path / "runs")
    assert run.record.status == "failed"
    assert not list(run.checkpoints.iterdir())


def test_a_picture_that_cannot_be_written_leaves_nothing(runs: Path, ganzoo: Ganzoo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for out in ("file/grid.png", "file/folder/"):
        assert "file" in one_sentence(ganzoo("sample", "1", "-n", "4", "--out", out, code=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "runs"]


def test_a_folder_of_runs_that_cannot_be_made(ganzoo: Ganzoo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "file" in one_sentence(ganzoo("train", "gan", *TINY, "--out", "file/runs", code=1))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
