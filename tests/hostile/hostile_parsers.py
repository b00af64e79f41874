"""Everything in ganzoo that reads bytes of strangers, as functions that take such bytes; and good bytes to spoil."""

import io
import json
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save

from ganzoo.cli.plugins_check import entry_points
from ganzoo.core.data import DataSpec
from ganzoo.core.errors import RunError
from ganzoo.core.latent import LatentSpec
from ganzoo.data.decoding import Framing
from ganzoo.data.dsprites import DSprites
from ganzoo.data.file_split import FileSplit
from ganzoo.data.idx import parse_idx
from ganzoo.evaluation.records import Record, read_records
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.setting import FAST
from ganzoo.runs.checkpoint import Checkpoint
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.names import CategoryNames, Names, read_names
from ganzoo.runs.record import RunRecord
from ganzoo.runs.settings import option_layer, read_toml
from ganzoo.training.statistics import names_of_terms
from ganzoo.zoo.catalogue import Catalogue

__all__ = ["GOOD", "PARSERS", "FewSprites", "checkpoint_of", "good_checkpoint", "good_npz", "good_picture", "record"]

CONFIG = RunConfig(
    model="infogan",
    data="mnist",
    images=1000,
    schedule=1000,
    half_life=100,
    tick=100,
    save_every=100,
    options={"latent": "z: normal(62), category: categorical(10) code, style: uniform(2) code"},
)
SPEC = DataSpec(name="mnist", shape=(1, 28, 28), size=60_000)
SIZES = (2, 1, 3, 1, 1)
TENSORS = {"generator.weight": torch.zeros(3, 4), "generator.count": torch.tensor(3), "critic.bias": torch.ones(2)}


class FewSprites(DSprites):
    """DSprites of six pictures."""

    classes: ClassVar = {
        name: names[:size] for (name, names), size in zip(DSprites.classes.items(), SIZES, strict=True)
    }
    turn: ClassVar[int] = 2


def record() -> RunRecord:
    """A record as `ganzoo train` writes it."""
    return RunRecord(
        config=CONFIG, origins={"images": "--images"}, data=SPEC.model_dump(mode="json"), data_checksum="0" * 64
    )


RECORD = record()


def good_npz(**changed: np.ndarray) -> bytes:
    """A file of sprites that is read."""
    grid = np.stack(np.unravel_index(np.arange(6), SIZES), axis=1)
    arrays = {"imgs": np.zeros((6, 64, 64), np.uint8), "latents_classes": np.pad(grid, ((0, 0), (1, 0)))}
    file = io.BytesIO()
    np.savez_compressed(file, **(arrays | changed))
    return file.getvalue()


def good_checkpoint() -> bytes:
    """A file of tensors that is read."""
    return save(TENSORS)


def good_picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (9, 7)) -> bytes:
    """A picture that is read."""
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


def manifest_of(content: bytes) -> dict[str, object]:
    """A manifest that vouches for a file, whatever it holds."""
    entry = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
    return {"images": 5, "files": {"networks.safetensors": entry}, "meta": {"statistics": {"critic": ["critic/a"]}}}


def checkpoint_of(content: bytes, folder: Path) -> Checkpoint:
    """Puts a checkpoint of one file into a folder, and opens it."""
    path = folder / "000000005"
    path.mkdir(exist_ok=True)
    (path / "networks.safetensors").write_bytes(content)
    (path / "manifest.json").write_text(json.dumps(manifest_of(content)))
    return Checkpoint.open(path)


def _put(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)


def _idx(content: bytes | None, folder: Path) -> None:
    parse_idx(content or b"", shape=(None, 3, 2), where="an IDX file")


def _npz(content: bytes | None, folder: Path) -> None:
    _put(folder / "sprites.npz", content)
    FewSprites(file=str(folder / "sprites.npz")).content()


def _checkpoint(content: bytes | None, folder: Path) -> None:
    checkpoint = Checkpoint.open(folder / "000000005") if content is None else checkpoint_of(content, folder)
    checkpoint.verify()
    checkpoint.expect("networks", TENSORS)
    checkpoint.tensors("networks")


def _manifest(content: bytes | None, folder: Path) -> None:
    path = folder / "000000005"
    if not path.exists():
        checkpoint_of(good_checkpoint(), folder)
    _put(path / "manifest.json", content)
    checkpoint = Checkpoint.open(path)
    checkpoint.verify()
    names_of_terms(checkpoint)


def _run(content: bytes | None, folder: Path) -> None:
    _put(folder / "run.json", content)
    run = RunDirectory.open(folder)
    assert RunRecord.read(folder / "run.json") == run.record
    run.record.text()
    if "\x1b" in repr(run.record).replace("\\x1b", ""):
        raise AssertionError("a character that steers the terminal is left")


def _stats(content: bytes | None, folder: Path) -> None:
    _put(folder / "stats.jsonl", content)
    RunDirectory(folder, RECORD).stats()


def _metrics(content: bytes | None, folder: Path) -> None:
    _put(folder / "metrics.jsonl", content)
    for each in read_records(RunDirectory(folder, RECORD)):
        each.model_dump_json()


def _names(content: bytes | None, folder: Path) -> None:
    _put(folder / "names.json", content)
    names = read_names(RunDirectory(folder, RECORD))
    names.applied(LatentSpec.parse(CONFIG.options["latent"]))


def _registry(content: bytes | None, folder: Path) -> None:
    _put(folder / "registry.toml", content)
    Catalogue.read(folder / "registry.toml")


def _settings(content: bytes | None, folder: Path) -> None:
    _put(folder / "ganzoo.toml", content)
    read_toml(folder / "ganzoo.toml", "infogan")


def _package(content: bytes | None, folder: Path) -> None:
    _put(folder / "pyproject.toml", content)
    entry_points(folder)


def _latent(content: bytes | None, folder: Path) -> None:
    latent = LatentSpec.parse((content or b"").decode(errors="replace"))
    assert LatentSpec.parse(str(latent)) == latent


def _option(content: bytes | None, folder: Path) -> None:
    option_layer([(content or b"").decode(errors="replace")])


def _image(content: bytes | None, folder: Path) -> None:
    _put(folder / "picture", content)
    split = FileSplit(folder, ["picture"], Framing(8), {}, "", 0)
    with warnings.catch_warnings(action="ignore"):
        if split[0].shape != (3, 8, 8):
            raise RunError("no picture")


PARSERS: dict[str, Callable[[bytes | None, Path], None]] = {
    "checkpoint": _checkpoint,
    "idx": _idx,
    "image": _image,
    "latent": _latent,
    "manifest": _manifest,
    "metrics": _metrics,
    "names": _names,
    "npz": _npz,
    "option": _option,
    "package": _package,
    "registry": _registry,
    "run": _run,
    "settings": _settings,
    "stats": _stats,
}
"""By name, what reads bytes that a stranger may have made, or the file of such bytes that lies in the folder already:
it either likes them or raises an error of ganzoo's."""

SCORE = Record.of(Score(name="fid", value=1.5, protocol="test"), "fid", 5, FAST, 0)
NAMED = Names(variables={"category": CategoryNames(names=tuple("abcdefghij"), classes=(None,) * 10)})
GOOD: dict[str, list[bytes]] = {
    "checkpoint": [good_checkpoint()],
    "idx": [b"\0\0\x08\x03" + b"".join(side.to_bytes(4) for side in (2, 3, 2)) + bytes(12)],
    "image": [good_picture(kind) for kind in ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")],
    "latent": [CONFIG.options["latent"].encode(), b'c: categorical(2, names=["a", "b"], probs=[0.9, 0.1]) weight=2'],
    "manifest": [json.dumps(manifest_of(good_checkpoint())).encode()],
    "metrics": [SCORE.model_dump_json().encode() + b"\n"],
    "names": [NAMED.model_dump_json().encode()],
    "npz": [good_npz()],
    "option": [b"noise=64", b"categories=[10, 10]"],
    "package": [b'[project.entry-points.ganzoo]\nwonder = "wonder"\n'],
    "registry": [b'[models.a]\nplugin = "a"\nsummary = "A."\n[models.a.recipes.any.default]\nimages = 1\nbatch = 1\n'],
    "run": [record().text().encode()],
    "settings": [b'[train]\nimages = "20k"\n[models.infogan]\ncategories = [10]\n'],
    "stats": [b'{"images": 100, "critic/loss": 0.5}\n{"images": 200, "critic/loss": NaN}\n'],
}
"""By name, bytes that its parser likes."""
