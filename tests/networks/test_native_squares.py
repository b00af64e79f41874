import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganzoo.benchmark.measure import flop_of
from ganzoo.networks import native_squares, squares
from ganzoo.networks.karatsuba import double_and_convolve
from ganzoo.networks.native import panel_width

needs_native_code = pytest.mark.skipif(
    native_squares.absence() is not None, reason=f"there is no native code here: {native_squares.absence()}"
)


def whole_numbers(*shape: int) -> Tensor:
    """Small ones, so that sums are exact in any order."""
    return torch.randint(-3, 4, shape).float()


@needs_native_code
@settings(max_examples=40)
@given(
    count=st.integers(1, 9),
    halves=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    panels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    together=st.integers(1, 40),
    threads=st.integers(1, 3),
)
def test_they_are_those_of_pytorch(
    count: int, halves: tuple[int, int], panels: tuple[int, int], together: int, threads: int
) -> None:
    inputs, outputs = (panel_width("upsampling") * number for number in panels)
    pixels = whole_numbers(count, 2 * halves[0], 2 * halves[1], inputs)
    factors, gradient = whole_numbers(25, outputs, inputs), whole_numbers(count, 4 * halves[0], 4 * halves[1], outputs)
    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_squares, "_SQUARES", together)
        torch.set_num_threads(threads)
        try:
            assert torch.equal(native_squares.evaluate(pixels, factors), squares.evaluate(pixels, factors))
            found, expected = (way.differentiate(pixels, factors, gradient) for way in (native_squares, squares))
        finally:
            torch.set_num_threads(before)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


@needs_native_code
def test_they_are_the_same_every_time() -> None:
    pixels, factors, gradient = torch.randn(9, 8, 8, 32), torch.randn(25, 32, 32), torch.randn(9, 16, 16, 32)
    first, again = (native_squares.differentiate(pixels, factors, gradient) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


@needs_native_code
@pytest.mark.parametrize(
    ("inputs", "outputs", "dtype", "expected"),
    [
        (32, 64, torch.float32, True),
        (32, 64, torch.float64, False),
        (33, 32, torch.float32, False),
        (32, 3, torch.float32, False),
        (4096, 4096, torch.float32, False),  # a gigabyte for each thread
    ],
)
def test_what_it_takes(inputs: int, outputs: int, dtype: torch.dtype, expected: bool) -> None:
    assert native_squares.takes(torch.empty(outputs, inputs, 3, 3, dtype=dtype, device="meta")) is expected


@needs_native_code
def test_layers_learn_the_same_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, weight = whole_numbers(3, 32, 4, 4).requires_grad_(), whole_numbers(32, 32, 3, 3).requires_grad_()
    of_values = whole_numbers(3, 32, 8, 8)

    def learned() -> tuple[Tensor, ...]:
        values = double_and_convolve(maps, weight)
        return values, *torch.autograd.grad(values, [maps, weight], of_values)

    native = learned()
    monkeypatch.setattr(native_squares, "absence", lambda: "a test")
    for one, other in zip(native, learned(), strict=True):
        assert torch.equal(one, other)


@needs_native_code
def test_counters_see_as_many_operations_as_without_it() -> None:
    pixels, factors, gradient = torch.randn(3, 4, 4, 64), torch.randn(25, 32, 64), torch.randn(3, 8, 8, 32)
    for one, other in (
        (lambda: native_squares.evaluate(pixels, factors), lambda: squares.evaluate(pixels, factors)),
        (
            lambda: native_squares.differentiate(pixels, factors, gradient),
            lambda: squares.differentiate(pixels, factors, gradient),
        ),
    ):
        assert flop_of(one) == flop_of(other) > 0


@needs_native_code
def test_shapes_without_numbers() -> None:
    pixels, factors = torch.empty(3, 4, 8, 32, device="meta"), torch.empty(25, 16, 32, device="meta")
    values = native_squares.evaluate(pixels, factors)
    assert values.shape == (3, 8, 16, 16)
    assert [each.shape for each in native_squares.differentiate(pixels, factors, values)] == [
        (3, 4, 8, 32),
        (25, 16, 32),
    ]
