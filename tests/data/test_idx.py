import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganzoo.core.errors import RunError
from ganzoo.data.idx import parse_idx


def header(*sizes: int, kind: int = 8, dimensions: int | None = None) -> bytes:
    count = len(sizes) if dimensions is None else dimensions
    return bytes((0, 0, kind, count)) + b"".join(size.to_bytes(4) for size in sizes)


def test_values_are_read_in_order() -> None:
    array = parse_idx(header(2, 3) + bytes(range(6)), shape=(2, 3), where="file")
    assert array.dtype == torch.uint8
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_none_stands_for_any_size() -> None:
    assert parse_idx(header(5) + bytes(5), shape=(None,), where="file").shape == (5,)


def test_result_does_not_alias_its_input() -> None:
    content = header(1) + b"\7"
    parse_idx(content, shape=(1,), where="file").zero_()
    assert content[-1] == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes do not hold"),
        (header(2, 3)[:-1], "do not hold an IDX header of 12"),
        (b"\x1f\x8b" + header(2, 3)[2:] + bytes(6), "starts with 1f 8b"),
        (header(2, 3, kind=0x0D) + bytes(24), "type 0x0d"),
        (header(2, 3, dimensions=3) + bytes(6), "has 3 dimensions where 2"),
        (header(2, 4) + bytes(8), "shape 2x4 where 2x3"),
        (header(2**32 - 1, 2**32 - 1), "shape 4294967295x4294967295"),
        (header(2, 3) + bytes(5), "5 values follow a header that promises 6"),
        (header(2, 3) + bytes(7), "7 values follow a header that promises 6"),
    ],
)
def test_hostile_content_is_refused_by_name(content: bytes, said: str) -> None:
    with pytest.raises(RunError, match=said) as caught:
        parse_idx(content, shape=(2, 3), where="digits.idx")
    assert str(caught.value).startswith("digits.idx ")


@pytest.mark.parametrize("size", [0, 2**32 - 1])
def test_free_size_must_still_agree_with_the_length(size: int) -> None:
    with pytest.raises(RunError):
        parse_idx(header(size) + bytes(4), shape=(None,), where="file")


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        array = parse_idx(content, shape=(None, None), where="file")
    except RunError:
        return
    assert bytes(array.flatten().tolist()) == content[12:]
