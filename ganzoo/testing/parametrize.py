"""The checks as pytest's own tests, one for each model and check."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ganzoo.core.data import Dataset
from ganzoo.models.model import Model
from ganzoo.testing.suite import checks_for

__all__ = ["parametrize_with_checks"]


def parametrize_with_checks(
    models: Sequence[type[Model]],
    *,
    options: Mapping[str, Any] | None = None,
    data: type[Dataset] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> pytest.MarkDecorator:
    """A decorator that makes a test with the argument ``check`` one test for each model and check.

    For example::

        @parametrize_with_checks([MyGAN])
        def test_it_conforms(check):
            check()

    A check that needs one that failed is skipped. The other arguments are those of ``checks_for``.

    Args:
        models: the classes.
        options: options of the models, by name.
        data: a data set to check them on.
        expected_failures: reasons by the names of checks; they are marked as xfail, strictly.

    Raises:
        UsageError: one is no model, or there is no such check.
    """
    expected = expected_failures or {}
    cases = []
    for model in models:
        checks_for(model, expected_failures=expected)  # which refuses a name that no check has
        for check in checks_for(model, options=options, data=data):
            reason = expected.get(check.name)
            marks = () if reason is None else (pytest.mark.xfail(reason=reason, strict=True),)
            name = getattr(model, "name", model.__name__)
            cases.append(pytest.param(check, id=f"{name}-{check.name}", marks=marks))
    return pytest.mark.parametrize("check", cases)
