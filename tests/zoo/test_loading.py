import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ganzoo.core.errors import UsageError
from ganzoo.zoo import loading
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.selection import Selection
from ganzoo.zoo.status import PluginStatus

HOOK = "import ganzoo\n@ganzoo.hookimpl\n"
NAMELESS = "import ganzoo\nclass Nameless(ganzoo.Model):\n    def latent(self, data):\n        return None\n"
REGISTER = "@ganzoo.hookimpl\ndef ganzoo_register_models():\n    return "

BROKEN = {
    "import error": ("import no_such_module", "its import raised ModuleNotFoundError: No module named"),
    "syntax error": ("def (", "its import raised SyntaxError"),
    "exit at import": ("raise SystemExit(3)", "its import raised SystemExit: 3"),
    "outcome at import": ("class Out(BaseException): pass\nraise Out('one\\ntwo')", "raised Out: one"),
    "wrong argument": (
        f"{HOOK}def ganzoo_register_models(config): return []",
        "hook ganzoo_register_models has no argument 'config'; expected def ganzoo_register_models()",
    ),
    "misspelt hook": (
        f"{HOOK}def ganzoo_register_model(): return []",
        "there is no hook 'ganzoo_register_model'; did you mean 'ganzoo_register_models'",
    ),
    "forgotten marker": (
        "def ganzoo_register_models(): return []",
        "ganzoo_register_models is not marked as a hook; expected @ganzoo.hookimpl above it",
    ),
    "no hook": (
        "x = 1",
        "it implements no hook; expected @ganzoo.hookimpl on a function such as",
    ),
    "wrong argument of an observer": (
        f"{HOOK}def ganzoo_run_finished(path, summary): pass",
        "hook ganzoo_run_finished has no argument 'path'; expected def ganzoo_run_finished(run, summary)",
    ),
    "no version": (
        f"GANZOO_API = '1'\n{HOOK}def ganzoo_register_models(): return []",
        "its GANZOO_API is '1'; expected a whole number, such as 1",
    ),
    "endless message": ("raise ValueError('x' * 1000)", f"its import raised ValueError: {'x' * 160}…"),
    "hook raises": (
        f"{HOOK}def ganzoo_register_models(): 1 / 0",
        "ganzoo_register_models() raised ZeroDivision",
    ),
    "hook exits": (
        f"{HOOK}def ganzoo_register_models(): exit(0)",
        "ganzoo_register_models() raised SystemExit",
    ),
    "hook returns nothing": (
        f"{HOOK}def ganzoo_register_models(): pass",
        "ganzoo_register_models returned None; expected a list of subclasses of ganzoo.Model",
    ),
    "hook returns a class": (
        f"{HOOK}def ganzoo_register_models(): return ganzoo.Model",
        "ganzoo_register_models returned the class Model; expected a list of subclasses of ganzoo.Model",
    ),
    "no model": (
        f"{HOOK}def ganzoo_register_models(): return [int]",
        "returned the class int in its list; expected a list of subclasses of ganzoo.Model",
    ),
    "no data set": (
        f"{HOOK}def ganzoo_register_datasets(): return [ganzoo.Model]",
        "returned the class Model in its list; expected a list of subclasses of ganzoo.Dataset",
    ),
    "no metric": (
        f"{HOOK}def ganzoo_register_metrics(): return [ganzoo.Extractor]",
        "returned the class Extractor in its list; expected a list of subclasses of ganzoo.Metric",
    ),
    "no extractor": (
        f"{HOOK}def ganzoo_register_extractors(): return [int]",
        "returned the class int in its list; expected a list of subclasses of ganzoo.Extractor",
    ),
    "abstract metric": (
        "import ganzoo\nclass A(ganzoo.Metric):\n    name = 'a'\n"
        "@ganzoo.hookimpl\ndef ganzoo_register_metrics(): return [A]",
        "returned the class A, which is abstract; expected it to define scores",
    ),
    "metric of no group": (
        "import ganzoo\nclass A(ganzoo.Metric):\n    group = 'helth'",
        "its import raised TypeError: A.group is 'helth'; choose one of fidelity, ",
    ),
    "class without a name": (
        f"{NAMELESS}{REGISTER}[Nameless]",
        "ganzoo_register_models returned the class Nameless, which has no name; expected name = 'nameless'",
    ),
    "impossible name": (
        f"{NAMELESS}    name = 'a b/c'\n{REGISTER}[Nameless]",
        "the class Nameless, which is named 'a b/c'; expected letters, digits, '-' and '_' alone",
    ),
    "abstract class": (
        f"import ganzoo\nclass A(ganzoo.Model):\n    name = 'a'\n{REGISTER}[A]",
        "returned the class A, which is abstract; expected it to define latent",
    ),
    "one name twice": (
        f"{NAMELESS}    name = 'twin'\nclass B(Nameless): pass\n{REGISTER}[Nameless, B]",
        "ganzoo_register_models returned two classes named 'twin'",
    ),
}


def status_of(name: str, zoo: Zoo) -> PluginStatus:
    return next(status for status in zoo.plugins() if status.name == name)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_named_with_its_reason_and_the_others_live(
    fault: str, install: Callable[..., Path], model_source: Callable[..., str]
) -> None:
    source, reason = BROKEN[fault]
    install("broken-dist", aa_broken=source)
    install("sound-dist", sound=model_source("sound"))
    zoo = Zoo()
    status = status_of("aa_broken", zoo)
    assert (status.state, status.distribution, status.version) == ("failed", "broken-dist", "1.2")
    assert reason in status.reason
    assert "\n" not in status.reason
    assert status.models == ()
    assert status_of("sound", zoo).models == ("sound",)
    assert {"sound", "gan"} <= set(zoo.models())


@pytest.mark.parametrize("more", ["", "@ganzoo.hookimpl\ndef ganzoo_not_yet_thought_of(): pass\n"])
def test_a_plugin_for_a_later_interface_is_incompatible_whatever_else_it_has(
    more: str, install: Callable[..., Path], model_source: Callable[..., str]
) -> None:
    install("later-dist", later=f"GANZOO_API = 99\n{model_source('later-model')}{more}")
    zoo = Zoo()
    status = status_of("later", zoo)
    expected = "needs plugin API 99, this ganzoo has 1; upgrade ganzoo, or take an older version"
    assert (status.state, status.reason) == ("incompatible", expected)
    assert "later-model" not in zoo.models()


def test_a_plugin_for_this_interface_is_loaded(install: Callable[..., Path], model_source: Callable[..., str]) -> None:
    install("now-dist", now=f"GANZOO_API = 1\n{model_source('now-model')}")
    assert status_of("now", Zoo()).models == ("now-model",)


def test_a_plugin_that_lacks_what_is_optional_is_unavailable(install: Callable[..., Path]) -> None:
    install("lacking-dist", lacking="import ganzoo\nraise ganzoo.Unavailable('no lamp; rub harder')")
    status = status_of("lacking", Zoo())
    assert (status.state, status.reason) == ("unavailable", "no lamp; rub harder")


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("import error", ModuleNotFoundError, "no_such_module"),
        ("exit at import", UsageError, "plugin 'strict' of 'strict-dist' failed: its import raised SystemExit: 3"),
        ("misspelt hook", UsageError, "plugin 'strict' of 'strict-dist' failed: there is no hook"),
        ("hook raises", ZeroDivisionError, "division"),
    ],
)
def test_a_strict_zoo_raises_what_a_plugin_raises(
    fault: str,
    error: type[Exception],
    said: str,
    install: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install("strict-dist", strict=BROKEN[fault][0])
    monkeypatch.setenv("GANZOO_STRICT_PLUGINS", "1")
    with pytest.raises(error, match=said):
        Zoo().plugins()
    monkeypatch.setenv("GANZOO_STRICT_PLUGINS", "0")
    assert status_of("strict", Zoo()).state == "failed"


def test_a_strict_zoo_leaves_alone_what_is_denied_or_lacks_an_extra(
    install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("lacking-dist", lacking="import ganzoo\nraise ganzoo.Unavailable('no lamp')")
    install("denied-dist", denied="1 / 0")
    monkeypatch.setenv("GANZOO_STRICT_PLUGINS", "1")
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", "denied")
    zoo = Zoo()
    assert [status_of(name, zoo).state for name in ("lacking", "denied")] == ["unavailable", "disabled"]


@pytest.mark.parametrize("ending", ["", "1 / 0"])
def test_the_time_of_an_import_is_the_plugins_own(
    ending: str, install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = loading.resolve_name

    def slow_torch(name: str) -> object:
        time.sleep(0.2)
        return resolve(name)

    monkeypatch.setattr(loading, "resolve_name", slow_torch)
    install("slow-dist", slow=f"import time; time.sleep(0.03)\n{ending}")
    zoo = Zoo(selection=Selection(deny=frozenset({"evaluation", "datasets"})))
    assert 0.03 <= status_of("slow", zoo).seconds < 0.2
    assert status_of("gan", zoo).seconds == 0


def test_an_interrupt_while_loading_is_passed_on(install: Callable[..., Path]) -> None:
    install("slow-dist", slow="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Zoo().plugins()


def test_an_unreadable_list_of_entry_points_fails_alone(
    install: Callable[..., Path], model_source: Callable[..., str]
) -> None:
    install("torn-dist", entry_points="[ganzoo]\nno equals sign\n")
    install("sound-dist", sound=model_source("sound"))
    zoo = Zoo()
    torn = status_of("torn-dist", zoo)
    assert torn.state == "failed"
    assert torn.reason.startswith("its entry_points.txt cannot be read")
    assert "sound" in zoo.models()


def test_one_entry_point_name_in_two_distributions_gives_two_plugins(
    install: Callable[..., Path], model_source: Callable[..., str]
) -> None:
    install("first-dist", entry_points="[ganzoo]\nsame = first\n", first=model_source("one"))
    install("second-dist", entry_points="[ganzoo]\nsame = second\n", second=model_source("two"))
    loaded = [status for status in Zoo().plugins() if status.name == "same"]
    assert [(status.distribution, status.models) for status in loaded] == [
        ("first-dist", ("one",)),
        ("second-dist", ("two",)),
    ]


def test_an_entry_point_may_name_an_object_and_optional_arguments(
    install: Callable[..., Path], model_source: Callable[..., str]
) -> None:
    source = model_source("inner") + (
        "class Plugin:\n"
        "    @ganzoo.hookimpl\n"
        "    def ganzoo_register_models(self, more=()):\n"
        "        return [Model0, *more]\n"
        "plugin = Plugin()\n"
    )
    install("object-dist", entry_points="[ganzoo]\nthing = object_module:plugin\n", object_module=source)
    assert status_of("thing", Zoo()).models == ("inner",)


@pytest.mark.parametrize("meant", ["denied", "denied-dist", "Denied_Dist:denied", "x, denied ,y"])
def test_a_denied_plugin_is_never_imported(
    meant: str,
    install: Callable[..., Path],
    model_source: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    witness = install("denied-dist", denied=model_source("denied-model"))
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", meant)
    zoo = Zoo()
    status = status_of("denied", zoo)
    assert (status.state, status.reason) == ("disabled", "named in GANZOO_DISABLE_PLUGINS")
    assert "denied-model" not in zoo.models()
    assert not witness.exists()


@pytest.mark.parametrize("meant", ["", "another"])
def test_only_allowed_strangers_are_imported_and_built_ins_need_no_permission(
    meant: str,
    install: Callable[..., Path],
    model_source: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shut = install("shut-dist", shut=model_source("shut-model"))
    allowed = install("another", other=model_source("other-model"))
    monkeypatch.setenv("GANZOO_LOAD_PLUGINS", meant)
    zoo = Zoo()
    expected = "not named in GANZOO_LOAD_PLUGINS" if meant else "not built in (--no-plugins, or an empty "
    assert status_of("shut", zoo).reason.startswith(expected)
    assert "gan" in zoo.models()
    assert not shut.exists()
    assert allowed.exists() == ("other-model" in zoo.models()) == (meant == "another")


def test_built_ins_come_first_and_say_so() -> None:
    statuses = Zoo().plugins(load=False)
    built_in = [status for status in statuses if status.builtin]
    assert {"gan", "infogan", "datasets", "evaluation", "tensorboard"} <= {status.name for status in built_in}
    assert statuses[: len(built_in)] == built_in
    assert all(status.state == "not loaded" for status in built_in)
