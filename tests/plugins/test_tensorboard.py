"""The TensorBoard observer, with a stand-in for the library's writer; and with the library where it is installed."""

import importlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from helpers import tiny_data

import ganzoo
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.selection import Selection

NAME = "ganzoo_tensorboard"


class Writer:
    """Notes what it is told to write."""

    made: ClassVar[list["Writer"]] = []

    def __init__(self, log_dir: str, purge_step: int | None = None) -> None:
        self.folder, self.purge_step = log_dir, purge_step
        self.written: list[tuple[Any, ...]] = []
        Writer.made.append(self)

    def __getattr__(self, method: str) -> Any:
        return lambda *arguments: self.written.append((method, *arguments))

    def called(self, method: str) -> list[tuple[Any, ...]]:
        return [rest for name, *rest in self.written if name == method]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The plugin, imported where TensorBoard seems to be installed."""
    (tmp_path / "tensorboard.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=Writer))
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    Writer.made.clear()
    yield importlib.import_module(NAME)
    del sys.modules[NAME]


def a_plan(data: ganzoo.DataSpec) -> Any:
    class Plan(SimpleNamespace):
        def __str__(self) -> str:
            return "what\nis done"

    return Plan(game=SimpleNamespace(data=data))


def a_tick(images: int, preview: torch.Tensor) -> ganzoo.Tick:
    return ganzoo.Tick(images, 1.0, 50.0, {"critic/adversarial": 0.5, "information/c": 2.0}, {}, lambda: preview)


def test_scalars_and_previews_are_written_at_ticks(plugin: ModuleType, tmp_path: Path) -> None:
    data = tiny_data((3, 4, 4), range=(0.0, 2.0))
    plugin.ganzoo_run_started(tmp_path, a_plan(data), 0)
    (writer,) = Writer.made
    assert (writer.folder, writer.purge_step) == (str(tmp_path / "tensorboard"), None)
    assert writer.called("add_text") == [["plan", "    what\n    is done", 0]]
    plugin.ganzoo_tick(tmp_path, a_tick(640, torch.full((24, 3, 4, 4), 1.5)))
    assert writer.called("add_scalar") == [
        ["critic/adversarial", 0.5, 640],
        ["information/c", 2.0, 640],
        ["images_per_second", 50.0, 640],
    ]
    ((tag, picture, step),) = writer.called("add_images")
    assert (tag, step) == ("samples", 640)
    assert torch.equal(picture, torch.full((24, 3, 4, 4), 0.75))
    plugin.ganzoo_run_finished(tmp_path)
    assert len(writer.called("close")) == 1


def test_samples_that_are_no_images_are_not_drawn(plugin: ModuleType, tmp_path: Path) -> None:
    plugin.ganzoo_run_started(tmp_path, a_plan(tiny_data((2,), drawn_as="points")), 0)
    plugin.ganzoo_tick(tmp_path, a_tick(640, torch.zeros(24, 2)))
    assert Writer.made[0].called("add_images") == []
    assert Writer.made[0].called("add_scalar")


def test_a_run_that_goes_on_voids_what_lies_beyond(plugin: ModuleType, tmp_path: Path) -> None:
    plugin.ganzoo_run_started(tmp_path, a_plan(tiny_data()), 320)
    assert Writer.made[0].purge_step == 321


def test_it_is_an_observer_like_any_other(plugin: ModuleType) -> None:
    assert "tensorboard" in [each.status.name for each in Zoo(selection=Selection(frozenset())).observers()]


def test_without_the_library_it_is_unavailable_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    zoo = Zoo(selection=Selection(frozenset()))
    assert zoo.observers() == []
    (status,) = (status for status in zoo.plugins(load=False) if status.name == "tensorboard")
    assert (status.state, status.observes) == ("unavailable", False)
    assert status.reason == "TensorBoard is not installed; to have it: pip install 'ganzoo[tensorboard]'"
    with pytest.raises(ganzoo.UsageError) as caught:
        zoo.model("nobodys")
    assert "tensorboard" not in str(caught.value)


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="TensorBoard is not installed: the extra 'tensorboard'")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_library_reads_what_was_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plugin = importlib.import_module(NAME)
    plugin.ganzoo_run_started(tmp_path, a_plan(tiny_data()), 0)
    plugin.ganzoo_tick(tmp_path, a_tick(640, torch.zeros(24, 1, 4, 4)))
    plugin.ganzoo_run_finished(tmp_path)
    read = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in read.Scalars("critic/adversarial")] == [(640, 0.5)]
    assert read.Tags()["images"]
