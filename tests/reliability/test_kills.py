"""Trainings killed at random moments and resumed are the trainings that nobody disturbed."""

import random
from pathlib import Path

import pytest
from kill_runs import MODELS, kill_many
from killed_run import Count, Lost, contents, differences, inspect, killed, undisturbed

KILLS, SEED = 54, 20260101


@pytest.mark.slow
def test_runs_killed_at_any_moment_end_as_if_nothing_had_been(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with capsys.disabled():
        print(f"\nkilling {KILLS} times with seed {SEED}")
        count = kill_many(KILLS, SEED, tmp_path)
    assert not count.lost
    assert count.survived == count.kills >= KILLS
    assert set(count.by_model) == set(MODELS)
    assert min(count.moments[moment] for moment in ("while starting", "at any time", "in a write")) > 0
    assert count.torn > 0, "no kill came in the middle of a write"


@pytest.mark.slow
def test_the_installed_command_is_killed_and_goes_on_too(tmp_path: Path) -> None:
    whole, seconds = undisturbed("infogan", SEED, tmp_path / "whole")
    count = Count()
    run = killed("infogan", SEED, tmp_path / "killed", random.Random(SEED), 2, seconds, True, count)
    assert count.kills
    assert differences(run, whole) == [], f"seed {SEED}"


def test_the_comparison_finds_what_a_kill_may_spoil(tmp_path: Path) -> None:
    for name in ("one", "other"):
        checkpoint = tmp_path / name / "checkpoints" / "000000016"
        checkpoint.mkdir(parents=True)
        (checkpoint / "networks.safetensors").write_bytes(b"weights")
        (tmp_path / name / "run.json").write_text('{"status": "finished", "seconds": ' + str(len(name)) + "}")
        lines = [{"images": images, "seconds": len(name) + images, "loss": 0.5} for images in (16, 32)]
        (tmp_path / name / "stats.jsonl").write_text("".join(f"{line}\n".replace("'", '"') for line in lines))
    one, other = tmp_path / "one", tmp_path / "other"
    assert differences(one, other) == []
    assert contents(one)["stats.jsonl"] == [{"images": 16, "loss": 0.5}, {"images": 32, "loss": 0.5}]
    (one / "samples").mkdir()
    (one / "samples" / ".000000016.png.0a0b0c0d.tmp").touch()
    (one / "checkpoints" / "000000016" / "networks.safetensors").write_bytes(b"weighed")
    (one / "run.json").write_text('{"status": "running", "seconds": 3}')
    (one / "stats.jsonl").write_text('{"images": 16, "loss": 0.5}\n')
    assert differences(one, other) == [
        "checkpoints/000000016/networks.safetensors",
        "run.json",
        "samples/.000000016.png.0a0b0c0d.tmp",
        "stats.jsonl",
    ]


def test_a_checkpoint_that_is_gone_after_a_kill_is_a_loss(tmp_path: Path) -> None:
    (tmp_path / "runs" / "00001-gan-mnist" / "checkpoints" / "000000016").mkdir(parents=True)
    with pytest.raises(Lost, match=r"000000032 of .* is gone"):
        inspect(tmp_path, {"000000016", "000000032"})
