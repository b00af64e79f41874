"""A comparison on a cluster of two nodes, both on this machine, with the installed command."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from cli_helpers import COMMAND, typed
from training_helpers import checkpointed

from ganzoo import api
from ganzoo.comparison.model import Comparison
from ganzoo.runs.directory import RunDirectory

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: it comes with the extra 'ray'")
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="which process trains is looked up in /proc")

SETTINGS = """\
[train]
images = 2_000
batch = 32
tick = 160
save_every = 320
device = "cpu"
precision = "fp32"

[options]
networks = "mlp"
width = 0.125
"""
QUICK = ["--metric", "information", "--samples", "128"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster with two nodes of a core each."""
    line = [sys.executable, str(Path(__file__).parents[1] / "ray_cluster.py")]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, "the cluster did not start"
            yield address
        finally:
            process.stdin.close()
            process.wait(60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ganzoo.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


def comparing(folder: Path, cluster: str, *arguments: str) -> "subprocess.Popen[str]":
    """``ganzoo compare … --on ray``, in progress."""
    return subprocess.Popen(
        [str(COMMAND), "compare", *arguments, *QUICK, "--on", "ray"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "RAY_ADDRESS": cluster},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(found: Callable[[], Any], process: "subprocess.Popen[str]", seconds: float = 300) -> Any:
    """What is found before the process ends."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def trainers(run: Path) -> list[int]:
    """The processes that hold a run's lock."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                if any(link.readlink() == run / ".lock" for link in (entry / "fd").iterdir()):
                    found.append(int(entry.name))
            except OSError:
                continue  # it has ended, or is not ours
    return found


def under_way(folder: Path) -> tuple[RunDirectory, int] | None:
    """A run that has been saved but is far from its end, and the process that trains it."""
    for run in RunDirectory.list(folder / "runs"):
        if run.record.status == "running" and 320 <= run.record.images <= 1200 and (pids := trainers(run.path)):
            return run, pids[0]
    return None


@needs_ray
@needs_proc
@pytest.mark.slow
def test_two_nodes_complete_a_comparison_although_a_worker_is_killed(folder: Path, cluster: str) -> None:
    asked = ["gan", "infogan", "--seeds", "3"]
    process = comparing(folder, cluster, *asked, "--json")
    run, pid = until(lambda: under_way(folder), process)
    os.kill(pid, signal.SIGKILL)
    before = RunDirectory.open(run.path).stats()
    stdout, stderr = process.communicate(timeout=600)
    assert (process.returncode, stderr) == (0, "")

    comparison = Comparison.model_validate_json(stdout)
    assert [[each.seed for each in entrant.runs] for entrant in comparison.entrants] == [[0, 1, 2]] * 2
    assert comparison.machine.endswith("trained on Ray (2 machines, 2 cores, 1 GPU)")
    assert comparison.failures == ()
    runs = RunDirectory.list(folder / "runs")
    assert [each.record.status for each in runs] == ["finished"] * 6

    # It went on where it had been saved: what was noted up to there is still there, with the times of that day.
    seed = run.record.config.seed
    [note] = [note for note in comparison.notes if "lost its worker" in note]
    assert note.startswith(f"{run.record.config.model}, seed {seed} lost its worker, and another went on from ")
    saved = int(note.split()[-2].replace(",", ""))
    assert saved >= run.record.images > 0
    kept = [line for line in before if line["images"] <= saved]
    after = RunDirectory.open(run.path).stats()
    assert kept
    assert after[: len(kept)] == kept
    assert [line["images"] for line in after] == sorted({line["images"] for line in after})

    # What was learned is what is learned by a training that nobody disturbs, here.
    whole = ["train", run.record.config.model, "--seed", str(seed), "--out", "whole", "--images", "2000"]
    alone = typed(*whole, cwd=folder)
    assert alone.returncode == 0, alone.stderr
    expected, found = (
        checkpointed(api.open(1, out=folder / "whole")),
        checkpointed(api.Run(RunDirectory.open(run.path))),
    )
    assert expected.keys() == found.keys()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())

    again = typed("compare", *asked, *QUICK, "--on", "ray", cwd=folder, RAY_ADDRESS=cluster)
    assert "Nothing is to be trained." in again.stdout


@needs_ray
@pytest.mark.slow
def test_ctrl_c_saves_what_had_begun_and_the_same_command_goes_on(folder: Path, cluster: str) -> None:
    asked = ["gan", "--seeds", "3", "--images", "20M"]
    process = comparing(folder, cluster, *asked)

    def begun() -> list[RunDirectory]:
        found = [run for run in RunDirectory.list(folder / "runs") if run.record.images]
        return found if len(found) == 2 else []

    begun_runs = until(begun, process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "interrupted; what is done is saved, and the same command goes on from there: ganzoo compare" in stderr
    runs = RunDirectory.list(folder / "runs")
    assert [run.record.status for run in runs] == ["interrupted"] * 3
    for run in begun_runs:
        images = RunDirectory.open(run.path).record.images
        assert (run.checkpoints / f"{images:09d}" / "manifest.json").is_file()
    plan = json.loads(typed("compare", *asked, *QUICK, "--dry-run", "--json", cwd=folder).stdout)
    assert [run["origin"] for run in plan["entrants"][0]["runs"]] == ["resumed"] * 3


@needs_ray
@pytest.mark.slow
def test_a_run_that_fails_of_itself_is_left_out_at_once(folder: Path, cluster: str) -> None:
    budget = ["--images", "320"]
    assert typed("train", "gan", *budget, "-q", cwd=folder).returncode == 0
    [begun] = RunDirectory.list(folder / "runs")
    begun.update(status="interrupted", images=0)
    for file in begun.checkpoints.rglob("*.safetensors"):
        file.write_bytes(b"damaged")
    process = comparing(folder, cluster, "gan", "infogan", *budget, "--gpus-per-run", "0.5")
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 1, stderr
    assert "2 to train on Ray (2 machines, 2 cores, 1 GPU), 1 thread each: " in stdout  # the GPU's machine has one core
    assert "gan, seed 0 failed, and is left out: " in stdout
    assert "Traceback" not in stdout + stderr
    assert {run.record.config.model: run.record.status for run in RunDirectory.list(folder / "runs")} == {
        "gan": "interrupted",
        "infogan": "finished",
    }


@needs_ray
@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_one_sentence(folder: Path) -> None:
    environment = {"RAY_ADDRESS": "nonsense", "RAY_USAGE_STATS_ENABLED": "0"}
    result = typed("compare", "gan", *QUICK, "--on", "ray", cwd=folder, **environment)
    assert result.returncode == 1
    assert "Error: there is no cluster of Ray at nonsense (RAY_ADDRESS): " in result.stderr
    assert "Traceback" not in result.stderr
