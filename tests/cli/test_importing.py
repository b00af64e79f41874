import subprocess
import sys
from pathlib import Path

import pytest

MODEL = """
import torch
from ganzoo_gan import GAN

class Mine(GAN):
    '''A model in a file that imports torch by itself.'''

    name = "mine"
"""


def run(code: str) -> list[str]:
    """What a process of its own prints, which has not imported torch yet."""
    code = f"import gc, sys\nfrom ganzoo.cli.importing import import_torch\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_what_torch_makes_is_not_searched_for_garbage_and_what_comes_later_is() -> None:
    code = """
import weakref
class Ring: pass
import_torch()
frozen = gc.get_freeze_count()
ring = Ring()
ring.itself = ring
gone = weakref.ref(ring)
del ring
gc.collect()
import_torch()
print(gc.isenabled(), frozen > 100_000, gone() is None, gc.get_freeze_count() <= frozen, 'torch' in sys.modules)
"""
    assert run(code) == ["True"] * 5


@pytest.mark.parametrize("begins", ["gc.enable()", "gc.disable()"])
def test_a_failed_import_leaves_the_collector_as_it_was(begins: str) -> None:
    code = f"""
class Missing:
    def find_spec(self, name, path, target=None):
        if name == 'torch':
            raise ImportError(name)
sys.meta_path.insert(0, Missing())
{begins}
before = gc.isenabled()
try:
    import_torch()
except ImportError as error:
    print(error, gc.isenabled() is before, gc.get_freeze_count())
"""
    assert run(code) == ["torch", "True", "0"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "infogan", "--dry-run", "-o", "width=0.125", "--batch", "8"],
        ["sample", "infogan-mnist", "-n", "2", "--out", "two.png"],
        ["config", "gan"],
        ["datasets", "--plugin", "mine.py"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_import_it_so(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MODEL, encoding="utf-8")
    code = """
import gc, sys
from ganzoo.cli.main import cli
try:
    cli(sys.argv[1:], prog_name='ganzoo')
except SystemExit as end:
    print(not end.code, gc.get_freeze_count() > 100_000, file=sys.stderr)
"""
    line = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "True True"
