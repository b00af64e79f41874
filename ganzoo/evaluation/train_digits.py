"""Trains the bundled digit judge: ``python -m ganzoo.evaluation.train_digits``.

Only MNIST's training split is used, all of it, and the weights at the end of a schedule that was fixed beforehand
are the ones that are kept; the test split is looked at once, to say how good they are. The same seed, number of
threads, machine and version of torch give the same file, byte for byte. A new file needs its SHA-256 and size in
``registry.toml``.
"""

import argparse
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Literal

import torch
from safetensors.torch import save

from ganzoo.core.data import Samples
from ganzoo.data.batches import to_range
from ganzoo.data.mnist import MNIST
from ganzoo.evaluation.classifier import Classifier, accuracy, fit
from ganzoo.runs.files import write_atomically

__all__ = ["main"]

_OUT = Path(__file__).parent / "files" / "digits.safetensors"


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, test and write the file.

    Args:
        arguments: the command line; None for that of the process.

    Raises:
        RunError: MNIST is damaged, or the file cannot be written.
    """
    parser = argparse.ArgumentParser(prog="python -m ganzoo.evaluation.train_digits", description="Train the judge.")
    parser.add_argument("--out", type=Path, default=_OUT, help="where to (default: the bundled file)")
    parser.add_argument("--epochs", type=float, default=16.0, help="passes over the 60,000 images (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation (default: 0)")
    parser.add_argument("--threads", type=int, default=1, help="the result depends on it (default: 1)")
    options = parser.parse_args(arguments)

    torch.set_num_threads(options.threads)
    data = MNIST()
    train = _samples(data, "train")
    network = Classifier(data.spec.shape, len(data.spec.labels["label"].classes), seed=options.seed)
    began = perf_counter()
    fit(
        network,
        train.values,
        train.labels["label"],
        images=round(options.epochs * len(train.values)),
        seed=options.seed,
        augment=data.spec.invariances,
    )
    seconds = perf_counter() - began
    test = _samples(data, "test")
    right = accuracy(network, test.values, test.labels["label"])
    made = {
        "by": "python -m ganzoo.evaluation.train_digits",
        "from": f"MNIST's training split, {data.split('train').checksum}",
        "epochs": options.epochs,
        "seed": options.seed,
        "threads": options.threads,
        "torch": torch.__version__,
        "test_accuracy": right,
    }
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    # In one value, because safetensors writes several in an order that changes from one process to the next.
    content = save(tensors, {"made": json.dumps(made)})
    write_atomically(options.out, content)
    print(f"{right:.2%} of the test split right after {options.epochs:g} epochs in {seconds:.0f} s")
    print(f'{options.out}: sha256 = "{sha256(content).hexdigest()}", bytes = {len(content)}')


def _samples(data: MNIST, part: Literal["train", "test"]) -> Samples:
    split = data.split(part)
    values = split.tensor()
    assert values is not None  # MNIST is held in memory
    return Samples(to_range(values, data.spec), split.labels)


if __name__ == "__main__":
    main()
