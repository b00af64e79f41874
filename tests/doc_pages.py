"""Runs what a Markdown page tells its reader to type, so that the documents stay true.

The blocks of a page run in their order, in one folder. Of a ``console`` block, each line that begins with "$ "
is a command, and the lines under it are printed by it, in that order and perhaps among others; "…" stands for
any text. Output with a line that begins with "Error: " goes with a command that fails. ``python`` blocks share
one namespace; a ``text`` block right after one is what it prints. Any other block is only read.

What a page says to its test stands in HTML comments, which readers do not see:

    <!-- test: replace 200k with 512 -->      in the next block, run this instead
    <!-- test: own settings -->               from here on without the tiny budget of BUDGET
    <!-- file: NAME -->                       the next block is the content of this file
"""

import contextlib
import io
import multiprocessing
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["BUDGET", "Block", "Reader", "blocks", "in_new_process"]

BUDGET = """\
# Commands that name no budget of their own get this one.
[train]
images = 256
batch = 64
save_every = 256

[options]
width = 0.125
"""

ROOT = Path(__file__).resolve().parents[1]

_FENCE = re.compile(r"^```(\w*)\s*$")
_COMMENT = re.compile(r"^<!-- (test|file): (.*?) -->\s*$")
_REPLACE = re.compile(r"replace (.+) with (.+)")
_SITE = ".site"
# Commands start from a process that has these already: importing torch takes seconds, its optimisers as long again, and
# decompressing MNIST most of a second.
_WARM = [
    "torch",
    "torch._dynamo",
    "rich.console",
    "rich.table",
    "ganzoo.api",
    "ganzoo.cli.main",
    "ganzoo.cli.train",
    "read_mnist",
    __name__,
]


@dataclass(frozen=True)
class Block:
    """A fenced block, and what the comments above it say.

    Attributes:
        language: what follows the opening fence.
        text: the lines between the fences.
        line: number of the opening fence's line, from 1.
        file: the file that it is the content of, or "".
        replaced: texts to run instead of others.
        own_settings: whether a comment above it says so.
    """

    language: str
    text: str
    line: int
    file: str = ""
    replaced: tuple[tuple[str, str], ...] = ()
    own_settings: bool = False

    @property
    def runnable(self) -> str:
        """The text with its replacements; each must occur."""
        text = self.text
        for old, new in self.replaced:
            assert old in text, f"line {self.line}: there is no {old!r} to replace in the block"
            text = text.replace(old, new)
        return text


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    said: dict[str, Any] = {}
    replaced: list[tuple[str, str]] = []
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        if comment := _COMMENT.match(line):
            kind, value = comment.groups()
            if kind == "file":
                said["file"] = value
            elif value == "own settings":
                said["own_settings"] = True
            else:
                replacement = _REPLACE.fullmatch(value)
                assert replacement, f"line {number}: the test does not understand {value!r}"
                replaced.append((replacement[1], replacement[2]))
        elif fence := _FENCE.match(line):
            inner = []
            for _, each in lines:
                if each.rstrip() == "```":
                    break
                inner.append(each)
            yield Block(fence[1], "\n".join(inner), number, replaced=tuple(replaced), **said)
            said, replaced = {}, []


@dataclass
class Reader:
    """Somebody who types what a page says.

    Attributes:
        folder: where they work.
        namespace: the variables of their Python session.
    """

    folder: Path
    namespace: dict[str, Any] = field(default_factory=dict)

    def read(self, page: Path) -> None:
        """Does all that the page says; the working directory must be ``folder``."""
        (self.folder / "ganzoo.toml").write_text(BUDGET, encoding="utf-8")
        printed: str | None = None
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.own_settings:
                (self.folder / "ganzoo.toml").unlink(missing_ok=True)
            where = f"{page.name}, line {block.line}"
            if block.file:
                file = self.folder / block.file
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.runnable + "\n", encoding="utf-8")
                printed = None
            elif block.language == "console":
                for command, expected in commands(block.runnable):
                    status, output = self.type(command)
                    fails = any(line.startswith("Error: ") for line in expected)
                    assert (status != 0) == fails, f"{where}: {command}\nends with {status} and prints\n{output}"
                    compare(expected, output, f"{where}: {command}")
                printed = None
            elif block.language == "python":
                printed = self.run(block.runnable, where)
            elif block.language == "text" and printed is not None:
                compare(block.text.splitlines(), printed, where)
                printed = None

    def type(self, command: str) -> tuple[int, str]:
        """Runs a command, and the one after a ``||`` if it fails: its exit status, and what it prints."""
        command, _, instead = command.partition(" || ")
        if instead:
            status, output = self.type(command)
            status, more = self.type(instead) if status else (0, "")
            return status, output + more
        words = shlex.split(command, comments=True)
        variables = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
        if words[:2] == ["pip", "install"]:
            linked = "-e" in words
            return 0, "".join(self.install(Path(word), linked) for word in words[2:] if not word.startswith("-"))
        if words[0] == "pytest":
            return self.pytest(words[1:])
        if words[0] == "ganzoo":
            target = self.folder / words.pop() if words[-2] == ">" else None
            status, output = in_new_process([word for word in words if word != ">"], self.folder, variables)
            if target is not None:
                target.write_text(output, encoding="utf-8")
            return status, "" if target else output
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def run(self, code: str, where: str) -> str:
        """Runs Python in the page's namespace: what it prints."""
        script = self.folder / ".block.py"
        script.write_text(code + "\n", encoding="utf-8")
        printed = io.StringIO()
        path = list(sys.path)
        sys.path[:0] = [str(self.folder), str(self.folder / _SITE)]
        try:
            with contextlib.redirect_stdout(printed):
                self.namespace = runpy.run_path(str(script), init_globals=self.namespace, run_name="page")
        except Exception as error:
            raise AssertionError(f"{where}: {''.join(traceback.format_exception(error))}") from error
        finally:
            sys.path[:] = path
        return printed.getvalue()

    def install(self, project: Path, linked: bool = False) -> str:
        """Does what pip would for a project of pure Python, but into a folder of this reader's own.

        Args:
            project: its folder, as the page names it: one of this reader's, or of the checkout.
            linked: as ``pip install -e`` has it: what changes in the project changes here.
        """
        project = self.folder / project if (self.folder / project).is_dir() else ROOT / project
        with (project / "pyproject.toml").open("rb") as file:
            about = tomllib.load(file)["project"]
        site = self.folder / _SITE
        metadata = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
        metadata.mkdir(parents=True, exist_ok=True)
        lines = [f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"]
        (metadata / "METADATA").write_text("".join(lines), encoding="utf-8")
        groups: dict[str, dict[str, str]] = about["entry-points"]
        listed = [line for group, points in groups.items() for line in (f"[{group}]", *map(" = ".join, points.items()))]
        (metadata / "entry_points.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
        modules = sorted([*project.glob("*.py"), *project.glob("src/*/")])
        for module in modules:
            place = site / module.name
            if linked:
                place.symlink_to(module)
            elif module.is_dir():
                shutil.copytree(module, place, dirs_exist_ok=True)
            else:
                shutil.copy(module, place)
        targets = {target.partition(":")[0] for points in groups.values() for target in points.values()}
        assert targets <= {module.stem for module in modules}
        return f"Successfully installed {about['name']}-{about['version']}\n"

    def pytest(self, words: list[str]) -> tuple[int, str]:
        """Runs the tests of a project."""
        path = os.pathsep.join([str(self.folder / _SITE), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines under it; a backslash goes on to the next line."""
    command, expected = "", []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line.removeprefix("$ "), []
        elif line.strip():
            expected.append(line)
    if command:
        yield command, expected


def compare(expected: list[str], output: str, where: str) -> None:
    """Fails unless the output has the lines that are expected, in their order."""
    lines = iter(output.splitlines())
    for wanted in expected:
        if wanted.strip() in ("", "…"):
            continue
        pattern = ".*".join(re.escape(" ".join(part.split())) for part in wanted.split("…"))
        found = any(re.fullmatch(loosened(pattern), " ".join(line.split())) for line in lines)
        assert found, f"{where}\nshould print the line\n{wanted}\nand prints\n{output}"


def loosened(pattern: str) -> str:
    """The pattern with any space, or none, where a "…" meets a word."""
    return re.sub(r"(?:\\ )*\.\*(?:\\ )*", ".*", pattern)


def in_new_process(words: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """Runs ``ganzoo …`` or ``python FILE …`` in a process of its own that has the slow imports behind it.

    Args:
        words: the command.
        folder: its working directory.
        variables: what to add to its environment.

    Returns:
        Its exit status, and what it prints on both streams.
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_WARM)
    output = folder / ".output"
    process = server.Process(target=_become, args=(list(words), str(folder), dict(variables), str(output)))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode, output.read_text(encoding="utf-8")


def _become(words: list[str], folder: str, variables: dict[str, str], output: str) -> None:
    """Turns a process into the command."""
    with open(output, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(folder)
    os.environ.update(variables)
    sys.path.insert(0, str(Path(folder, _SITE)))
    if words[0] == "python":
        warnings.simplefilter("error")
        sys.argv = words[1:]
        runpy.run_path(words[1], run_name="__main__")
        return
    sys.argv = words
    from ganzoo.cli.main import main

    main()
