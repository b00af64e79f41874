import pytest

from ganzoo.zoo.selection import Selection


def test_to_deny_is_stronger_than_to_allow() -> None:
    selection = Selection.from_environment({"GANZOO_LOAD_PLUGINS": "a", "GANZOO_DISABLE_PLUGINS": "a"})
    assert selection.refusal("a", "a-dist", builtin=False) == "named in GANZOO_DISABLE_PLUGINS"


@pytest.mark.parametrize("name", ["a", "a-dist", "A_Dist:a"])
def test_a_plugin_is_allowed_by_name_distribution_or_both(name: str) -> None:
    selection = Selection.from_environment({"GANZOO_LOAD_PLUGINS": f"x, {name} ,y"})
    assert selection.refusal("a", "a-dist", builtin=False) == ""
    assert selection.refusal("b", "b-dist", builtin=False) == "not named in GANZOO_LOAD_PLUGINS"


def test_an_empty_list_allows_built_in_plugins_alone() -> None:
    selection = Selection.from_environment({"GANZOO_LOAD_PLUGINS": ""})
    assert selection.refusal("gan", "ganzoo", builtin=True) == ""
    assert "--no-plugins" in selection.refusal("a", "a-dist", builtin=False)


@pytest.mark.parametrize(("value", "expected"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)])
def test_strictness_is_read_from_the_environment(value: str | None, expected: bool) -> None:
    environ = {} if value is None else {"GANZOO_STRICT_PLUGINS": value}
    assert Selection.from_environment(environ).strict is expected
