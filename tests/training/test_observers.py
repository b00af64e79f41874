"""Plugins that watch runs: what they hear, and that none can stop a run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from training_helpers import Toys, configured

from ganzoo import api
from ganzoo.core.errors import RunError
from ganzoo.training.events import Observer, Summary, Tick
from ganzoo.training.plan import Plan
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.selection import Selection

BUILT_IN_ONLY = Selection(allow=frozenset(), deny=frozenset({"tensorboard"}))


class Own(Observer):
    """The caller's observer; writes into the same list as the plugins."""

    def __init__(self, heard: list[Any]) -> None:
        self.heard = heard

    def started(self, plan, run):
        self.heard.append("own started")

    def ticked(self, tick):
        self.heard.append("own tick")

    def finished(self, run, summary):
        self.heard.append("own finished")

    def failed(self, run, summary):
        self.heard.append(f"own {summary.status}")


def watcher(heard: list[Any]) -> SimpleNamespace:
    """A plugin that notes what it is told, with its arguments."""

    def ganzoo_run_started(run, plan, images):
        heard.append(("started", run, plan, images))

    def ganzoo_tick(run, tick):
        heard.append(("tick", run, tick))

    def ganzoo_run_finished(run, summary):
        heard.append(("finished", run, summary))

    hooks = (ganzoo_run_started, ganzoo_tick, ganzoo_run_finished)
    return SimpleNamespace(**{hook.__name__: hookimpl(hook) for hook in hooks})


def raising(hook: str, error: BaseException, heard: list[Any]) -> SimpleNamespace:
    """A plugin that raises in one hook, and notes that it was called in the last."""

    def trouble(run):
        heard.append(hook)
        raise error

    def end(run):
        heard.append("end")

    hooks = {"ganzoo_run_finished": hookimpl(end, specname="ganzoo_run_finished")}
    return SimpleNamespace(**(hooks | {hook: hookimpl(trouble, specname=hook)}))


def zoo_with(*plugins: object, strict: bool = False) -> Zoo:
    zoo = Zoo(Catalogue(), Selection(BUILT_IN_ONLY.allow, BUILT_IN_ONLY.deny, strict))
    zoo.register(SimpleNamespace(ganzoo_register_datasets=hookimpl(lambda: [Toys])), "toys")
    for index, plugin in enumerate(plugins):
        zoo.register(plugin, f"watcher-{index}")
    return zoo


def run_with(out: Path, *plugins: object, strict: bool = False, observer: Observer | None = None) -> api.Run:
    flags = {"images": 32, "tick": 16}
    return api.start(configured(flags=flags, zoo=zoo_with(*plugins, strict=strict)), out=out, observer=observer)


def kinds(heard: list[Any]) -> list[str]:
    return [each if isinstance(each, str) else each[0] for each in heard]


def test_a_plugin_hears_of_a_run_after_the_callers_own_observer(tmp_path: Path) -> None:
    heard: list[Any] = []
    run = run_with(tmp_path, watcher(heard), observer=Own(heard))
    told = ["own started", "started", *["own tick", "tick"] * 2, "own finished", "finished"]
    assert kinds(heard) == told
    _, path, plan, images = heard[1]
    assert (path, images) == (run.path, 0)
    assert isinstance(plan, Plan)
    assert plan.config == run.config
    assert isinstance(heard[3][2], Tick)
    assert [each[2].images for each in heard if each[0] == "tick"] == [16, 32]
    assert heard[3][2].preview().shape == (24, 1, 16, 16)
    assert isinstance(heard[-1][2], Summary)
    assert (heard[-1][1], heard[-1][2].status) == (run.path, "finished")


def test_a_run_that_goes_on_is_heard_of_with_its_progress(tmp_path: Path) -> None:
    run = run_with(tmp_path)
    heard: list[Any] = []
    api.resume(run.path, flags={"images": 48}, zoo=zoo_with(watcher(heard)))
    assert kinds(heard) == ["started", "tick", "finished"]
    assert heard[0][3] == 32


def test_a_plan_is_heard_of_by_nobody(tmp_path: Path) -> None:
    heard: list[Any] = []
    api.plan(configured(zoo=zoo_with(watcher(heard))))
    assert heard == []


@pytest.mark.parametrize("hook", ["ganzoo_run_started", "ganzoo_tick", "ganzoo_run_finished"])
@pytest.mark.parametrize("error", [ValueError("no\nlines"), SystemExit(3)], ids=["error", "exit"])
def test_an_observer_that_raises_is_named_once_and_left_out(tmp_path: Path, hook: str, error: BaseException) -> None:
    broken: list[Any] = []
    sound: list[Any] = []
    with pytest.warns(UserWarning) as warned:
        run = run_with(tmp_path, raising(hook, error, broken), watcher(sound))
    (warning,) = warned
    said = "ValueError: no" if isinstance(error, ValueError) else "SystemExit: 3"
    assert str(warning.message) == (
        f"plugin 'watcher-0' of 'watcher-0' raised {said} in {hook}; it watches 00001-gan-toys no longer"
    )
    assert broken == [hook]
    assert kinds(sound) == ["started", "tick", "tick", "finished"]
    assert run.record.status == "finished"


def test_an_observer_that_was_left_out_hears_of_the_next_run(tmp_path: Path) -> None:
    heard: list[Any] = []
    plugin = raising("ganzoo_run_started", ValueError("again"), heard)
    zoo = zoo_with(plugin)
    for name in ("00001-gan-toys", "00002-gan-toys"):
        with pytest.warns(UserWarning, match=f"it watches {name} no longer"):
            api.start(configured(flags={"images": 16}, zoo=zoo), out=tmp_path)
    assert heard == ["ganzoo_run_started"] * 2


def test_a_strict_zoo_lets_an_observer_fail_the_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"):
        run_with(tmp_path, raising("ganzoo_tick", ValueError("mine"), []), strict=True)
    assert api.open(1, out=tmp_path).record.status == "failed"


def test_a_run_that_fails_is_heard_of_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []

    def not_finite(self: object) -> None:
        raise RunError("critic/adversarial was not a finite number in round 1")

    monkeypatch.setattr("ganzoo.training.trainer.Trainer.check_finite", not_finite)
    with pytest.raises(RunError, match="not a finite number"):
        run_with(tmp_path, watcher(heard), observer=Own(heard))
    assert kinds(heard) == ["own started", "started", "own failed", "finished"]
    summary = heard[-1][2]
    assert (summary.status, summary.images) == ("failed", 16)
    assert "not a finite number in round 1" in summary.sentences[0]
    assert summary.resume == f"ganzoo train --resume {tmp_path / '00001-gan-toys'}"


def test_an_interrupt_in_an_observer_is_an_interrupt(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_with(tmp_path, raising("ganzoo_tick", KeyboardInterrupt(), []))
    assert api.open(1, out=tmp_path).record.status == "interrupted"


def test_commands_name_the_files_that_a_run_needs(tmp_path: Path) -> None:
    file = tmp_path / "my gan.py"
    file.write_text(
        "import ganzoo\nclass Own(ganzoo.Model):\n    name = 'own'\n"
        "    def latent(self, data): return ganzoo.LatentSpec(z=ganzoo.Normal(4))\n"
    )
    zoo = zoo_with()
    zoo.register_file(file)
    heard: list[Any] = []
    zoo.register(watcher(heard), "watcher")
    run = api.start(configured("own", flags={"images": 16}, zoo=zoo), out=tmp_path)
    summary = heard[-1][2]
    assert all(f" --plugin '{file}'" in command for command in [*summary.next, summary.resume])
    assert run.resume_command == summary.resume
