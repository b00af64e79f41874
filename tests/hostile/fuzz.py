"""Fuzzing with coverage (atheris, libFuzzer): ``python tests/hostile/fuzz.py npz -atheris_runs=100000``.

Atheris is no dependency of the tests: ``pip install 'atheris>=3'`` (Linux; it has wheels for CPython 3.11 to 3.13).
The first argument is one of the parsers in ``hostile_parsers.py``, and the others are libFuzzer's; a folder among
them keeps the inputs that led somewhere new. An input that ends in anything but an error of ganzoo's is written
to the working directory: put it into ``make_corpus.py``, and mend the parser.
"""

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ganzoo", "zipfile", "numpy.lib", "tomllib", "json"]):
    import zipfile  # noqa: F401 (so that it is instrumented)

    from ganzoo.core.errors import GanzooError

    sys.path.insert(0, str(Path(__file__).parent))
    from hostile_parsers import GOOD, PARSERS


def main() -> None:
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in PARSERS:
        sys.exit(f"usage: fuzz.py PARSER [libFuzzer's options], where PARSER is one of {', '.join(PARSERS)}")
    parse, memory = PARSERS[name], Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        folder, seeds = Path(made, "files"), Path(made, "seeds")
        folder.mkdir()
        seeds.mkdir()
        for number, content in enumerate(GOOD[name]):
            (seeds / str(number)).write_bytes(content)

        def one(content: bytes) -> None:
            try:
                parse(content, folder)
            except GanzooError as error:
                if "\n" in str(error):
                    raise AssertionError(f"an error in several lines: {error}") from error

        options = ["-max_len=65536", "-timeout=5", "-rss_limit_mb=2048", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(seeds)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
