"""Runs of every schema that a release has written are opened, sampled and gone on with by this one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import api
from ganzoo.core.errors import RunError
from ganzoo.evaluation.evaluate import open_subject
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import SCHEMA_VERSION
from ganzoo.zoo.manager import default_zoo

KEPT = sorted((Path(__file__).parents[1] / "data").glob("schema-*"))
each_schema = pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Path:
    """A copy of the run."""
    (path,) = kept.iterdir()
    return Path(shutil.copytree(path, tmp_path / "runs" / path.name))


def test_there_is_a_small_run_of_every_schema() -> None:
    assert [path.name for path in KEPT] == [f"schema-{number}" for number in range(1, SCHEMA_VERSION + 1)]
    for path in KEPT:
        assert sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) < 300_000


@each_schema
def test_it_opens_and_draws_what_it_drew_then(kept: Path, run: Path) -> None:
    opened = api.open(run)
    assert f"schema-{opened.record.schema_version}" == kept.name
    assert opened.record.status == "finished"
    assert [line["images"] for line in opened.stats()] == [16, 32]
    assert opened.sample(3, seed=1, category=1).shape == (3, 1, 28, 28)
    with Image.open(run / "samples" / "000000032.png") as stored:
        then = np.asarray(stored.convert("L"), dtype=float)
    now = np.asarray(opened.sampler.sheet().convert("L"), dtype=float)
    assert now.shape == then.shape
    assert np.abs(now - then).max() <= 3, "levels of 255 apart, which another version of torch may not be"


@each_schema
def test_it_goes_on(kept: Path, run: Path) -> None:
    before = (run / "stats.jsonl").read_text()
    resumed = api.resume(run, flags={"images": 64})
    assert (resumed.record.status, resumed.record.images) == ("finished", 64)
    assert (run / "stats.jsonl").read_text().startswith(before)
    assert (run / "checkpoints" / "000000064" / "manifest.json").is_file()


@each_schema
def test_its_critic_is_read(kept: Path, run: Path) -> None:
    subject = open_subject(RunDirectory.open(run), default_zoo())
    assert subject.critic_protocol.startswith("last critic")  # averaging it came later
    assert subject.judge(subject.real("test", 2).values).recognised["category"].isfinite().all()


@each_schema
def test_one_of_a_newer_schema_is_refused_with_the_version_needed(kept: Path, run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    record |= {"schema_version": SCHEMA_VERSION + 1, "invention": [], "versions": {"ganzoo": "7.3.0"}}
    (run / "run.json").write_text(json.dumps(record))
    files = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    sentence = rf"{run.name} needs ganzoo 7\.3\.0, which wrote it: `pip install -U ganzoo`$"
    for call in (api.open, api.resume):
        with pytest.raises(RunError, match=sentence):
            call(run)
    with pytest.warns(UserWarning, match=r"left out: .*needs ganzoo 7\.3\.0"):
        assert RunDirectory.list(run.parent) == []
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != ".lock"} == files
