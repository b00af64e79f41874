"""How ``benchmarks/peers/compare.py`` reads a public script's lines."""

import re
from pathlib import Path

import pytest

PEERS = Path(__file__).resolve().parents[2] / "benchmarks" / "peers"


def test_batches_are_counted_over_the_border_of_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PEERS))
    import compare

    lines = ["[Epoch 0/200] [Batch 936/938]", "[Epoch 0/200] [Batch 937/938]", "[Epoch 1/200] [Batch 0/938]"]
    counts = [re.findall(r"(\d+)/(\d+)\]", line) for line in lines]
    assert [compare.batches_by(each) for each in counts] == [936, 937, 938]
    assert compare.batches_by(re.findall(r"(\d+)/(\d+)\]", "[7/20]\tloss 0.3")) == 7
    assert compare.rate([(float(moment), 64 * moment) for moment in range(9)]) == 64
