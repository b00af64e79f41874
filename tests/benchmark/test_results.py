"""The measured results: data, pages, picture and registry say the same, and collecting keeps what was measured."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from ganzoo.comparison.model import Cell, Comparison, Entrant, EntrantRun, Protocol, Row
from ganzoo.evaluation.records import Record, append_records
from ganzoo.evaluation.score import Score
from ganzoo.evaluation.setting import FAST
from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord
from ganzoo.zoo.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import results

    return results


@pytest.fixture
def elsewhere(results: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files that are made from the data, with no data, in a folder of the test's own."""
    import collect

    for module in (collect, results):
        monkeypatch.setattr(module, "DATA", tmp_path)
    monkeypatch.setattr(results, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setattr(results, "PICTURE", tmp_path / "infogan-error.svg")
    for page in (ROOT / "docs" / "results").glob("*.md"):
        (tmp_path / page.name).write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
        (tmp_path / f"{page.stem}.jsonl").touch()
    (tmp_path / "registry.toml").write_text((ROOT / "registry.toml").read_text(encoding="utf-8"), encoding="utf-8")
    yield tmp_path


def run_main(results: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", ["results.py", *map(str, arguments)])
    results.main()


def ablation_of(
    folder: Path,
    row: str,
    seed: int,
    errors: list[float],
    status: str = "finished",
    evaluated: float | None = None,
) -> None:
    """A run of ``ablation.py``, as far as the results look at it."""
    model, _, recipe = {"paper": "infogan@paper", "strong": "infogan@strong"}.get(row, "infogan@default").partition("@")
    images = [20_000 * (1 + index) for index in range(len(errors))]
    schedule = {"schedule": 40_000, "half_life": 10, "tick": 20, "save_every": 20_000}
    config = RunConfig(model=model, recipe=recipe, data="mnist", images=40_000, seed=seed, **schedule)
    data = {"name": "mnist", "shape": [1, 28, 28], "size": 60_000}
    record = RunRecord(
        config=config,
        origins={},
        data=data,
        data_checksum="0" * 64,
        status=status,
        images=images[-1],  # type: ignore[arg-type]
    )
    run = RunDirectory.create(folder / f"{row}-{seed}", record)
    if evaluated is not None:
        from collect import EVALUATED

        found = [Score(name=name, value=evaluated, protocol="as usual") for name in EVALUATED]
        append_records(run, [Record.of(score, "any", images[-1], FAST, 0) for score in found])
    with (folder / "scores.jsonl").open("a", encoding="utf-8") as file:
        for count, error in zip(images, errors, strict=True):
            line = {"row": row, "seed": seed, "split": "test", "images": count, "seconds": 60.0, "error": error}
            file.write(json.dumps(line | {"many_to_one": error / 2, "information": 2.3}) + "\n")


def comparison() -> Comparison:
    """Two models, two seeds; one has no classes."""

    def entrant(label: str) -> Entrant:
        runs = tuple(EntrantRun(seed=seed, path="runs/x", origin="trained", images=1000, seconds=90) for seed in (0, 1))
        about: dict[str, Any] = {"model": label, "batch": 64, "precision": "fp32", "device": "cpu", "parameters": {}}
        return Entrant(label=label, runs=runs, **about)

    def row(name: str, floor: float | None, **values: tuple[float, ...]) -> Row:
        cells = {label: Cell(values=each, skipped="" if each else "no classes") for label, each in values.items()}
        return Row(name=name, group="fidelity", floor=floor, cells=cells)

    protocol = Protocol(
        data="mnist", data_checksum="0", images=1000, seeds=(0, 1), setting="fast", samples=100, extractor="digits"
    )
    rows = (row("agreement", 0.99, gan=(), acgan=(0.9, 0.96)), row("frechet_distance", 0.5, gan=(9, 8), acgan=(4, 4)))
    entrants = (entrant("gan"), entrant("acgan"))
    return Comparison(name="toy", machine="a toy machine", protocol=protocol, entrants=entrants, rows=rows)


def test_pages_picture_and_registry_say_what_the_data_say(results: ModuleType) -> None:
    assert results.stale() == []


def test_every_block_is_on_a_page_and_the_registry_has_its_place(results: ModuleType) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "results").glob("*.md"))
    assert sorted(results._BLOCK.findall(text), key=lambda found: found[1]) == sorted(
        ((f"<!-- results: {name} -->\n", name, "<!-- end of results -->") for name in results.BLOCKS),
        key=lambda found: found[1],
    )
    assert len(results._REGISTERED.findall((ROOT / "registry.toml").read_text(encoding="utf-8"))) == 1


def test_without_data_nothing_is_claimed(results: ModuleType, elsewhere: Path) -> None:
    files = {file.name: text for file, text in results.written().items()}
    assert files.keys() == {"infogan-mnist.md", "zoo-mnist.md", "zoo-sprites.md", "registry.toml"}
    assert files["infogan-mnist.md"].count("not measured yet") == 4
    assert "| not measured yet |" in files["zoo-mnist.md"]
    assert "results" not in tomllib.loads(files["registry.toml"])["models"]["infogan"]


def test_an_ablation_becomes_lines_tables_curves_and_results(
    results: ModuleType, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = elsewhere / "ablation"
    for seed, last in enumerate((0.02, 0.05)):
        ablation_of(folder, "strong", seed, [0.5, last], evaluated=last / 2)
    ablation_of(folder, "noise", 0, [0.4, 0.3])
    ablation_of(folder, "strong, consistency 2", 0, [0.6], status="interrupted")
    run_main(results, monkeypatch, "--ablation", folder, "--machine", "a toy machine")
    assert "left out: strong, consistency 2, seed 0, 20,000 of 40,000 images" in capsys.readouterr().out
    page = (elsewhere / "infogan-mnist.md").read_text(encoding="utf-8")
    assert "| noise | 40,000 | 1 | 30.0 | 30.0 % | 30.0 % | 30.0 % | 2.300 |" in page
    assert "| strong | 40,000 | 2 | 2.0, 5.0 | 3.5 ± 2.1 % | 3.5 % | 5.0 % | 2.300 |" in page
    assert "Machine: a toy machine." in page
    assert page.count("not measured yet") == 1, "nothing was measured on the training split"
    entries = Catalogue.read(elsewhere / "registry.toml").models["infogan"].results
    error, information, clusters, *_ = entries
    assert (clusters.metric, clusters.mean) == ("clusters_error/critic", 0.0175)
    assert "ganzoo eval" in clusters.protocol
    assert "| strong | 2 | 1.8 ± 1.1 % |" in page
    assert (error.recipe, error.metric, error.mean, error.spread) == ("strong", "code_error/category", 0.035, 0.0212)
    assert (information.metric, information.seeds, information.spread) == ("information/category", 2, 0.0)
    drawing = ElementTree.parse(elsewhere / "infogan-error.svg").getroot()
    assert sum(element.get("class") == "line line-2" for element in drawing.iter()) == 1 + 2 * 2
    assert results.stale() == []


def test_a_comparison_becomes_a_table_and_results_and_replaces_its_runs(
    results: ModuleType, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = elsewhere / "comparison.json"
    file.write_text(comparison().model_dump_json(), encoding="utf-8")
    for _ in range(2):
        run_main(results, monkeypatch, "--comparison", file)
    assert len((elsewhere / "zoo-mnist.jsonl").read_text(encoding="utf-8").splitlines()) == 4
    page = (elsewhere / "zoo-mnist.md").read_text(encoding="utf-8")
    assert "| `gan` | 1,000 | 2 | – | – | – | 8.50 ± 0.71 |" in page
    assert "| `acgan` | 1,000 | 2 | 93.0 ± 4.2 % |" in page
    assert "| real samples |  |  | 99.0 % | – | – | 0.500 |" in page
    results_of = Catalogue.read(elsewhere / "registry.toml").models["acgan"].results
    assert [(each.metric, each.mean) for each in results_of] == [("agreement", 0.93), ("frechet_distance", 4.0)]
    assert "1,000 images; fast evaluation, 100 samples, digits features" in results_of[0].protocol


def test_unequal_protocols_are_no_results(
    results: ModuleType, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unequal = comparison().protocol.model_copy(update={"differences": ("one is longer",)})
    file = elsewhere / "comparison.json"
    file.write_text(comparison().model_copy(update={"protocol": unequal}).model_dump_json(), encoding="utf-8")
    with pytest.raises(SystemExit, match="one is longer"):
        run_main(results, monkeypatch, "--comparison", file)


def test_a_number_that_was_changed_by_hand_is_found(
    results: ModuleType, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ablation_of(elsewhere / "ablation", "strong", 0, [0.5, 0.02])
    run_main(results, monkeypatch, "--ablation", elsewhere / "ablation", "--machine", "a toy machine")
    run_main(results, monkeypatch)
    for name in ("infogan-mnist.md", "registry.toml", "infogan-error.svg"):
        before = (elsewhere / name).read_text(encoding="utf-8")
        changed = {"infogan-mnist.md": ("2.0 %", "1.0 %"), "registry.toml": ("0.02\n", "0.01\n")}.get(
            name, ("#fff", "#eee")
        )
        assert changed[0] in before
        (elsewhere / name).write_text(before.replace(*changed), encoding="utf-8")
        with pytest.raises(SystemExit, match=name):
            run_main(results, monkeypatch, "--check")
        (elsewhere / name).write_text(before, encoding="utf-8")
