import math
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ganzoo.comparison import explorer as rooms
from ganzoo.comparison.explorer import Explorer, explore, render
from ganzoo.comparison.figures import LARGEST_SIDE, picture, tiles
from ganzoo.comparison.layout import DIE, lay_out
from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical
from ganzoo.sampling.sampler import Sampler

LATENT = LatentSpec.parse("z: normal(3), category: categorical(4) code, style: uniform(2) code")


class Patterns(nn.Module):
    """Samples that differ wherever latents do."""

    def __init__(self, latent: LatentSpec, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = torch.randn(latent.width, math.prod(shape), generator=torch.Generator().manual_seed(0))
        self.shape = shape

    def forward(self, latents: Tensor) -> Tensor:
        return (latents @ self.weight).tanh().view(len(latents), *self.shape)


def sampler(shape: tuple[int, ...] = (1, 7, 9), latent: LatentSpec = LATENT, **data) -> Sampler:
    return Sampler.of(Patterns(latent, shape), latent, DataSpec(name="patterns", shape=shape, size=10, **data))


def decoded(uri: str) -> np.ndarray:
    head, _, content = uri.partition(",")
    assert head in ("data:image/png;base64", "data:image/webp;base64")
    return np.asarray(Image.open(BytesIO(b64decode(content))).convert("RGB"))


def sprite(found: Explorer, index: int) -> np.ndarray:
    """Sprite ``index``, cut out as the page's script does."""
    data = found.data
    sheet, place = divmod(index, data["perSheet"])
    row, column = divmod(place, data["columns"])
    top, left = row * data["height"], column * data["width"]
    return decoded(data["sheets"][sheet])[top : top + data["height"], left : left + data["width"]]


@pytest.mark.parametrize("sheet_pixels", [400_000, 1_000, 1])
def test_each_sprite_is_where_the_script_looks_for_it(monkeypatch, sheet_pixels):
    monkeypatch.setattr(rooms, "SHEET_PIXELS", sheet_pixels)
    drawn = sampler()
    layout = lay_out(drawn.latent, drawn.data, 60)
    found = render(drawn, layout, "run")
    cells = tiles(drawn.generate(layout.latents()), drawn.data).numpy()
    assert len(found) == len(cells) == 4 * 3 * 3
    for index in range(0, len(cells), 7):
        assert np.array_equal(sprite(found, index), cells[index])


def test_coloured_sprites_are_nearly_the_samples():
    drawn = sampler((3, 32, 32))
    # Smooth pictures, as generators make, not noise.
    drawn.generator = nn.Sequential(Patterns(LATENT, (3, 4, 4)), nn.Upsample((32, 32), mode="bilinear"))
    layout = lay_out(drawn.latent, drawn.data, 60)
    found = render(drawn, layout, "run")
    cells = tiles(drawn.generate(layout.latents()), drawn.data).numpy()
    for index in range(0, len(cells), 11):
        assert np.abs(sprite(found, index).astype(int) - cells[index]).mean() < 8


def test_the_data_are_those_of_the_layout():
    drawn = sampler()
    found = explore(drawn, "00007-it")
    keys = [axis["key"] for axis in found.data["axes"]]
    assert keys == ["category", "style.0", "style.1", DIE]
    assert [axis["die"] for axis in found.data["axes"]] == [False, False, False, True]
    assert found.data["command"] == [{"name": "category", "parts": [0]}, {"name": "style", "parts": [1, 2]}]
    assert found.size == (9, 7)


def test_classes_have_their_names_and_order_on_the_buttons():
    latent = LatentSpec(category=Categorical(3, "code", names=("two", "zero", "one")))
    drawn = sampler(latent=latent)
    drawn.order = {"category": (1, 2, 0)}
    found = explore(drawn, "run")
    assert found.data["axes"][0]["labels"] == ("zero", "one", "two")
    for place, name in enumerate(("zero", "one", "two")):
        (expected,) = tiles(drawn.sample(1, given={"category": name}), drawn.data).numpy()
        assert np.array_equal(sprite(found, place), expected)


def test_what_does_not_compress_gets_fewer_sprites():
    drawn = sampler((1, 28, 28))
    found, among_many = explore(drawn, "run"), explore(drawn, "run", explorers=10)
    assert len(found) > 4 * len(among_many)
    for made, bound in ((found, rooms.BYTES), (among_many, rooms.BYTES // 10)):
        assert sum(map(len, made.data["sheets"])) <= bound


def test_a_latent_space_of_noise_alone_has_a_die_and_a_constant_one_a_picture():
    assert [axis.kind for axis in explore(sampler(latent=LATENT.noise), "run").layout.axes] == ["die"]
    nothing = explore(sampler(latent=LatentSpec()), "run")
    assert len(nothing) == 1
    assert nothing.data["axes"] == []
    assert nothing.still.width == 9


def test_without_a_script_the_first_control_is_shown():
    found = explore(sampler(), "run")
    layout = found.layout
    still = decoded(found.still.uri)
    assert found.still.alt == "4 values of category"
    for index in range(4):
        expected = sprite(found, layout.index({"category": index}))
        assert np.array_equal(still[:, 9 * index : 9 * (index + 1)], expected)


@pytest.mark.parametrize(("shape", "size"), [((1, 128, 64), (64, 32)), ((3, 65, 300), (14, 64)), ((1, 8, 8), (8, 8))])
def test_large_samples_are_shrunk(shape, size):
    data = DataSpec(name="large", shape=shape, size=1)
    cells = tiles(torch.full((2, *shape), 0.5), data)
    assert cells.shape == (2, *size, 3)
    assert max(cells.shape[1:3]) <= LARGEST_SIDE
    assert (cells == 191).all()


def test_samples_that_are_no_images_have_an_explorer_too():
    drawn = sampler((2,), drawn_as="points")
    found = explore(drawn, "run")
    assert found.size == (64, 64)
    dots = sprite(found, 0) != sprite(found, len(found) - 1)
    assert dots.any()


def test_grey_pictures_are_exact_and_transparency_stays():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    rgba = np.dstack([pixels, pixels, pixels, np.where(pixels > 9, 255, 0).astype(np.uint8)])
    content = b64decode(picture(Image.fromarray(rgba)).uri.partition(",")[2])
    stored = Image.open(BytesIO(content))
    assert stored.mode == "LA"
    assert np.array_equal(np.asarray(stored)[..., 1] > 0, pixels > 9)
    assert np.array_equal(np.asarray(stored)[..., 0][pixels > 9], pixels[pixels > 9])
