"""The conformance kit for plugin authors: what every model must do, as tests that anybody can run.

Names are imported when first used, so that the checks need neither pytest nor hypothesis. The fixtures are a
pytest plugin: ``pytest_plugins = ["ganzoo.testing.fixtures"]`` in a ``conftest.py``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.testing.data import TinyData as TinyData
    from ganzoo.testing.parametrize import parametrize_with_checks as parametrize_with_checks
    from ganzoo.testing.results import CheckFailed as CheckFailed
    from ganzoo.testing.results import CheckResult as CheckResult
    from ganzoo.testing.results import NotRun as NotRun
    from ganzoo.testing.strategies import data_specs as data_specs
    from ganzoo.testing.strategies import latent_specs as latent_specs
    from ganzoo.testing.strategies import variables as variables
    from ganzoo.testing.suite import Check as Check
    from ganzoo.testing.suite import check_model as check_model
    from ganzoo.testing.suite import checks_for as checks_for
    from ganzoo.testing.suite import run_checks as run_checks

_HOMES = {
    "ganzoo.testing.data": ("TinyData",),
    "ganzoo.testing.parametrize": ("parametrize_with_checks",),
    "ganzoo.testing.results": ("CheckFailed", "CheckResult", "NotRun"),
    "ganzoo.testing.strategies": ("data_specs", "latent_specs", "variables"),
    "ganzoo.testing.suite": ("Check", "check_model", "checks_for", "run_checks"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'ganzoo.testing' has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOME_OF[name]), name)
    except ModuleNotFoundError as error:
        if error.name not in ("hypothesis", "pytest"):
            raise
        from ganzoo.core.errors import UsageError

        raise UsageError(
            f"ganzoo.testing.{name} needs {error.name}, which is not installed: pip install 'ganzoo[test]'"
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
