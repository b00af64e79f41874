"""The built-in models pass the conformance kit with no exemption, as a stranger's must."""

import pytest

from ganzoo.testing import parametrize_with_checks
from ganzoo.testing.suite import Check
from ganzoo.zoo.manager import default_zoo

MODELS = [default_zoo().model(name) for name in ("gan", "cgan", "acgan", "infogan", "infogan-cr", "bigan", "vaegan")]
SLOW = {(model.name, "learning") for model in MODELS if model.name != "gan"}


def slowly(cases: pytest.MarkDecorator) -> pytest.MarkDecorator:
    """The same cases, those that cost many seconds marked so."""
    names, params = cases.args
    marked = [
        pytest.param(
            *p.values, id=p.id, marks=pytest.mark.slow if (p.values[0].model.name, p.values[0].name) in SLOW else ()
        )
        for p in params
    ]
    return pytest.mark.parametrize(names, marked)


@slowly(parametrize_with_checks(MODELS))
def test_a_built_in_model_keeps_the_rules(check: Check) -> None:
    check()
    assert check.result().status == "passed"
