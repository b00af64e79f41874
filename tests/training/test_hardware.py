import ctypes
import sys
from types import SimpleNamespace

import pytest
import torch

from ganzoo.core.errors import UsageError
from ganzoo.training import hardware
from ganzoo.training.hardware import Hardware


@pytest.mark.parametrize("device", ["tpu", "cuda:x", "", "cpu:-1", "vulkan", "hpu", "meta"])
def test_a_device_that_cannot_train_is_one_sentence(device):
    with pytest.raises(UsageError, match=r"device '.*' cannot be used here; choose auto or (cpu|cuda|mps)$"):
        Hardware.choose(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_is_refused_where_there_is_none():
    for name in ("cuda", "cuda:3"):
        with pytest.raises(UsageError, match=f"device '{name}' cannot be used here; choose auto or "):
            Hardware.choose(name)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is an Apple GPU")
def test_mps_is_refused_where_there_is_none():
    with pytest.raises(UsageError, match="device 'mps' cannot be used here; choose auto or "):
        Hardware.choose("mps")


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_accelerator_is_preferred(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(hardware, "computes_bf16", lambda device: False)
    assert Hardware.choose().device.type == best


@pytest.mark.parametrize(("able", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_takes_bf16_where_the_processor_computes_in_it(monkeypatch, able, precision):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able)
    assert Hardware.choose("cpu").precision == precision
    assert Hardware.choose("cpu", "fp32").precision == "fp32"
    assert Hardware.choose("cpu", "bf16").precision == "bf16"


def test_autocast_computes_in_the_precision():
    layer, ones = torch.nn.Linear(4, 4), torch.ones(2, 4)
    with Hardware(torch.device("cpu"), "bf16").autocast():
        assert layer(ones).dtype == torch.bfloat16
    with Hardware(torch.device("cpu"), "fp32").autocast():
        assert layer(ones).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


def test_the_name_says_how_many_threads(monkeypatch):
    chosen = Hardware(torch.device("cpu"), "fp32")
    for threads, name in ((1, "cpu (1 thread)"), (2, "cpu (2 threads)")):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        assert chosen.name == name
    assert Hardware(torch.device("mps"), "fp32").name == "mps"


def test_preparing_twice_is_safe():
    chosen = Hardware.choose("cpu")
    chosen.prepare()
    chosen.prepare()


def test_preparing_leaves_other_systems_alone(monkeypatch):
    def fail(*_):
        raise AssertionError("the C library was touched")

    monkeypatch.setattr(hardware, "keep_freed_memory", fail)
    monkeypatch.setattr(sys, "platform", "darwin")
    Hardware(torch.device("cpu"), "fp32").prepare()
    monkeypatch.setattr(sys, "platform", "linux")
    Hardware(torch.device("mps"), "fp32").prepare()


def test_convolutions_on_a_gpu_give_the_same_result_each_time(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    Hardware(torch.device("cpu"), "fp32").prepare()
    assert not torch.backends.cudnn.deterministic
    Hardware(torch.device("cuda"), "fp32").prepare()
    assert torch.backends.cudnn.deterministic


def test_a_c_library_without_mallopt_is_fine(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    hardware.keep_freed_memory()
