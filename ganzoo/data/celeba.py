"""CelebA, downloaded and read by torchvision, cropped and sized here."""

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec, LabelSpec, Split
from ganzoo.core.errors import unknown
from ganzoo.core.invariance import Flip
from ganzoo.data.archives import Archive, is_whole
from ganzoo.data.decoding import Framing
from ganzoo.data.downloads import Download, Part
from ganzoo.data.file_split import FileSplit
from ganzoo.data.labels import LABEL, keep_labels, label_spec
from ganzoo.data.splits import combined_checksum

__all__ = ["ATTRIBUTES", "CelebA"]

ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips",
    "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin",
    "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open",
    "Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline",
    "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat",
    "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip
"""The attributes that faces are labelled with, in the order of the file."""

_LISTS = (
    "list_attr_celeba.txt",
    "identity_CelebA.txt",
    "list_bbox_celeba.txt",
    "list_landmarks_align_celeba.txt",
    "list_eval_partition.txt",
)


class CelebA(Download):
    """Faces of celebrities, aligned, 162,770 to train and 19,962 to test (Liu et al. 2015, arXiv 1411.7766).

    The 178×218 photographs are made into squares. They have no label unless one attribute is chosen as such.
    """

    name: ClassVar[str] = "celeba"
    summary: ClassVar[str] = "faces, colour, of any size, 40 attributes"
    counts: ClassVar[dict[str, tuple[int, ...]]] = {"train": (162770,), "test": (19962,)}
    files: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("train", "test"), tuple(f"celeba/{name}" for name in (*_LISTS, "img_align_celeba"))
    )

    archives: ClassVar[Mapping[str, Archive]] = {
        f"celeba/{name}": Archive(f"https://drive.google.com/uc?id={key}", size, digest)
        for name, key, size, digest in (
            (
                "img_align_celeba.zip",
                "0B7EVK8r0v71pZjFTYXZWM3FlRnM",
                1443490838,
                "46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
            ),
            (
                "list_attr_celeba.txt",
                "0B7EVK8r0v71pblRyaVFSWGxPY0U",
                26721026,
                "f0e5da289d5ccf75ffe8811132694922b60f2af59256ed362afa03fefba324d0",
            ),
            (
                "identity_CelebA.txt",
                "1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS",
                None,
                "c6143857c3e2630ac2da9f782e9c1232e5e59be993a9d44e8a7916c78a6158c0",
            ),
            (
                "list_bbox_celeba.txt",
                "0B7EVK8r0v71pbThiMVRxWXZ4dU0",
                None,
                "7487a82e57c4bb956c5445ae2df4a91ffa717e903c5fa22874ede0820c8ec41b",
            ),
            (
                "list_landmarks_align_celeba.txt",
                "0B7EVK8r0v71pd0FJY3Blby1HUTQ",
                12156055,
                "6c02a87569907f6db2ba99019085697596730e8129f67a3d61659f198c48d43b",
            ),
            (
                "list_eval_partition.txt",
                "0B7EVK8r0v71pY0NSMzRuSXJEVkk",
                2836386,
                "fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7",
            ),
        )
    }

    class Options(Download.Options):
        """What a user may choose about CelebA."""

        size: int = Field(64, ge=4, le=1024, description="height and width in pixels")
        crop: Literal["centre", "none"] = Field(
            "centre", description="centre cuts out the largest square, none squeezes the whole image into one"
        )
        attribute: str | None = Field(None, description="the attribute that is the label, such as Smiling")
        memory: int = Field(2**31, ge=0, description="bytes of images to hold in memory; more are streamed")

        @model_validator(mode="after")
        def _labelled(self) -> Self:
            if self.labels is not None and self.attribute is None:
                raise ValueError("labels are those of an attribute; choose one, such as attribute=Smiling")
            return self

    options: Options

    def __init__(self, options: Dataset.Options | None = None, /, **values: Any) -> None:
        super().__init__(options, **values)
        if self.options.attribute is not None and self.options.attribute not in ATTRIBUTES:
            raise unknown("attribute of data set celeba", self.options.attribute, ATTRIBUTES)
        self._sources: dict[Part, Any] = {}

    @property
    def spec(self) -> DataSpec:
        """The specification; with an attribute as the label, its frequencies are read, and so downloaded.

        Raises:
            UsageError: the option ``labels`` is impossible.
            RunError: the attributes cannot be had.
        """
        framing = Framing(self.options.size, crop=self.options.crop)
        size = sum(self.counts["train"])
        return DataSpec(name=self.name, shape=framing.shape, size=size, labels=self._label_specs, invariances=(Flip(),))

    def opened(self, datasets: Any, part: Part, *, download: bool) -> Any:
        """Torchvision's CelebA."""
        return datasets.CelebA(self.root, split=part, target_type="attr", download=download)

    def fetch_archive(self, path: Path, archive: Archive) -> None:
        """Fetches one file by way of gdown, since Google's drive asks about large ones.

        Raises:
            OSError: it cannot be stored.
            RuntimeError: gdown is not there, or the drive refuses.
            ValueError: it is something else than was published.
        """
        celeba: Any = import_module("torchvision.datasets.celeba")
        temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")
        try:
            celeba.download_file_from_google_drive(archive.url.partition("id=")[2], path.parent, temporary.name)
            if not is_whole(temporary, archive):
                raise ValueError(f"{archive.url} sends something else than was published (its SHA-256 differs)")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, part: Part) -> Split:
        """Downloads the set if it is not there, and reads the lists of one part; no image is opened yet.

        Raises:
            UsageError: the option ``labels`` is impossible.
            RunError: it cannot be downloaded, or its files are damaged.
        """
        source = self._source(part)
        labels = {}
        keep = self.options.labels if part == "train" else None
        if self.options.attribute is not None:
            has = self._attribute(part)
            labels[LABEL] = keep_labels(has, _counts(has), keep, self.name)
        names = list(source.filename)
        return FileSplit(
            self.root / "celeba" / "img_align_celeba",
            names,
            Framing(self.options.size, crop=self.options.crop),
            labels,
            # The lists have been compared with their published MD5, the images when they were downloaded.
            combined_checksum(*names, f"attribute={self.options.attribute} labels={keep}"),
            self.options.memory,
        )

    @cached_property
    def _label_specs(self) -> dict[str, LabelSpec]:
        attribute = self.options.attribute
        if attribute is None:
            return {}
        counts = _counts(self._attribute("train"))
        return label_spec((f"not {attribute}", attribute), counts, self.options.labels)

    def _source(self, part: Part) -> Any:
        if part not in self._sources:
            source = self.fetch(part)
            if len(source) != sum(self.counts[part]):
                raise self.damaged(part, f"{len(source)} images")
            self._sources[part] = source
        return self._sources[part]

    def _attribute(self, part: Part) -> Tensor:
        """Whether each image has the attribute, (M,) int64."""
        source = self._source(part)
        column: Tensor = source.attr[:, source.attr_names.index(self.options.attribute)]
        return column.long()


def _counts(has: Tensor) -> list[int]:
    counts: list[int] = torch.bincount(has, minlength=2).tolist()
    return counts
