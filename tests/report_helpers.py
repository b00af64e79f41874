"""Pages to look into: their parts, and a comparison of two runs."""

import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ganzoo import api
from ganzoo.api import Run
from ganzoo.comparison.model import Cell, Comparison, Entrant, EntrantRun, Protocol, Row
from ganzoo.comparison.report import write_run_report
from ganzoo.core.data import Dataset
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo

__all__ = ["Parts", "comparison", "page_of", "parts"]


class Parts(HTMLParser):
    """The elements of a page.

    Attributes:
        elements: tag and attributes of each, in order.
        texts: what stands between the tags, joined by tag.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "br", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open:
            self.texts.setdefault(self._open[-1], []).append(data.strip())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of the elements with this tag and these attributes."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]

    @property
    def explorers(self) -> list[dict[str, Any]]:
        """The data of the explorers."""
        return [json.loads(text) for text in self.texts["script"] if text.startswith("{")]


def parts(path: Path) -> Parts:
    """The elements of a file, all of which are closed in order."""
    return Parts(path.read_text(encoding="utf-8"))


def page_of(model: str, dataset: type[Dataset], folder: Path, **options: Any) -> Path:
    """The page of a tiny run of this model on a data set of the test's own."""
    zoo = Zoo()
    zoo.register(SimpleNamespace(hook=hookimpl(lambda: [dataset], specname="ganzoo_register_datasets")), "own")
    flags = {"images": 32, "batch": 16, "device": "cpu", "precision": "fp32"}
    options = {"width": 0.125, **options}
    run = api.start(api.configure(model, data=dataset.name, flags=flags, options=options, zoo=zoo), out=folder / "runs")
    return write_run_report(run.directory, zoo, folder / "page.html")


def comparison(**runs: Run) -> Comparison:
    """What a comparison of these runs might have found."""
    labels = list(runs)
    first = next(iter(runs.values()))
    cells = {label: Cell(mean=0.1 * (place + 1), spread=0.01, values=(0.1,)) for place, label in enumerate(labels)}
    cells[labels[0]] = cells[labels[0]].model_copy(update={"best": True})
    skipped = {label: Cell(skipped=f"{label} takes no class") for label in labels}
    return Comparison(
        name="00001-a-b-toys",
        command="ganzoo compare a b",
        versions={"ganzoo": "0.1.0"},
        protocol=Protocol(
            data="toys", data_checksum=first.record.data_checksum, images=64, seeds=(0, 1), setting="fast", samples=500
        ),
        entrants=tuple(
            Entrant(
                label=label,
                model=run.config.model,
                batch=16,
                precision="fp32",
                device="cpu",
                parameters={"generator": 1234, "generator.trunk": 1000, "critic": 5},
                runs=tuple(
                    EntrantRun(seed=seed, path=str(run.path), origin="trained", images=64, seconds=75.0)
                    for seed in (0, 1)
                ),
            )
            for label, run in runs.items()
        ),
        rows=(
            Row(name="code_error/category", group="codes", unit="share", better="lower", floor=0.02, cells=cells),
            Row(name="agreement", group="conditioning", unit="share", better="higher", cells=skipped),
        ),
    )
