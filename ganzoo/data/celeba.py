"""CelebA, downloaded and read by torchvision, cropped and sized here."""

from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec, LabelSpec, Split
from ganzoo.core.errors import unknown
from ganzoo.core.invariance import Flip
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
