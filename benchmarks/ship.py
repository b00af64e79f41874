"""Make a trained run part of ganzoo: export it into the package, and write its SHA-256 and size into registry.toml.

ganzoo name RUN --labels 100 && ganzoo eval RUN       # what the model card is to say
python benchmarks/ship.py RUN infogan-mnist
"""

import argparse
import re
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import TemporaryDirectory

from ganzoo.comparison.export import export
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import write_atomically
from ganzoo.runs.pretrained import FOLDER
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.manager import default_zoo

REGISTRY = Path(__file__).parents[1] / "registry.toml"
MOST = 4_000_000
"""Bytes of the weights: they are in every copy of the repository and of the package."""


def entry(name: str, sha256: str, size: int, summary: str) -> str:
    """The registry's table of a weight file."""
    return f'[weights.{name}]\nsha256 = "{sha256}"\nbytes = {size}\nsummary = "{summary}"\n'


def registered(text: str, name: str, table: str) -> str:
    """The registry with a weight file's table put in place of the one it has, or behind the others."""
    old = re.compile(rf"^\[weights\.{re.escape(name)}\]\n(?:\w+ = .*\n)+", re.MULTILINE)
    if old.search(text):
        return old.sub(lambda _: table, text)
    last = list(re.finditer(r"^\[weights\..+\]\n(?:\w+ = .*\n)+", text, re.MULTILINE))[-1]
    return f"{text[: last.end()]}\n{table}{text[last.end() :]}"


def main() -> None:
    """Export, and register."""
    parser = argparse.ArgumentParser(description="Make a trained run part of ganzoo.")
    parser.add_argument("run", help="directory, number or name of the run")
    parser.add_argument("name", help="what users type, such as infogan-mnist")
    asked = parser.parse_args()
    run = RunDirectory.open(asked.run)
    target = FOLDER / asked.name
    with TemporaryDirectory() as folder:
        new = Path(folder, asked.name)
        (file,) = export(run, new, default_zoo()).manifest.files.values()
        if file.bytes > MOST:
            raise SystemExit(f"the weights have {file.bytes:,} bytes, over {MOST:,}; train a narrower generator")
        rmtree(target, ignore_errors=True)
        copytree(new, target)
    config = run.record.config
    summary = (
        f"The generator of {config.model}@{config.recipe} on {run.record.data['name']}, {run.record.images:,} images."
    )
    table = entry(asked.name, file.sha256, file.bytes, summary)
    write_atomically(REGISTRY, registered(REGISTRY.read_text(encoding="utf-8"), asked.name, table))
    Catalogue.read(REGISTRY)
    print(f"{target}\n\n{table}")


if __name__ == "__main__":
    main()
