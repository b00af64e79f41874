import subprocess
import sys

import pytest


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
