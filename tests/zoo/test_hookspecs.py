import inspect
import subprocess
import sys

from ganzoo.zoo import hookspecs
from ganzoo.zoo.loading import KINDS


def test_every_kind_of_offer_has_a_hook() -> None:
    assert {kind.hook for kind in KINDS.values()} <= set(hookspecs.__all__)


def test_every_hook_is_marked_and_documented() -> None:
    hooks = [name for name in hookspecs.__all__ if name.startswith("ganzoo_")]
    assert set(hooks) == {*hookspecs.OBSERVERS, *(kind.hook for kind in KINDS.values())}
    for name in hooks:
        hook = getattr(hookspecs, name)
        text = inspect.getdoc(hook) or ""
        assert hasattr(hook, "ganzoo_spec"), name
        assert ("Returns:" in text) == (name not in hookspecs.OBSERVERS), name
        for argument in inspect.signature(hook).parameters:
            assert f"\n    {argument}: " in text, f"{name} does not say what {argument} is"


def test_the_zoo_is_imported_and_read_without_torch_or_plugins() -> None:
    program = (
        "import sys; from ganzoo.zoo.manager import Zoo; from ganzoo.zoo import hookspecs; "
        "zoo = Zoo(); zoo.catalogue; zoo.plugins(load=False); "
        "sys.exit(bool({'torch', 'numpy', 'ganzoo_gan', 'ganzoo.data.plugin'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
