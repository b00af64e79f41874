import pytest
import torch

from ganzoo.benchmark import ceilings
from ganzoo.benchmark.ceilings import best, measure_ceilings
from ganzoo.training.hardware import Hardware

CPU = torch.device("cpu")


def test_the_best_size_gives_the_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def passing(seconds: float):
        def work() -> None:
            now[0] += seconds

        return work

    monkeypatch.setattr(ceilings, "perf_counter", lambda: now[0])
    works = [("small", 10.0, passing(1)), ("middle", 60.0, passing(2)), ("large", 100.0, passing(4))]
    assert best(works, 10.0, CPU) == (30.0, "middle")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_both_are_measured_in_the_precision(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "MATRICES", {"cpu": (16, 32)})
    monkeypatch.setattr(ceilings, "MAPS", {"cpu": ((2, 4, 8),)})
    used = []
    product = ceilings.product

    def noticed(size: int, device: torch.device, dtype: torch.dtype):
        used.append(dtype)
        return product(size, device, dtype)

    monkeypatch.setattr(ceilings, "product", noticed)
    found = measure_ceilings(Hardware(CPU, precision), seconds=0.01)
    assert set(used) == {{"fp32": torch.float32, "bf16": torch.bfloat16}[precision]}
    assert found.matrix > 0
    assert found.best == max(found.matrix, found.convolution)
    assert found.matrix_size in ("16×16", "32×32")
    assert found.as_dict()["convolution_size"] == "2 maps of 4×8×8"


def test_the_operations_of_a_convolution_are_those_that_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    _, flop, do = ceilings.convolution(2, 4, 8, CPU, torch.float32)
    with FlopCounterMode(display=False) as counter:
        do()
    assert counter.get_total_flops() == flop
