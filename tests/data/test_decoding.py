import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.data.decoding import Framing, decode, decode_all


def png_header(width: int, height: int) -> bytes:
    """A PNG file that promises many pixels and holds none."""
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + start + chunk(b"IDAT", zlib.compress(b""))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_pixels_of_the_right_size_are_kept_exactly(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    decoded = decode(saved(tmp_path / "a.png", Image.fromarray(pixels)), Framing(8))
    assert decoded.dtype == torch.uint8
    assert decoded.permute(1, 2, 0).numpy().tobytes() == pixels.tobytes()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("crop", ["centre", "none"])
@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1", "LA", "RGBA", "I;16"])
def test_every_mode_becomes_the_asked_shape(tmp_path: Path, mode: str, crop: str, channels: int) -> None:
    path = saved(tmp_path / "a.png", Image.new(mode, (20, 30)))
    framing = Framing(16, channels, crop)
    assert decode(path, framing).shape == framing.shape == (channels, 16, 16)


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "ppm", "png", "tif", "webp"])
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", Image.new("RGB", (8, 8), (255, 255, 255)))
    assert decode(path, Framing(8)).float().mean() > 250


def test_centre_crop_takes_the_middle_and_none_keeps_all(tmp_path: Path) -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 200
    path = saved(tmp_path / "a.png", Image.fromarray(wide))
    assert decode(path, Framing(8)).eq(200).all()
    assert decode(path, Framing(8, crop="none"))[:, :, [0, 7]].lt(10).all()


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(np.full((8, 8), 0x8000, np.uint16)))
    assert decode(path, Framing(8, 1)).eq(0x80).all()


def test_transparent_is_white(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGBA", (8, 8), (0, 0, 0, 0)))
    assert decode(path, Framing(8)).eq(255).all()


def test_photograph_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # taken upside down
    path = saved(tmp_path / "a.png", Image.fromarray(pixels), exif=exif)
    assert decode(path, Framing(8))[:, :4].eq(0).all()


def test_large_photograph_is_decoded_as_if_whole(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)[None, :, None].repeat(1024, 0).repeat(3, 2)
    path = saved(tmp_path / "a.jpg", Image.fromarray(ramp), quality=95)
    small = decode(path, Framing(16)).float().mean((0, 1))
    assert torch.allclose(small, torch.linspace(8, 247, 16), atol=3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an image"),
        (b"hello", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "not an image"),
        (png_header(20_000, 8_000), "20000×8000 pixels are more than the limit"),
        (png_header(2**31 - 1, 2**31 - 1), "decompression bomb"),
        (png_header(8, 8), "."),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_hostile_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        decode(path, Framing(8))


def test_limit_on_pixels_is_that_of_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (8, 8)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 63)
    assert decode_all([path], Framing(8), hold=True).failures == {0: "8×8 pixels are more than the limit of 63"}
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert decode(path, Framing(8)).shape == (3, 8, 8)


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.new("F", (8, 8)))
    with pytest.raises(ValueError, match="floating-point"):
        decode(path, Framing(8))


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp"])
def test_truncated_anywhere_is_refused_or_read_but_never_breaks(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    content = saved(tmp_path / f"whole.{suffix}", Image.fromarray(noise)).read_bytes()
    paths = [tmp_path / f"{length}.{suffix}" for length in range(0, len(content), max(1, len(content) // 40))]
    for path in paths:
        path.write_bytes(content[: int(path.stem)])
    decoded = decode_all(paths, Framing(8), hold=True)
    assert 0 in decoded.failures
    assert all(reason for reason in decoded.failures.values())


def test_many_files_keep_their_order_and_failures_their_index(tmp_path: Path) -> None:
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (8, 8), (i, i, i))) for i in range(20)]
    paths[7].write_bytes(b"broken")
    paths.append(tmp_path / "missing.png")
    decoded = decode_all(paths, Framing(8), hold=True)
    assert list(decoded.failures) == [7, 20]
    assert decoded.failures[20] == "No such file or directory"
    assert decoded.pixels is not None
    assert decoded.pixels[:, 0, 0, 0].tolist() == [*range(7), 0, *range(8, 20), 0]
    assert [len(digest) for digest in decoded.digests] == [64] * 7 + [0] + [64] * 12 + [0]
    assert decode_all(paths, Framing(8), hold=False)._replace(pixels=decoded.pixels) == decoded
