"""The corpus of hostile files: ``python tests/hostile/make_corpus.py FOLDER`` writes them all, to be looked at.

Large files are sparse, so that two gigabytes take no room on the disk; nothing here is kept in the repository. A
case is a function that fills a folder, with the parser of ``hostile_parsers.py`` that then reads it, or the command
that does; everything outside of the folder must stay as it is, and ``outside`` is watched.
"""

import io
import json
import os
import pickle
import shutil
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from hostile_parsers import GOOD, checkpoint_of, good_checkpoint, good_npz, good_picture, record
from safetensors.torch import save

__all__ = ["Case", "parser_cases", "run_cases"]

GIGABYTE = 1 << 30


class Trap:
    """Makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


class Case(NamedTuple):
    """A hostile file.

    Attributes:
        name: what it is.
        reader: the parser that reads it; or, of a run, the command.
        make: fills a folder (of a run's copy, for a command); the second argument is a folder that must not change.
    """

    name: str
    reader: str
    make: Callable[[Path, Path], None]


def sparse(path: Path, size: int, start: bytes = b"", end: bytes = b"") -> None:
    """A file of so many bytes, zeros but for its ends."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)
        if end:
            file.seek(size - len(end))
            file.write(end)


def safetensors(header: object, content: bytes = b"", length: int | None = None) -> bytes:
    """A file of tensors with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + content


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, object]:
    """What a header says of one tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(shape: str, dtype: str = "'|u1'", content: bytes = b"", version: bytes = b"\1\0") -> bytes:
    """An .npy file with any header."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + content


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A picture with any size in its header."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def many_members(count: int) -> bytes:
    """An archive of so many empty members, of which only the list is there."""
    member = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    size = len(member) * count
    far = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 20, 20, 0, 0, count, count, size, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    return member * count + far + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0)


FILES = {
    "names": "names.json",
    "npz": "sprites.npz",
    "package": "pyproject.toml",
    "registry": "registry.toml",
    "run": "run.json",
    "settings": "ganzoo.toml",
    "stats": "stats.jsonl",
    "metrics": "metrics.jsonl",
    "image": "picture",
}
JSON, TOML = ("names", "run", "stats", "manifest"), ("package", "registry", "settings")


def parser_cases() -> Iterator[Case]:
    """Files for the parsers."""
    for reader, file in FILES.items():
        yield Case(
            "two gigabytes of brackets", reader, lambda folder, _, f=file: sparse(folder / f, 2 * GIGABYTE, b"[" * 999)
        )
        yield Case("a pipe", reader, lambda folder, _, f=file: os.mkfifo(folder / f))
        yield Case("a folder", reader, lambda folder, _, f=file: (folder / f).mkdir())
        yield Case("a device without end", reader, lambda folder, _, f=file: (folder / f).symlink_to("/dev/zero"))
        if reader != "metrics":  # there, lines that a crash tore are left out
            yield Case(
                "a pickle", reader, _content(file, lambda outside: pickle.dumps(Trap(outside / "sprung")) + b"\n")
            )
            yield Case("bytes that are no text", reader, _content(file, b"\xff\xfe\n"))
    for reader in (*JSON, *TOML):
        file = FILES.get(reader, "000000005/manifest.json")
        text = b"a = " if reader in TOML else b""
        for count in (900, 60_000, 1_000_000):
            yield Case(f"{count:,} brackets", reader, _content(file, text + b"[" * count + b"\n"))
        yield Case("a number of 100,000 digits", reader, _content(file, text + b"1" * 100_000 + b"\n"))
    for reader in TOML:
        dots = b".".join([b"a"] * 400)
        yield Case(
            "keys of many dots",
            reader,
            _content(FILES[reader], b"".join(b"k%d." % i + dots + b"=1\n" for i in range(60))),
        )
        yield Case("a long line", reader, _content(FILES[reader], b'a = "' + b"x" * 60_000 + b'"\n'))
    yield Case("a million empty lists", "run", _content("run.json", b"[" + b"[]," * 1_300_000 + b"[]]"))
    yield Case(
        "numbers that are none",
        "run",
        _content("run.json", record().text().replace('"seconds": 0.0', '"seconds": NaN').encode()),
    )
    yield Case(
        "a count beyond all counting",
        "run",
        _content("run.json", record().text().replace('"images": 0', '"images": ' + "9" * 400).encode()),
    )
    yield Case("a type for another", "run", _content("run.json", b'{"schema_version": [], "config": 3}'))
    yield Case(
        "a newer schema", "run", _content("run.json", b'{"schema_version": 99, "versions": {"ganzoo": "\\u001b[2J9"}}')
    )
    yield Case("a million empty objects", "stats", _content("stats.jsonl", b"{}\n" * 1_000_000))
    yield from _checkpoints()
    yield from _archives()
    yield from _pictures()
    yield from _idx()
    for number, text in enumerate(LATENTS):
        yield Case(f"latent space {number}", "latent", _input(text))


LATENTS = (
    b"z: normal(99999999999)",
    b"z: categorical(9999999)",
    b"z: normal(" + b"[" * 100_000,
    b", ".join(b"z%d: normal(1)" % i for i in range(5000)),
    b"z: normal(1e999)",
    b"z: normal(" + b"9" * 100_000 + b")",
    b"\xff\0: normal(1)",
)


def _checkpoints() -> Iterator[Case]:
    weights = bytes(48)
    headers: dict[str, bytes] = {
        "a header longer than the file": safetensors({}, length=1 << 40),
        "a header of 2^64 - 1 bytes": safetensors({}, length=(1 << 64) - 1),
        "a header of brackets": safetensors(b"[" * 1_000_000),
        "a header of nested objects": safetensors(b'{"a":' * 500_000),
        "a header over the limit": safetensors(b" " * (5 << 20)),
        "no header": b"",
        "a header cut short": good_checkpoint()[:20],
        "an offset beyond the end": safetensors({"a": entry([3, 4], 0, 1 << 50)}, weights),
        "offsets that overlap": safetensors({"a": entry([12], 0, 48), "b": entry([12], 0, 48)}, weights),
        "offsets that run backwards": safetensors({"a": entry([12], 48, 0)}, weights),
        "offsets with a gap": safetensors({"a": entry([6], 24, 48)}, weights),
        "a negative shape": safetensors(b'{"a":{"dtype":"F32","shape":[-3,-4],"data_offsets":[0,48]}}', weights),
        "a shape that overflows": safetensors({"a": entry([1 << 62, 1 << 62], 0, 48)}, weights),
        "a type that does not exist": safetensors({"a": entry([12], 0, 48, "PICKLE")}, weights),
        "more content than the header says": safetensors({"a": entry([12], 0, 48)}, weights + b"x" * 100),
        "another type": save(
            {
                "generator.weight": torch.zeros(3, 4, dtype=torch.float64),
                "generator.count": torch.tensor(3),
                "critic.bias": torch.ones(2),
            }
        ),
        "another shape": save(
            {"generator.weight": torch.zeros(4, 3), "generator.count": torch.tensor(3), "critic.bias": torch.ones(2)}
        ),
        "too few tensors": save({"generator.weight": torch.zeros(3, 4)}),
        "a torch.save archive": zipped({"archive/data.pkl": pickle.dumps({"a": 1})}),
        "names that are paths": save({"../../outside/sprung": torch.zeros(1)}),
    }
    for name, content in headers.items():
        yield Case(name, "checkpoint", _input(content))
    yield Case("a pickle", "checkpoint", lambda folder, outside: _given(folder, pickle.dumps(Trap(outside / "sprung"))))
    for name, key in {
        "a path that climbs": "../../outside/secret",
        "an absolute path": "/etc/passwd",
        "a pickle's name": "networks.pt",
    }.items():
        manifest = {
            "images": 5,
            "files": {f"{key}.safetensors" if "pt" not in key else key: {"sha256": "0" * 64, "bytes": 3}},
            "meta": {},
        }
        yield Case(name, "manifest", _content("000000005/manifest.json", json.dumps(manifest).encode()))
    yield Case(
        "sizes beyond all disks",
        "manifest",
        _content(
            "000000005/manifest.json",
            b'{"images":5,"files":{"networks.safetensors":{"sha256":"%s","bytes":99999999999999}},"meta":{}}'
            % (b"0" * 64),
        ),
    )
    yield Case(
        "a negative number of images",
        "manifest",
        _content("000000005/manifest.json", b'{"images":-5,"files":{},"meta":{}}'),
    )
    yield Case(
        "names of terms that are none",
        "manifest",
        _content("000000005/manifest.json", b'{"images":5,"files":{},"meta":{"statistics":[[1]]}}'),
    )

    def huge(folder: Path, outside: Path) -> None:
        checkpoint_of(good_checkpoint(), folder)
        path = folder / "000000005"
        sparse(path / "networks.safetensors", 3 * GIGABYTE, safetensors({"a": entry([1], 0, 4)}))
        _vouch(path, 3 * GIGABYTE)

    def pipe(folder: Path, outside: Path) -> None:
        checkpoint_of(b"", folder)
        (folder / "000000005" / "networks.safetensors").unlink()
        os.mkfifo(folder / "000000005" / "networks.safetensors")

    yield Case("three gigabytes of nothing", "checkpoint", huge)
    yield Case("a pipe", "checkpoint", pipe)


def _archives() -> Iterator[Case]:
    grid = np.load(io.BytesIO(good_npz()))["latents_classes"]
    file = io.BytesIO()
    np.save(file, grid)
    classes = file.getvalue()
    pictures = npy("(6, 64, 64)", content=bytes(6 * 4096))
    contents: dict[str, bytes] = {
        "a million members": many_members(1_000_000),
        "a member of a terabyte": zipped(
            {"latents_classes.npy": npy("(6, 22906492245)", "'<i8'"), "imgs.npy": pictures}
        ),
        "a shape below zero": zipped({"latents_classes.npy": npy("(-6, 6)", "'<i8'"), "imgs.npy": pictures}),
        "pictures that end early": zipped({"latents_classes.npy": classes, "imgs.npy": pictures[:-10]}),
        "pictures of objects": zipped({"latents_classes.npy": classes, "imgs.npy": npy("(6, 64, 64)", "'|O'", b"x")}),
        "classes of objects": zipped({"latents_classes.npy": npy("(6, 6)", "'|O'", b"x"), "imgs.npy": pictures}),
        "a header that is code": zipped(
            {"latents_classes.npy": classes, "imgs.npy": npy("(__import__('os').mkdir('sprung'),)")}
        ),
        "a header of brackets": zipped({"latents_classes.npy": classes, "imgs.npy": npy("(" * 9000)}),
        "a newer format": zipped({"latents_classes.npy": classes, "imgs.npy": npy("(6,)", version=b"\3\0")}),
        "no members": zipped({}),
        "members that climb": zipped({"../../outside/secret": b"", "/etc/passwd": b""}),
        "another compression": zipped({"latents_classes.npy": classes, "imgs.npy": pictures}, zipfile.ZIP_LZMA),
        "a bomb": zipped(
            {"latents_classes.npy": classes, "imgs.npy": npy("(60000, 64, 64)", content=bytes(60_000 * 4096))}
        ),
        "cut in the middle": good_npz()[:300],
        "tensors under another name": good_checkpoint(),
    }
    for name, content in contents.items():
        yield Case(name, "npz", _content("sprites.npz", content))


def _pictures() -> Iterator[Case]:
    pixels = zlib.compress(bytes(30_001 * 3 * 30))
    contents: dict[str, bytes] = {
        "a PNG of 4 billion pixels": png(65_000, 65_000, (b"IDAT", pixels)),
        "a PNG of 2^31 columns": png((1 << 31) - 1, 1, (b"IDAT", pixels)),
        "a bomb in a PNG": png(4096, 4097, (b"IDAT", zlib.compress(bytes(4097 * (1 + 3 * 4096))))),
        "a bomb in a PNG's text": png(8, 8, (b"zTXt", b"a\0\0" + zlib.compress(bytes(300 << 20))), (b"IDAT", b"")),
        "a PNG without pixels": png(8, 8),
        "a PNG of no columns": png(0, 0, (b"IDAT", pixels)),
        "a JPEG of 65,000 columns": good_picture("JPEG").replace(
            struct.pack(">HH", 7, 9), struct.pack(">HH", 65_000, 65_000)
        ),
        "a GIF of 65,535 columns": b"GIF89a"
        + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0)
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;",
        "a BMP of 2^31 rows": b"BM"
        + struct.pack("<IHHI", 0, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 30_000, (1 << 31) - 1, 1, 24, 0, 0, 0, 0, 0, 0),
        "a PPM that promises much": b"P6 60000 60000 255\n" + bytes(100),
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(sprung) (w) file\n",
        "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "a TIFF whose directory is itself": b"II*\0\x08\0\0\0\x01\0"
        + struct.pack("<HHII", 256, 4, 1, 8)
        + struct.pack("<I", 8),
    }
    for kind in ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"):
        contents[f"a {kind} cut in the middle"] = good_picture(kind, size=(90, 70))[
            : len(good_picture(kind, size=(90, 70))) // 2
        ]
    for name, content in contents.items():
        yield Case(name, "image", _content("picture", content))


def _idx() -> Iterator[Case]:
    good = GOOD["idx"][0]
    for name, content in {
        "a header that promises much": good[:4] + b"\xff" * 12 + good[16:],
        "sizes of zero": good[:4] + bytes(12),
        "another type": good[:2] + b"\x0d" + good[3:],
        "255 dimensions": good[:3] + b"\xff" + good[4:],
        "a value too few": good[:-1],
        "a value too many": good + b"\0",
        "no magic": b"\1" + good[1:],
        "nothing": b"",
        "a gzip": b"\x1f\x8b\x08\0" + bytes(20),
    }.items():
        yield Case(name, "idx", _input(content))


def _content(file: str, content: bytes | Callable[[Path], bytes]) -> Callable[[Path, Path], None]:
    def make(folder: Path, outside: Path) -> None:
        if file.startswith("000000005"):
            checkpoint_of(good_checkpoint(), folder)
        (folder / file).write_bytes(content if isinstance(content, bytes) else content(outside))

    return make


def _input(content: bytes) -> Callable[[Path, Path], None]:
    return lambda folder, outside: _given(folder, content)


def _given(folder: Path, content: bytes) -> None:
    """For parsers that take bytes, which lie in this file until then."""
    (folder / "input").write_bytes(content)


def _vouch(checkpoint: Path, size: int) -> None:
    manifest = json.loads((checkpoint / "manifest.json").read_text())
    manifest["files"]["networks.safetensors"]["bytes"] = size
    (checkpoint / "manifest.json").write_text(json.dumps(manifest))


SAMPLE, RESUME, REPORT = "sample", "train --resume", "report"


def run_cases() -> Iterator[Case]:
    """Changes to a run that was trained, for the command that then opens it."""
    for command in (SAMPLE, RESUME, REPORT):
        for name in ("run.json", "stats.jsonl", "metrics.jsonl", "samples", "traversals", "checkpoints", "names.json"):
            yield Case(f"{name} is a link out of the run", command, _linked(name))
        yield Case("a checkpoint is a link out of the run", command, _linked_checkpoint)
        yield Case("weights are not finite", command, _weights(lambda tensor: tensor * float("nan")))
        yield Case("weights of another type", command, _weights(lambda tensor: tensor.double()))
        yield Case("weights of another shape", command, _weights(lambda tensor: tensor[None]))
        for key, value in CHANGES.items():
            yield Case(f"{key} is {value!r:.40}", command, _setting(key, value))


CHANGES: dict[str, Any] = {
    "config.options.width": 16.0,
    "config.options.latent": "z: normal(65536), category: categorical(10) code, style: uniform(2) code",
    "config.options.networks": "../../outside",
    "config.model": "os:system",
    "config.seed": -1,
    "data.shape": [1, 4000, 4000],
    "data.name": {"a": 1},
    "data.size": 1e300,
    "config.batch": 10**9,
    "config.images": 10**30,
}


def _setting(key: str, value: object) -> Callable[[Path, Path], None]:
    def make(run: Path, outside: Path) -> None:
        values = table = json.loads((run / "run.json").read_text())
        *tables, last = key.split(".")
        for each in tables:
            table = table[each]
        table[last] = value
        if key.endswith("latent"):
            for other in ("noise", "categories", "styles"):
                table.pop(other, None)
        (run / "run.json").write_text(json.dumps(values))

    return make


def _linked(name: str) -> Callable[[Path, Path], None]:
    def make(run: Path, outside: Path) -> None:
        if (run / name).exists():
            shutil.move(run / name, outside / name)
        else:
            (outside / name).touch()
        (run / name).symlink_to(outside / name)

    return make


def _linked_checkpoint(run: Path, outside: Path) -> None:
    newest = max((run / "checkpoints").glob("[0-9]*"))
    shutil.move(newest, outside / newest.name)
    newest.symlink_to(outside / newest.name)


def _weights(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Path, Path], None]:
    def make(run: Path, outside: Path) -> None:
        from hashlib import sha256

        from safetensors.torch import load_file

        for path in (run / "checkpoints").glob("[0-9]*"):
            manifest = json.loads((path / "manifest.json").read_text())
            for stem in ("networks", "averaged"):
                file = path / f"{stem}.safetensors"
                tensors = {
                    k: change(v).contiguous() if v.is_floating_point() else v for k, v in load_file(file).items()
                }
                content = save(tensors)
                file.unlink()
                file.write_bytes(content)
                manifest["files"][file.name] = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
            (path / "manifest.json").write_text(json.dumps(manifest))

    return make


def main() -> None:
    """Writes the files of ``parser_cases``, each into a folder of its own."""
    home = Path(sys.argv[1])
    (home / "outside").mkdir(parents=True)
    for case in parser_cases():
        folder = home / f"{case.reader}: {case.name}"
        folder.mkdir()
        case.make(folder, home / "outside")


if __name__ == "__main__":
    main()
