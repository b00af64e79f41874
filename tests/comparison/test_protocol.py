from pathlib import Path
from typing import Any

import pytest

from ganzoo.comparison.protocol import Terms, differences, find, identity, precision_of, refuse_mixture
from ganzoo.core.errors import UsageError
from ganzoo.runs.config import RunConfig, default_schedule
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord, installed_versions

BASE: dict[str, Any] = {
    "model": "gan",
    "data": "toys",
    "images": 64,
    "batch": 16,
    "device": "cpu",
    "precision": "fp32",
    "options": {"noise": 64},
    **default_schedule(64, 16),
}


def config(**changes: Any) -> RunConfig:
    return RunConfig.model_validate(BASE | changes)


HERE = {"ganzoo": "0.1.0", "python": "3.12.3", "torch": "2.11.0"}


def same(checksum: str = "abc", versions: dict[str, str] | None = None, **changes: Any) -> bool:
    found = identity(config(**changes), checksum, HERE | (versions or {}))
    return found == identity(config(), "abc", HERE)


@pytest.mark.parametrize(
    "changes",
    [
        {"tick": 8},
        {"save_every": 7},
        {"recipe": "paper"},
        {"device": "cuda"},
        {"data_options": {"root": "elsewhere"}},
        {"options": {"noise": 64, "latent": None}},
        {"versions": {"ganzoo": "0.9.3", "python": "3.11.0", "torch": "2.7.1"}},
    ],
)
def test_what_does_not_make_another_training(changes: dict[str, Any]) -> None:
    assert same(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "cgan"},
        {"options": {"noise": 65}},
        {"options": {"noise": 64, "width": 1.0}},
        {"data": "mnist"},
        {"data_options": {"size": 8}},
        {"images": 65},
        {"schedule": 65},
        {"half_life": 1},
        {"batch": 32},
        {"seed": 1},
        {"precision": "bf16"},
        {"checksum": "abd"},
        {"versions": {"ganzoo": "1.0.0"}},
        {"versions": {"hello-gan": "0.1.0 (sources 3fa81c20d5e7)"}},
    ],
)
def test_what_makes_another_training(changes: dict[str, Any]) -> None:
    assert not same(**changes)


def test_automatic_precision_is_what_it_comes_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for native, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr("ganzoo.training.hardware.computes_bf16", lambda device, native=native: native)
        assert precision_of(config(precision="auto")) == expected
        assert same(precision="auto") == (expected == "fp32")


def test_automatic_precision_of_a_device_that_is_not_here() -> None:
    assert precision_of(config(precision="auto", device="cuda:99")) == "auto on cuda:99"


def test_another_code_of_a_plugin_makes_another_training() -> None:
    def of(*said: str) -> dict[str, Any]:
        return identity(config(), "abc", HERE | {"hello-gan": "".join(said)})

    assert of("0.1.0 (sources 3fa81c20d5e7)") == of("0.1.0 (sources ", "3fa81c20d5e7)")
    assert of("0.1.0 (sources 3fa81c20d5e7)") != of("0.1.0 (sources 000000000000)")
    assert of("0.1.0 (sources 3fa81c20d5e7)") != of("0.1.1 (sources 3fa81c20d5e7)")


def a_run(
    root: Path, *, status: str = "finished", images: int = 64, saved: bool = True, **changes: Any
) -> RunDirectory:
    record = RunRecord(config=config(**changes), origins={}, data={"name": "toys"}, data_checksum="abc")
    run = RunDirectory.create(root, record)
    run.update(status=status, images=images)
    if saved:
        (run.checkpoints / f"{images:09d}").mkdir()
    return run


def found(root: Path) -> tuple[str | None, str]:
    wanted = identity(config(), "abc", installed_versions())
    run, origin = find(RunDirectory.list(root), wanted)
    return run.name if run else None, origin


def test_which_run_is_taken(tmp_path: Path) -> None:
    assert found(tmp_path) == (None, "trained")
    a_run(tmp_path, seed=1)
    a_run(tmp_path, status="failed", images=0, saved=False)
    assert found(tmp_path) == ("00002-gan-toys", "resumed")
    a_run(tmp_path, status="interrupted", images=32)
    a_run(tmp_path, status="running", images=16)
    assert found(tmp_path) == ("00003-gan-toys", "resumed")
    a_run(tmp_path, saved=False)
    assert found(tmp_path) == ("00003-gan-toys", "resumed")
    a_run(tmp_path)
    a_run(tmp_path, device="auto")
    a_run(tmp_path, batch=32)
    assert found(tmp_path) == ("00007-gan-toys", "reused")


def terms(label: str = "first", data: str = "toys", checksum: str = "abc", **changes: Any) -> Terms:
    return Terms.of(label, config(**changes), data, checksum, HERE)


def test_equal_terms() -> None:
    others = [terms("second"), terms("third", batch=32), terms("fourth", seed=3), terms("fifth", options={})]
    assert differences([terms(), *others]) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"images": 1000}, "second is trained on 1,000 images and first on 64"),
        ({"schedule": 1000}, "second has schedules over 1,000 images and first 64"),
        ({"checksum": "abd"}, "second is trained on other data of that name and first on the present ones"),
        (
            {"data_options": {"size": 8}, "checksum": "abd"},
            "second has data options size=8 and first has data options at their defaults",
        ),
    ],
)
def test_a_difference_is_named(changes: dict[str, Any], sentence: str) -> None:
    assert differences([terms(), terms("second", **changes)]) == [sentence]


def test_versions_apart() -> None:
    other = Terms.of("second", config(), "toys", "abc", HERE | {"ganzoo": "1.2.3"})
    assert differences([terms(), other]) == ["second is of ganzoo 1 and first of ganzoo 0"]


def test_code_of_a_plugin_is_what_an_entrant_is_and_no_term() -> None:
    other = Terms.of("second", config(), "toys", "abc", HERE | {"hello-gan": "0.1.0 (sources 3fa81c20d5e7)"})
    assert differences([terms(), other]) == []


def test_several_data_sets() -> None:
    refuse_mixture([terms(), terms("second")])
    with pytest.raises(UsageError, match="first is on toys and second on mnist"):
        refuse_mixture([terms(), terms("second", data="mnist")])
