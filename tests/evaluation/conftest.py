import pytest
from training_helpers import start

import ganzoo


def trained(model: str, folder, **options) -> ganzoo.Run:
    """A run of a few rounds on MNIST, small enough for a test."""
    flags = {"images": 256, "batch": 32, "device": "cpu", "precision": "fp32", "save_every": 256}
    return ganzoo.train(model, "mnist", out=folder, networks="mlp", width=0.125, **flags, **options)


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> ganzoo.Run:
    """A tiny InfoGAN; read it, or copy it before you write."""
    return trained("infogan", tmp_path_factory.mktemp("infogan"))


@pytest.fixture(scope="session")
def acgan_run(tmp_path_factory) -> ganzoo.Run:
    """A tiny ACGAN."""
    return trained("acgan", tmp_path_factory.mktemp("acgan"))


@pytest.fixture(scope="session")
def toys_run(tmp_path_factory) -> ganzoo.Run:
    """An InfoGAN on the toys, which are read in no time; read it, or copy it before you write."""
    return start(tmp_path_factory.mktemp("toys"), "infogan", networks="mlp")
