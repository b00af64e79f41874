import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ganzoo.evaluation import train_digits
from ganzoo.evaluation.classifier import Classifier


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The script sets the number of threads of its process, which here is everybody's."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def train(out: Path) -> bytes:
    train_digits.main(["--out", str(out), "--epochs", "0.005"])
    return out.read_bytes()


def test_a_seed_gives_the_same_file_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = train(tmp_path / "one" / "judge.safetensors")
    printed = capsys.readouterr().out
    torch.rand(3)
    assert train(tmp_path / "two.safetensors") == content
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["judge.safetensors"]  # nothing half-written
    # What is printed is what registry.toml has to be told.
    assert f'sha256 = "{sha256(content).hexdigest()}", bytes = {len(content)}' in printed

    with safe_open(tmp_path / "two.safetensors", framework="pt") as file:
        made = json.loads(file.metadata()["made"])
    assert (made["epochs"], made["seed"], made["threads"], made["torch"]) == (0.005, 0, 1, torch.__version__)
    assert re.search(r"([\d.]+)% of the test split right", printed)[1] == f"{100 * made['test_accuracy']:.2f}"
    network = Classifier((1, 28, 28), 10)
    network.load_state_dict(load_file(tmp_path / "two.safetensors"))
