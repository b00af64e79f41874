import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import COMMAND, TINY, Ganzoo, Trained, one_sentence, refused

from ganzoo.core.errors import RunError
from ganzoo.runs.directory import RunDirectory


def test_training_fills_a_run_directory(trained: Trained) -> None:
    record = RunDirectory.open(trained.run).record
    assert (record.status, record.images) == ("finished", 256)
    assert record.origins["options.width"] == "-o width=0.125"
    assert record.command.endswith(" ".join(["train infogan", *TINY]))
    assert {path.name for path in (trained.run / "traversals").iterdir()} >= {"category-0.png", "style-1.png"}
    assert (trained.run / "samples" / "000000256.png").is_file()


def test_without_a_terminal_there_is_one_line_a_tick(trained: Trained) -> None:
    lines = trained.printed.splitlines()
    ticks = [line for line in lines if " of 256 images (" in line]
    assert len(ticks) == 8
    assert all(" of 2.303 nats" in line and "ETA " in line for line in ticks)
    assert lines[-2].startswith("  ganzoo sample ")
    assert "\x1b" not in trained.printed


def test_the_summary_says_what_was_learned_and_what_to_type_next(trained: Trained) -> None:
    assert "finished: 256 images in " in trained.printed
    assert "nats about category" in trained.printed
    commands = trained.printed.split("type next\n")[1].splitlines()
    assert all(line.startswith("  ganzoo ") for line in commands)


def test_a_dry_run_prints_the_plan_and_writes_nothing(ganzoo: Ganzoo, tmp_path: Path) -> None:
    printed = ganzoo("train", "infogan", *TINY, "--dry-run").stdout
    for text in ("categorical(10) code", "generator", "256 images", "device: "):
        assert text in printed
    assert not list(tmp_path.iterdir())


def test_a_dry_run_as_json(ganzoo: Ganzoo, tmp_path: Path) -> None:
    described = json.loads(ganzoo("train", "infogan", *TINY, "--dry-run", "--json").stdout)
    assert described["rounds"] == 8
    assert described["config"]["options"]["width"] == 0.125
    assert not list(tmp_path.iterdir())


def test_json_lines_of_a_run(ganzoo: Ganzoo) -> None:
    printed = ganzoo("train", "gan", "--images", "64", *TINY[2:], "--out", "elsewhere", "--json").stdout
    events = [json.loads(line) for line in printed.splitlines()]
    assert [event["event"] for event in events][0 :: len(events) - 1] == ["started", "finished"]
    assert {event["event"] for event in events} == {"started", "tick", "saved", "finished"}
    assert events[-1]["run"] == "elsewhere/00001-gan-mnist"
    assert Path(events[-1]["run"], "run.json").is_file()


def test_a_resumed_run_goes_on_and_may_raise_its_budget(runs: Path, ganzoo: Ganzoo) -> None:
    printed = ganzoo("train", "--resume", "latest", "--images", "320", "--graph", "off", "--quiet").stdout
    assert printed.startswith("finished: 320 images in ")
    assert printed.count("\n") == 1
    record = RunDirectory.open(1, runs).record
    assert (record.images, record.config.images) == (320, 320)
    assert record.config.graph == "off", "how rounds are played is no part of what a run learns"


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (["--batch", "64"], "batch is 32, not 64"),
        (["-o", "noise=3"], "options.noise is 62, not 3"),
        (["--data", "svhn"], "data is 'mnist', not 'svhn'"),
        (["--seed", "1"], "seed is 0, not 1"),
        (["--config", "x.toml"], "--resume takes no --config"),
        (["--images", "100"], "lowered to 100"),
    ],
)
def test_a_resumed_run_may_change_nothing_else(asked: list[str], difference: str, runs: Path, ganzoo: Ganzoo) -> None:
    assert difference in refused(ganzoo, runs, "train", "--resume", "1", *asked)


def test_a_resumed_run_may_be_named_with_its_own_model_alone(runs: Path, ganzoo: Ganzoo) -> None:
    assert "model is 'infogan', not 'gan'" in one_sentence(ganzoo("train", "gan", "--resume", "1", code=2))
    assert "recipe is 'default', not 'paper'" in one_sentence(ganzoo("train", "infogan@paper", "--resume", "1", code=2))


def test_a_run_needs_a_model_and_a_dry_run_is_of_a_new_one(ganzoo: Ganzoo) -> None:
    assert "name of a model" in one_sentence(ganzoo("train", code=2))
    assert "--dry-run" in one_sentence(ganzoo("train", "--resume", "1", "--dry-run", code=2))


def test_the_flags_reach_the_configuration(ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def start(configured: Any, **others: Any) -> None:
        asked.update(others, config=configured.config)

    monkeypatch.setattr("ganzoo.api.start", start)
    flags = ["--epochs", "0.5", "--batch", "16", "--seed", "7", "--device", "cpu", "--precision", "fp32"]
    ganzoo("train", "infogan@paper", *flags, "--save-every", "1k", "-o", "categories=[10, 3]", "--out", "there")
    config = asked["config"]
    assert (config.recipe, config.images, config.batch, config.seed) == ("paper", 30_000, 16, 7)
    assert (config.device, config.precision, config.save_every) == ("cpu", "fp32", 1000)
    assert config.options["categories"] == [10, 3]
    assert asked["out"] == "there"


def test_a_failed_run_leaves_the_terminal_and_ends_with_1(ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(configured: Any, **others: Any) -> None:
        raise RunError("critic/adversarial was not a finite number in round 3")

    monkeypatch.setattr("ganzoo.api.start", start)
    assert "not a finite number" in one_sentence(ganzoo("train", "gan", code=1))


def test_ctrl_c_saves_and_prints_the_line_that_resumes(tmp_path: Path) -> None:
    line = [str(COMMAND), "train", "gan", "--images", "10M", "--batch", "32", "-o", "width=0.125"]
    (tmp_path / "ganzoo.toml").write_text("[train]\ntick = 32\n")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 130
    assert "to go on\n  ganzoo train --resume runs/00001-gan-mnist\n" in rest
    run = RunDirectory.open(1, tmp_path / "runs")
    assert run.record.status == "interrupted"
    assert (run.checkpoints / f"{run.record.images:09d}" / "manifest.json").is_file()
