import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import RunError, UsageError
from ganzoo.sampling.pictures import GUTTER, LONGEST_SIDE, grid, half_blocks, save_gif, save_png, to_uint8

GREY = DataSpec(name="grey", shape=(1, 28, 28), size=1)
RGB = DataSpec(name="rgb", shape=(3, 4, 6), range=(0, 1), size=1)
POINTS = DataSpec(name="points", shape=(2,), range=(-4, 4), size=1, drawn_as="points")


def heat(*shape: int) -> DataSpec:
    return DataSpec(name="heat", shape=shape, size=1, drawn_as="heatmap")


def cell(image: Image.Image, row: int, column: int, step: tuple[int, int], left: int = 0, top: int = 0) -> np.ndarray:
    x, y = left + column * step[0] + GUTTER, top + row * step[1] + GUTTER
    return np.asarray(image)[y : y + step[1] - GUTTER, x : x + step[0] - GUTTER]


def test_the_range_is_mapped_to_the_levels_and_clipped():
    values = torch.tensor([-9.0, -1.0, 0.0, 1.0, 9.0]).reshape(1, 5)
    assert to_uint8(values, heat(5))[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]
    half = DataSpec(name="heat", shape=(5,), range=(0, 2), size=1, drawn_as="heatmap")
    assert to_uint8(values, half)[0, 0, :, 0].tolist() == [0, 0, 0, 128, 255]


def test_images_keep_their_channels():
    samples = torch.rand(2, 3, 4, 6)
    pixels = to_uint8(samples, RGB)
    assert pixels.shape == (2, 4, 6, 3) and pixels.dtype == torch.uint8 and pixels.is_contiguous()
    assert torch.equal(pixels, (samples * 255).round().to(torch.uint8).permute(0, 2, 3, 1))
    grey = to_uint8(torch.rand(2, 1, 28, 28), GREY)
    assert torch.equal(grey[..., 0], grey[..., 1]) and torch.equal(grey[..., 0], grey[..., 2])


@pytest.mark.parametrize(
    ("shape", "sides"), [((5, 7), (5, 7)), ((3, 4, 5), (3, 20)), ((12,), (3, 4)), ((64,), (8, 8)), ((7,), (1, 7))]
)
def test_heat_maps_are_flat_whatever_the_rank(shape, sides):
    assert to_uint8(torch.zeros(2, *shape), heat(*shape)).shape == (2, *sides, 3)


def test_samples_of_other_data_are_refused():
    with pytest.raises(UsageError, match=r"shape \(1, 28, 28\), not \(1, 14, 14\)"):
        to_uint8(torch.zeros(1, 1, 14, 14), GREY)


def test_samples_that_need_a_gradient_can_be_drawn():
    assert to_uint8(torch.zeros(1, 3, 4, 6, requires_grad=True, dtype=torch.bfloat16), RGB).max() == 0


def test_a_grid_of_digits_is_about_650_pixels_wide():
    image = grid(torch.zeros(100, 1, 28, 28), GREY, 10, [str(k) for k in range(10)], ["0.5"] * 10)
    assert 580 <= image.width <= 700 and 580 <= image.height <= 700


def test_small_samples_are_enlarged_by_a_whole_factor():
    samples = torch.rand(6, 3, 4, 6)
    image = grid(samples, RGB, columns=3)
    factor = LONGEST_SIDE // 18
    step = (6 * factor + GUTTER, 4 * factor + GUTTER)
    assert image.mode == "RGB" and image.size == (3 * step[0] + GUTTER, 2 * step[1] + GUTTER)
    tiles = to_uint8(samples, RGB).numpy()
    for index in range(6):
        shown = cell(image, index // 3, index % 3, step)
        assert (shown == tiles[index].repeat(factor, 0).repeat(factor, 1)).all()
    assert (np.asarray(image)[:GUTTER] == 255).all()
    assert (np.asarray(image)[:, step[0] : step[0] + GUTTER] == 255).all()


def test_big_samples_keep_their_size():
    data = DataSpec(name="big", shape=(3, 400, 400), size=1)
    assert grid(torch.zeros(4, 3, 400, 400), data).size == (2 * 402 + GUTTER,) * 2


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (9, 3, 3), (10, 4, 3)])
def test_a_grid_is_square_by_default_and_empty_places_are_white(count, columns, rows):
    image = grid(torch.full((count, 1, 28, 28), -1.0), GREY)
    step = (image.width - GUTTER) // columns
    assert image.size == (columns * step + GUTTER, rows * step + GUTTER)
    for index in range(columns * rows):
        shown = cell(image, index // columns, index % columns, (step, step))
        assert (shown == (0 if index < count else 255)).all()


def test_labels_stand_in_margins_and_leave_the_samples_alone():
    samples = torch.full((4, 1, 28, 28), -1.0)
    bare = grid(samples, GREY, 2)
    image = grid(samples, GREY, 2, ["ant", "bee"], ["x", "y"])
    left, top = image.width - bare.width, image.height - bare.height
    assert left > 10 and top > 10
    assert (np.asarray(image)[top:, left:] == np.asarray(bare)).all()
    assert np.asarray(image)[top:, :left].min() < 128
    assert np.asarray(image)[:top, left:].min() < 128


def test_column_labels_wider_than_the_samples_are_left_out():
    samples = torch.zeros(25, 1, 28, 28)
    assert grid(samples, GREY, 25, None, ["wide label"] * 25).size == grid(samples, GREY, 25).size


@settings(max_examples=20)
@given(st.lists(st.text(), min_size=2, max_size=2))
def test_labels_may_be_any_text(labels):
    image = grid(torch.zeros(4, 1, 28, 28), GREY, 2, labels, labels)
    assert image.width < 1000


def test_points_are_dots_of_one_picture():
    samples = torch.tensor([[-2.0, 3.0], [2.0, -3.0]])
    image = grid(samples, POINTS)
    assert image.size == (LONGEST_SIDE, LONGEST_SIDE)
    dark = np.argwhere(np.asarray(image).max(2) < 128)
    last = LONGEST_SIDE - 1
    for x, y in samples.tolist():
        place = np.array([(4 - y) / 8 * last, (x + 4) / 8 * last])
        assert np.abs(dark - place).sum(1).min() <= 2
    assert len(dark) < 60


def test_points_have_a_colour_a_labelled_row():
    samples = torch.tensor([[-2.0, 0.0], [-2.0, 1.0], [2.0, 0.0], [2.0, 1.0]])
    pixels = np.asarray(grid(samples, POINTS, 2, ["a", "b"]))
    middle = LONGEST_SIDE // 2
    red, green, blue = (int(pixels[middle - 1, LONGEST_SIDE // 4, channel]) for channel in range(3))
    assert red > max(green, blue) + 100
    assert pixels[middle - 1, 3 * LONGEST_SIDE // 4, 0] < 128


def test_single_points_and_sequences_of_points():
    pictures = to_uint8(torch.tensor([[-4.0, 4.0], [0.0, 0.0]]), POINTS)
    assert pictures.shape == (2, 64, 64, 3)
    assert pictures[0, 0, 0, 0] < 128 and pictures[1, 32, 32, 0] < 128
    path = DataSpec(name="path", shape=(5, 2), size=1, drawn_as="points")
    assert grid(torch.zeros(3, 5, 2), path).size == (LONGEST_SIDE, LONGEST_SIDE)
    triples = DataSpec(name="triples", shape=(3,), size=1, drawn_as="points")
    with pytest.raises(UsageError, match="triples cannot be drawn as points"):
        grid(torch.zeros(1, 3), triples)


def test_a_png_is_the_picture(tmp_path):
    image = grid(torch.rand(4, 3, 4, 6), RGB)
    file = tmp_path / "new" / "folder" / "grid.png"
    save_png(image, file)
    with Image.open(file) as saved:
        assert saved.format == "PNG" and saved.size == image.size
        assert (np.asarray(saved) == np.asarray(image)).all()
    assert [path.name for path in file.parent.iterdir()] == ["grid.png"]


def test_a_gif_has_the_frames(tmp_path):
    frames = [grid(torch.full((4, 1, 28, 28), level), GREY) for level in (-1.0, 0.0, 0.5, 1.0)]
    save_gif(frames, tmp_path / "film.gif", seconds=0.2)
    with Image.open(tmp_path / "film.gif") as saved:
        assert saved.n_frames == 4 and saved.size == frames[0].size and saved.info["loop"] == 0
        for index, level in enumerate((0, 128, 191, 255)):
            saved.seek(index)
            assert saved.info["duration"] == 200
            assert np.asarray(saved.convert("RGB"))[20, 20].tolist() == [level] * 3


def test_a_gif_of_colours_has_the_frames(tmp_path):
    save_gif([grid(torch.rand(4, 3, 4, 6), RGB) for _ in range(3)], tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as saved:
        assert saved.n_frames == 3


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "grid.png"
    file.write_bytes(b"old")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(RunError, match=r"grid\.png \(no space left on device\): free some space") as caught:
        save_png(Image.new("RGB", (2, 2)), file)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_in_the_way_is_named(tmp_path):
    with pytest.raises(RunError, match="could not write"):
        save_png(Image.new("RGB", (2, 2)), tmp_path)


def test_half_blocks_show_two_pixels_a_character():
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    image.paste((0, 0, 255), (0, 2, 4, 4))
    assert half_blocks(image, 2) == [[("▀", "#ff0000", "#0000ff")] * 2]
    assert half_blocks(image, 99) == [[("▀", "#ff0000", "#ff0000")] * 4, [("▀", "#0000ff", "#0000ff")] * 4]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(-2, 50))
def test_half_blocks_keep_the_proportions(width, height, columns):
    lines = half_blocks(Image.new("L", (width, height)), columns)
    across = max(1, min(columns, width))
    assert {len(line) for line in lines} == {across}
    assert abs(len(lines) - across * height / width / 2) <= 1
