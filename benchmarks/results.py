"""The measured results: collect runs into docs/results/*.jsonl, and write the tables that are made from them.

python benchmarks/results.py --ablation FOLDER --machine "two cores of an AMD EPYC, bf16"   # of ablation.py
python benchmarks/results.py --comparison comparisons/…/comparison.json                     # of ganzoo compare
python benchmarks/results.py                                                                # the tables alone
python benchmarks/results.py --check

A line of data is a run; a run that is collected again replaces its line. The pages in docs/results, the picture of the
curves and the results in registry.toml hold what the data say, between markers; nothing there is written by hand.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, median, stdev

from ablation import ROWS
from collect import DATA, EVALUATED, SCORES, Line, load, of_ablation, of_comparison, store
from markupsafe import Markup

from ganzoo.comparison import curves
from ganzoo.comparison.wording import with_spread
from ganzoo.runs.files import write_atomically
from ganzoo.zoo.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "pictures" / "infogan-error.svg"
REGISTRY = ROOT / "registry.toml"

DRAWN = ("paper", "default", "strong")
"""Recipes whose curves are drawn."""
NOT_YET = "not measured yet"
EVALUATION = "ganzoo eval, fast setting, test split"
_BLOCK = re.compile(r"(<!-- results: (.+?) -->\n).*?(<!-- end of results -->)", re.DOTALL)
_REGISTERED = re.compile(r"(# Results: [^\n]*\n).*?(# End of the results\.\n)", re.DOTALL)


def by_row(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The runs of each row."""
    rows: dict[str, list[Line]] = {}
    for line in lines:
        rows.setdefault(line.row, []).append(line)
    return rows


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], below: Iterable[str]) -> str:
    """A Markdown table with lines below it; one row that says so where nothing is measured."""
    body = list(rows) or [[NOT_YET, *[""] * (len(columns) - 1)]]
    every = [columns, ["---", *["---:"] * (len(columns) - 1)], *body]
    text = "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in every)
    return text + "".join(f"\n{said}\n" for said in below)


def made_by(lines: Sequence[Line]) -> list[str]:
    """How the runs were measured, and where they were trained."""
    said = dict.fromkeys(f"{line.protocol[0].upper()}{line.protocol[1:]}. Machine: {line.machine}." for line in lines)
    return list(said)


def code_table(split: str) -> str:
    """The rows of the ablation on a split; errors in percent."""
    lines = [line for line in load("infogan-mnist") if line.split == split]

    def row(name: str, runs: list[Line]) -> list[str]:
        kind = "many_to_one" if "20 codes" in name else "error"
        errors = [run.scores[kind] for run in runs]
        return [
            f"{name} (many-to-one)" if kind != "error" else name,
            f"{max(run.images for run in runs):,}",
            str(len(runs)),
            ", ".join(f"{100 * error:.1f}" for error in errors),
            with_spread(fmean(errors), spread(errors), "share"),
            f"{100 * median(errors):.1f} %",
            f"{100 * max(errors):.1f} %",
            f"{median(run.scores['information'] for run in runs):.3f}",
        ]

    columns = ["row", "images", "seeds", "error, each seed, %", "mean ± SD", "median", "worst", "information, nats"]
    rows = (row(name, runs) for name, runs in by_row(lines).items())
    return table(columns, rows, made_by(lines))


def evaluated_table() -> str:
    """What the recipes' critics and generators are worth beside the code: mean and standard deviation over seeds."""
    lines = [line for line in load("infogan-mnist") if EVALUATED.keys() <= line.scores.keys()]

    def row(name: str, runs: list[Line]) -> list[str]:
        values = {score: [run.scores[score] for run in runs] for score in EVALUATED}
        told = [with_spread(fmean(each), spread(each), EVALUATED[score][1]) for score, each in values.items()]
        return [name, str(len(runs)), *told]

    rows = (row(name, runs) for name, runs in by_row(lines).items())
    return table(["row", "seeds", *(name for name, _ in EVALUATED.values())], rows, ())


def zoo_table(data: str) -> str:
    """The models beside each other on a data set: mean and standard deviation over seeds."""
    lines, scores = load(f"zoo-{data}"), SCORES[data]

    def row(name: str, runs: list[Line]) -> list[str]:
        cells = []
        for score, (_, unit) in scores.items():
            values = [run.scores[score] for run in runs if score in run.scores]
            cells.append(with_spread(fmean(values), spread(values), unit) if len(values) == len(runs) else "–")
        minutes = f"{median(run.minutes for run in runs):.1f}"
        return [f"`{name}`", f"{max(run.images for run in runs):,}", str(len(runs)), *cells, minutes]

    rows = [row(name, runs) for name, runs in by_row(lines).items()]
    if lines and lines[-1].floors:
        floors = lines[-1].floors
        real = (with_spread(floors.get(score), None, unit) for score, (_, unit) in scores.items())
        rows.append(["real samples", "", "", *real, ""])
    return table(["model", "images", "seeds", *(name for name, _ in scores.values()), "minutes"], rows, made_by(lines))


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation over seeds; None with one."""
    return stdev(values) if len(values) > 1 else None


def picture_of() -> str:
    """Where the picture of error and information over images is, if there is one."""
    if not drawn():
        return f"*{NOT_YET}*\n"
    return f"![Error and information over images, a line for each seed](../pictures/{PICTURE.name})\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "InfoGAN, test split": lambda: code_table("test"),
    "InfoGAN, training split": lambda: code_table("train"),
    "InfoGAN, curves": picture_of,
    "InfoGAN, evaluated": evaluated_table,
    "zoo": lambda: zoo_table("mnist"),
    "sprites": lambda: zoo_table("sprites"),
}
"""What stands between the markers of the pages."""


def drawn() -> list[Line]:
    """The runs whose curves are drawn."""
    return [line for line in load("infogan-mnist") if line.row in DRAWN and line.split == "test"]


STYLE = """text { font: 11px "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #555; }
.title { font-size: 13px; font-weight: 600; fill: #222; }
.rule { stroke: #e3e3df; fill: none; } .reference { stroke: #62656d; stroke-dasharray: 2 4; fill: none; }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
.line-0 { stroke: #c2541b; stroke-dasharray: 1.5 4; } .line-1 { stroke: #5a4fb0; stroke-dasharray: 7 4; }
.line-2 { stroke: #0b6e75; }"""


def picture(runs: Sequence[Line]) -> str:
    """The curves of the code's error and of its information, beside each other, as an SVG file."""

    def chart(title: str, unit: str, column: int, *references: curves.Reference) -> Markup:
        lines = (
            curves.Line(run.row, tuple((point[0], point[column]) for point in run.curve), DRAWN.index(run.row))
            for run in runs
        )
        return curves.draw(curves.Chart(title, unit, tuple(lines), references))

    panels = {
        "Error of the code, test split": chart("Error of the code", "share", 1),
        "Information about the code, nats": chart(
            "Information", "nats", 2, curves.Reference(math.log(10), "H(category) = ln 10")
        ),
    }
    width, height, top = curves.WIDTH, curves.HEIGHT, 44
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * width} {height + top}" role="img">',
        f"<style>{STYLE}</style>",
        f'<rect width="{2 * width}" height="{height + top}" fill="#fff"/>',
    ]
    shown = [name for name in DRAWN if any(run.row == name for run in runs)]
    for index, name in enumerate(shown):
        x, place = curves.LEFT + 100 * index, DRAWN.index(name)
        parts.append(f'<path class="line line-{place}" d="M{x} 14h20"/><text x="{x + 26}" y="18">{name}</text>')
    for place, (title, panel) in enumerate(panels.items()):
        x = place * width
        parts.append(f'<text class="title" x="{x + curves.LEFT}" y="38">{title}</text>')
        parts.append(f'<svg x="{x}" y="{top}" width="{width}" height="{height}">{panel}</svg>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def registered() -> Iterator[str]:
    """The results in registry.toml, a table each."""
    recipes = [row for row, (_, options) in ROWS.items() if not options]
    codes = [line for line in load("infogan-mnist") if line.split == "test" and line.row in recipes]
    names = {"error": "code_error/category", "information": "information/category"}
    names |= {score: score for score in EVALUATED}
    zoos = [(load(f"zoo-{data}"), {score: score for score in scores}) for data, scores in SCORES.items()]
    for lines, metrics in ((codes, names), *zoos):
        for runs in by_row(lines).values():
            (model, _, recipe), first = runs[0].recipe.partition("@"), runs[0]
            for score, metric in metrics.items():
                values = [run.scores[score] for run in runs if score in run.scores]
                # Of the codes' runs, the first seeds alone have been evaluated beyond the code.
                if not values or (lines is not codes and len(values) < len(runs)):
                    continue
                entry = {"data": first.data, "recipe": recipe, "metric": metric, "mean": round(fmean(values), 4)}
                if len(values) > 1:
                    entry["spread"] = round(stdev(values), 4)
                protocol = EVALUATION if lines is codes and score in EVALUATED else first.protocol
                entry |= {"seeds": len(values), "protocol": f"{first.images:,} images; {protocol}"}
                said = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in entry.items())
                yield f"\n[[models.{model}.results]]\n{said}"


def written() -> dict[Path, str]:
    """Every file that is made from the data, as it ought to be."""
    files = {page: page.read_text(encoding="utf-8") for page in sorted(DATA.glob("*.md"))}
    files = {
        page: _BLOCK.sub(lambda match: match[1] + BLOCKS[match[2]]() + match[3], text) for page, text in files.items()
    }
    registry = REGISTRY.read_text(encoding="utf-8")
    files[REGISTRY] = _REGISTERED.sub(lambda match: match[1] + "".join(registered()) + match[2], registry)
    if runs := drawn():
        files[PICTURE] = picture(runs)
    return files


def stale() -> list[Path]:
    """The files that do not say what the data say."""
    return [file for file, text in written().items() if not file.exists() or file.read_text(encoding="utf-8") != text]


def main() -> None:
    """Collect what is named, and write or check what is made of it."""
    parser = argparse.ArgumentParser(description="Collect measured runs, and write the tables made from them.")
    parser.add_argument("--ablation", type=Path, action="append", default=[], metavar="FOLDER", help="of ablation.py")
    parser.add_argument("--machine", help="where these were trained, in words")
    parser.add_argument("--comparison", type=Path, action="append", default=[], metavar="FILE", help="comparison.json")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file does not fit the data")
    asked = parser.parse_args()
    if asked.check:
        sys.exit("".join(f"{file} does not fit the data: python benchmarks/results.py\n" for file in stale()) or 0)
    if asked.ablation and not asked.machine:
        parser.error("say where the runs were trained, as in --machine 'two cores of an AMD EPYC, bf16'")
    for folder in asked.ablation:
        store("infogan-mnist", of_ablation(folder, asked.machine))
    for file in asked.comparison:
        lines = of_comparison(file)
        store(f"zoo-{lines[0].data}", lines)
    for file, text in written().items():
        write_atomically(file, text)
    Catalogue.read(REGISTRY)


if __name__ == "__main__":
    main()
