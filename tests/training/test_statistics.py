import math

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from training_helpers import start, trainer

from ganzoo.core.errors import RunError
from ganzoo.core.objective import Term
from ganzoo.training.statistics import PROGRESS, Statistics

CPU = torch.device("cpu")


def term(value: float, name: str = "adversarial", **reports: float) -> Term:
    return Term(name, torch.tensor(value), reports={key: torch.tensor(each) for key, each in reports.items()})


def test_means_are_those_of_the_values_since_the_last_reading():
    statistics = Statistics(CPU)
    for value in (1.0, 2.0, 6.0):
        statistics.add("critic", [term(value, accuracy=value / 10), term(-value, "class/label")], 16)
    statistics.add("generator", [term(5.0)], 16)
    assert statistics.read() == pytest.approx(
        {"critic/adversarial": 3.0, "accuracy": 0.3, "critic/class/label": -3.0, "generator/adversarial": 5.0}
    )
    statistics.add("critic", [term(7.0, accuracy=0.5), term(1.0, "class/label")], 32)
    assert statistics.read() == {"critic/adversarial": 7.0, "accuracy": 0.5, "critic/class/label": 1.0}
    assert statistics.read() == {}


def test_means_leave_the_weight_of_a_term_out():
    statistics = Statistics(CPU)
    statistics.add("critic", [Term("r1", torch.tensor(2.0), weight=10.0)], 16)
    assert statistics.read() == {"critic/r1": 2.0}


def test_half_precision_values_are_added_in_float64():
    statistics = Statistics(CPU)
    for _ in range(1000):
        statistics.add("critic", [Term("adversarial", torch.tensor(1.0078125, dtype=torch.bfloat16))], 16)
    assert statistics.read() == {"critic/adversarial": 1.0078125}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_first_value_that_is_not_finite_is_found_by_name_and_progress(bad):
    statistics = Statistics(CPU)
    statistics.add("critic", [term(1.0), term(1.0, "r1")], 16)
    assert statistics.first_not_finite() is None
    statistics.add("critic", [term(1.0), term(bad, "r1")], 32)
    statistics.add("critic", [term(bad), term(bad, "r1")], 48)
    statistics.add("generator", [term(bad)], 48)
    assert statistics.first_not_finite() == ("critic/r1", 32)
    assert not math.isfinite(statistics.read()["critic/r1"])
    assert statistics.first_not_finite() == ("critic/r1", 32), "reading the means forgot it"


def test_a_report_that_is_not_finite_is_found_too():
    statistics = Statistics(CPU)
    statistics.add("generator", [term(1.0, **{"information/category": math.nan})], 16)
    assert statistics.first_not_finite() == ("information/category", 16)


def test_progress_is_exact_beyond_what_float32_holds():
    statistics = Statistics(CPU)
    statistics.add("critic", [term(math.nan)], 2**24 + 1)
    assert statistics.first_not_finite() == ("critic/adversarial", 2**24 + 1)


def test_nothing_waits_for_the_device_before_the_statistics_are_read():
    class Waits(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            Waits.count += func is torch.ops.aten._local_scalar_dense.default
            return func(*args, **(kwargs or {}))

    playing = trainer("infogan", r1=1.0, instance_noise=0.1)
    playing.play_round()
    with Waits():
        playing.play_round()
        assert Waits.count == 0
        playing.check_finite()
        assert Waits.count > 0


def test_terms_that_change_in_the_run_are_refused():
    statistics = Statistics(CPU)
    statistics.add("critic", [term(1.0)], 16)
    with pytest.raises(RunError, match=r"terms of player critic changed from \['critic/adversarial'\]"):
        statistics.add("critic", [term(1.0), term(1.0, "r1")], 32)


@pytest.mark.parametrize(
    ("player", "terms", "sentence"),
    [
        ("generator", [term(2.0, accuracy=1.0)], "player generator reports 'accuracy', a name that player critic has"),
        ("critic/part", [term(2.0, "a")], "player critic/part reports 'critic/part/a', a name that player critic has"),
        ("generator", [term(2.0), term(3.0)], "'generator/adversarial', a name that player generator has"),
        ("generator", [term(2.0, x=1.0), term(3.0, "r1", x=2.0)], "reports 'x', a name that player generator has"),
        ("generator", [term(2.0, images=1.0)], "reports 'images', a name that the run's progress has; choose another"),
        ("generator", [term(2.0, seconds=1.0)], "reports 'seconds', a name that the run's progress has"),
        ("generator", [term(2.0, images_per_second=1.0)], "a name that the run's progress has"),
    ],
)
def test_a_name_that_would_hide_another_number_is_refused(player, terms, sentence):
    statistics = Statistics(CPU)
    for _ in range(2):  # a player may have several turns in a round
        statistics.add("critic", [term(1.0, accuracy=0.5), term(1.0, "part/a")], 16)
    with pytest.raises(RunError, match=sentence):
        statistics.add(player, terms, 16)
    assert statistics.read() == {"critic/adversarial": 1.0, "critic/part/a": 1.0, "accuracy": 0.5}


def test_the_progress_that_a_run_notes_is_no_name_for_a_report(tmp_path):
    line, *_ = start(tmp_path, flags={"images": 16}).stats()
    assert tuple(line)[: len(PROGRESS)] == PROGRESS


def test_a_state_taken_between_readings_goes_on():
    whole, first, second = Statistics(CPU), Statistics(CPU), Statistics(CPU)
    values = [0.1, 0.7, 3.3, 1e-3]
    for value in values:
        whole.add("critic", [term(value)], 16)
    for value in values[:2]:
        first.add("critic", [term(value)], 16)
    sums, names = first.state()
    first.add("critic", [term(99.0)], 32)  # what happens later does not change what was taken
    second.restore(sums, names)
    for value in values[2:]:
        second.add("critic", [term(value)], 48)
    assert second.read() == whole.read()
    assert second.first_not_finite() is None


def test_a_state_of_nothing_is_nothing():
    statistics = Statistics(CPU)
    assert statistics.state() == ({}, {})
    statistics.restore({}, {})
    assert statistics.read() == {}


def test_sums_are_on_the_device_of_the_terms():
    statistics = Statistics(torch.device("meta"))
    statistics.add("critic", [Term("adversarial", torch.empty((), device="meta"))], 16)
    sums: Tensor = statistics.state()[0]["critic"]
    assert sums.device.type == "meta"
