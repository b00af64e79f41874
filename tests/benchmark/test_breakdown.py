from types import SimpleNamespace
from typing import Any

import pytest
from torch.autograd import DeviceType
from training_helpers import trainer

from ganzoo.benchmark.breakdown import COMPUTE, KINDS, kind_of, profile_rounds, shares


def operation(name: str, time: float, parent: Any = None) -> Any:
    return SimpleNamespace(name=name, self_cpu_time_total=time, cpu_parent=parent, device_type=DeviceType.CPU)


def kernel(name: str, time: float, annotation: bool = False) -> Any:
    return SimpleNamespace(
        name=name, self_device_time_total=time, is_user_annotation=annotation, device_type=DeviceType.CUDA
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aten::mkldnn_convolution", "convolution"),
        ("aten::convolution_backward", "convolution"),
        ("ganzoo::double_and_convolve_backward", "convolution"),
        ("ganzoo::grey_to_maps", "convolution"),
        ("ganzoo::maps_to_grey", "convolution"),
        ("ganzoo::grey_kernels", "convolution"),
        ("aten::addmm", "matrix product"),
        ("aten::native_batch_norm_backward", "normalisation"),
        ("aten::leaky_relu_", "elementwise, copies"),
        ("aten::_fused_adamw_", "optimiser"),
        ("sm90_xmma_gemm_bf16bf16_bf16f32", "matrix product"),
        ("sm90_xmma_dgrad_implicit_gemm_indexed", "convolution"),
        ("void multi_tensor_apply_kernel<FusedAdamMathFunctor>", "optimiser"),
        ("void cudnn::bn_fw_tr_1C11_kernel_NHWC", "normalisation"),
    ],
)
def test_operations_and_kernels_are_known_by_their_names(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_a_span_takes_all_that_happens_in_it_and_the_rest_is_python() -> None:
    deal, step = operation("ganzoo: data", 5), operation("Optimizer.step#Adam.step", 10)
    events = [deal, step, operation("aten::index_select", 15, deal), operation("aten::add_", 20, step)]
    events += [operation("aten::add", 30), operation("AddBackward0", 7), kernel("gemm", 1000)]
    found = shares(events, 100, on_gpu=False)
    assert list(found) == list(KINDS)
    assert found["data"] == pytest.approx(0.2)
    assert found["optimiser"] == pytest.approx(0.3)
    assert found["elementwise, copies"] == pytest.approx(0.3)
    assert found["Python, waiting"] == pytest.approx(0.2)


def test_on_a_gpu_its_kernels_count_and_annotations_do_not() -> None:
    events = [kernel("gemm", 40), kernel("Optimizer.step", 50, annotation=True), operation("aten::mm", 90)]
    found = shares(events, 100, on_gpu=True)
    assert (found["matrix product"], found["Python, waiting"]) == (0.4, 0.6)


def test_kernels_that_overlap_leave_no_share_below_zero() -> None:
    found = shares([kernel("gemm", 80), kernel("conv", 80)], 100, on_gpu=True)
    assert found["Python, waiting"] == 0
    assert sum(found.values()) == pytest.approx(1)


def test_a_trainer_is_profiled_and_left_as_it_was() -> None:
    made = trainer("acgan")
    made.play_round()
    found = profile_rounds(made, 2)
    assert sum(found.values()) == pytest.approx(1)
    for kind in (*COMPUTE, "optimiser", "data", "averages, statistics"):
        assert found[kind] > 0, kind
    assert not {"_deal", "_record"} & set(vars(made))
    assert "update" not in vars(made.averages)
    assert made.images == 3 * 16
