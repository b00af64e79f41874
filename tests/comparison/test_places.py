from pathlib import Path

import pytest
from comparison_helpers import a_plan, shared_zoo, toy_zoo

from ganzoo.comparison import places
from ganzoo.comparison.places import InProcesses, InTurn, choose_place, refuse_place
from ganzoo.comparison.request import Request
from ganzoo.core.errors import UsageError
from ganzoo.training.hardware import Hardware
from ganzoo.zoo.manager import Zoo

HERE = Hardware.choose("cpu", "fp32")


def refused(monkeypatch: pytest.MonkeyPatch, ray: bool = True, **asked: object) -> str:
    """What is said of a place, with Ray installed or not."""
    monkeypatch.setattr(places, "find_spec", lambda name: object() if ray else None)
    with pytest.raises(UsageError) as caught:
        refuse_place(Request(["gan"], **{"zoo": Zoo(), **asked}))  # type: ignore[arg-type]
    return str(caught.value)


def test_what_is_wrong_with_a_place_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = "--on ray needs Ray, which is not installed; to have it: pip install 'ganzoo[ray]'"
    assert refused(monkeypatch, ray=False, on="ray") == missing
    assert refused(monkeypatch, on="rey") == "there is no place to train on 'rey'; did you mean 'ray'?"
    assert "--gpus-per-run is for a cluster, with --on ray" in refused(monkeypatch, gpus_per_run=0.5)
    assert "--cpus-per-run is for a cluster, with --on ray" in refused(monkeypatch, cpus_per_run=2)
    assert "--cpus-per-run 0 trains nothing" in refused(monkeypatch, on="ray", cpus_per_run=0)
    assert "--gpus-per-run 2 is no share of a GPU" in refused(monkeypatch, on="ray", gpus_per_run=2.0)
    assert "--gpus-per-run nan is no share" in refused(monkeypatch, on="ray", gpus_per_run=float("nan"))
    assert "one that was registered by hand is neither" in refused(monkeypatch, on="ray", zoo=toy_zoo())
    refuse_place(Request(["gan"], on="ray", cpus_per_run=2, gpus_per_run=0.25, zoo=Zoo()))


def test_here_is_this_process_or_several(tmp_path: Path) -> None:
    by_hand = a_plan(tmp_path, "gan", zoo=shared_zoo())
    assert isinstance(by_hand.place, InTurn)
    several = choose_place(Request(["gan"], jobs=2, zoo=Zoo()), by_hand.trainings * 3, HERE, "")
    assert isinstance(several, InProcesses)
    assert (several.jobs, several.words, several.notes) == (2, "", ())


def test_where_nothing_is_to_be_trained_no_cluster_is_needed() -> None:
    assert isinstance(choose_place(Request(["gan"], on="ray", zoo=Zoo()), [], HERE, ""), InProcesses)


@pytest.mark.parametrize(
    "environment",
    [{"RANK": "0", "WORLD_SIZE": "2"}, {"RANK": "0", "WORLD_SIZE": "1", "TORCHELASTIC_USE_AGENT_STORE": "True"}],
)
def test_torchrun_is_refused(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="so it is not for torchrun; type `ganzoo compare` alone"):
        a_plan(tmp_path, "gan")
    assert not list(tmp_path.iterdir())
