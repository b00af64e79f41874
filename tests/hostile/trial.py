"""Tries every hostile file in a process of its own, and prints what became of it: a line of JSON for each.

``python tests/hostile/trial.py FOLDER`` tries the parsers, ``… FOLDER RUN`` the commands on copies of a run. What is
imported is imported once: each trial is a fork, whose memory is counted above what it began with.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

import make_corpus
from hostile_parsers import PARSERS, RECORD

from ganzoo.cli.main import cli
from ganzoo.core.errors import GanzooError
from ganzoo.sampling.sampler import Sampler
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.manager import default_zoo

LIMIT_S = 60
"""Seconds after which a trial is ended; what is asked of it is less, and is measured."""


def main() -> None:
    home = Path(sys.argv[1]).resolve()
    run = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    # Everything that a first use imports and makes belongs to the base.
    assert Sampler and Trainer and RECORD.text() and default_zoo().models()
    if run is not None:
        with contextlib.redirect_stdout(sys.stderr):
            for command in (make_corpus.SAMPLE, make_corpus.REPORT):
                os.chdir(home)
                _command(command, run.resolve())
    cases: Iterable[make_corpus.Case] = make_corpus.parser_cases() if run is None else make_corpus.run_cases()
    for number, case in enumerate(cases):
        folder, outside = home / f"{number}" / "inside", home / f"{number}" / "outside"
        outside.mkdir(parents=True)
        (outside / "secret").write_text("secret")
        shutil.copytree(run, folder) if run is not None else folder.mkdir()
        case.make(folder, outside)
        before = _listed(outside)
        found = _forked(case, folder, home / f"{number}")
        found |= {"reader": case.reader, "name": case.name, "outside": _listed(outside) == before}
        print(json.dumps(found), flush=True)
        shutil.rmtree(home / f"{number}")


def _forked(case: make_corpus.Case, folder: Path, home: Path) -> dict[str, object]:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        signal.alarm(LIMIT_S)
        with os.fdopen(writer, "w") as pipe:
            json.dump(_tried(case, folder, home), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return (
        json.loads(said) if said else {"end": f"killed with status {status}", "said": "", "seconds": LIMIT_S, "mb": 0}
    )


def _tried(case: make_corpus.Case, folder: Path, home: Path) -> dict[str, object]:
    os.chdir(home)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(null, stream)
    base, start, said = _resident(), time.process_time(), ""
    try:
        with warnings.catch_warnings(action="ignore"):
            if case.reader in PARSERS:
                given = folder / "input"
                PARSERS[case.reader](given.read_bytes() if given.exists() else None, folder)
            else:
                _command(case.reader, folder)
        end = "taken"
    except GanzooError as error:
        end, said = "refused", str(error)
    except BaseException as error:
        end, said = type(error).__name__, str(error)[:500]
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"end": end, "said": said, "seconds": seconds, "mb": (peak - base) / 2**20}


def _command(command: str, run: Path) -> None:
    words = command.split()
    more = [] if "train" in words else ["--out", "made.png" if "sample" in words else "made.html"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            cli([*words, str(run), *more, *(["-n", "4"] if "sample" in words else [])])
    except SystemExit as end:
        if end.code:
            errors = [line for line in said.getvalue().splitlines() if not line.startswith("Warning: ")]
            if len(errors) != 1 or not errors[0].startswith("Error: "):
                raise AssertionError(said.getvalue()) from end
            raise GanzooError(errors[0]) from end


def _resident() -> int:
    """Bytes of memory in use; a fork's highest mark starts at what its parent had."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return max(pages * os.sysconf("SC_PAGE_SIZE"), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _listed(folder: Path) -> list[tuple[str, int, int]]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files] + [
        (str(path), 0, 0) for path in sorted(folder.rglob("*")) if path.is_dir()
    ]


if __name__ == "__main__":
    main()
