from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WriteImage = Callable[..., Path]


@pytest.fixture
def write_image(tmp_path: Path) -> WriteImage:
    """Writes a picture of one colour, or of given pixels, at a path below tmp_path."""

    def write(name: str, colour: int = 0, pixels: np.ndarray | None = None, size: tuple[int, int] = (8, 8)) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            pixels = np.full((size[1], size[0], 3), colour, np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return write
