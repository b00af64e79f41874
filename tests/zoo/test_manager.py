import types
from collections.abc import Callable
from pathlib import Path

import pytest

import ganzoo
from ganzoo.core.errors import UsageError
from ganzoo.zoo.catalogue import Catalogue, ModelEntry
from ganzoo.zoo.manager import NotOffered, Zoo, default_zoo
from ganzoo.zoo.selection import Selection

Install = Callable[..., Path]
Source = Callable[..., str]


def plugin_of(*models: type[ganzoo.Model]) -> object:
    plugin = types.SimpleNamespace()
    plugin.ganzoo_register_models = ganzoo.hookimpl(lambda: list(models))
    return plugin


def measuring_source(metric: str, extractor: str) -> str:
    """Source of a plugin module with a metric and an extractor."""
    return (
        "import ganzoo\n"
        f"class Some(ganzoo.Metric):\n    name = {metric!r}\n    summary = 'nothing'\n"
        "    def scores(self, subject): return []\n"
        f"class Other(ganzoo.Extractor):\n    name = {extractor!r}\n    summary = 'nothing'\n"
        "    def __call__(self, samples): return ganzoo.Features(samples, None)\n"
        "@ganzoo.hookimpl\ndef ganzoo_register_metrics(): return [Some]\n"
        "@ganzoo.hookimpl\ndef ganzoo_register_extractors(): return [Other]\n"
    )


class Own(ganzoo.Model):
    """A model of the user's."""

    name = "own"

    def latent(self, data: ganzoo.DataSpec) -> ganzoo.LatentSpec:
        return ganzoo.LatentSpec(z=ganzoo.Normal(2))


class OwnGan(Own):
    name = "gan"


def test_a_built_in_model_resolves_without_importing_anything_else(install: Install, model_source: Source) -> None:
    witness = install("stranger", aa_stranger=model_source("gan", "strange"))
    zoo = Zoo()
    assert zoo.model("gan").name == "gan"
    assert zoo.model("gan").__module__ == "ganzoo_gan"
    assert not witness.exists()
    states = {status.name: status.state for status in zoo.plugins(load=False)}
    assert states.pop("gan") == "loaded"
    assert set(states.values()) == {"not loaded"}


def test_a_built_in_data_set_resolves_without_importing_a_stranger(install: Install, model_source: Source) -> None:
    witness = install("stranger", aa_stranger=model_source("strange"))
    assert Zoo().dataset("mnist").name == "mnist"
    assert not witness.exists()


@pytest.mark.parametrize("kind", ["metric", "extractor"])
def test_built_in_metrics_and_extractors_resolve_without_importing_anything_else(kind: str, install: Install) -> None:
    witness = install("stranger", aa_stranger=measuring_source("frechet", "digits"))
    zoo = Zoo()
    name = {"metric": "frechet", "extractor": "digits"}[kind]
    assert getattr(zoo, kind)(name).name == name
    assert not witness.exists()
    states = {status.name: status.state for status in zoo.plugins(load=False)}
    assert states.pop("evaluation") == "loaded"
    assert set(states.values()) == {"not loaded"}


def test_a_plugin_may_bring_metrics_and_extractors(install: Install) -> None:
    install("one-dist", one=measuring_source("sharpness", "edges"))
    install("two-dist", two=measuring_source("sharpness", "digits"))
    zoo = Zoo()
    (status,) = (status for status in zoo.plugins() if status.name == "one")
    assert (status.metrics, status.extractors, status.models) == (("sharpness",), ("edges",), ())
    assert status.brings == ("sharpness", "edges")
    assert zoo.extractor("edges").__module__ == "one"
    assert zoo.metric("two-dist:sharpness").__module__ == "two"
    assert {"one-dist:sharpness", "two-dist:sharpness", "frechet"} <= set(zoo.metrics())
    assert {"edges", "digits", "two-dist:digits"} <= set(zoo.extractors())
    assert zoo.extractor("digits").__module__ == "ganzoo.evaluation.extractors.digits"
    with pytest.raises(UsageError, match="the metric 'sharpness' is offered by one-dist:one, two-dist:two"):
        zoo.metric("sharpness")


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        ("metric", "frechett", "there is no metric 'frechett'; did you mean 'frechet'"),
        ("extractor", "digit", "there is no extractor 'digit'; did you mean 'digits'"),
        ("metric", "ganzoo:zzz", "there is no metric 'zzz'; known: "),
    ],
)
def test_an_unknown_metric_or_extractor(kind: str, asked: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        getattr(Zoo(), kind)(asked)
    assert str(caught.value).startswith(expected)


def test_the_catalogue_says_which_plugin_to_import(install: Install, model_source: Source) -> None:
    listed = install("listed-dist", listed=model_source("wonder"))
    other = install("other-dist", other=model_source("other"))
    entry = ModelEntry(plugin="listed", summary="A wonder.")
    zoo = Zoo(Catalogue(models={"wonder": entry}))
    assert zoo.model("wonder").name == "wonder"
    assert listed.exists()
    assert not other.exists()


def test_a_model_that_is_not_listed_is_found(install: Install, model_source: Source) -> None:
    install("new-dist", new=model_source("brand-new"))
    assert Zoo().model("brand-new").name == "brand-new"


def test_a_stale_catalogue_does_not_hide_a_model(install: Install, model_source: Source) -> None:
    install("one-dist", one=model_source("moved"))
    stale = {
        "moved": ModelEntry(plugin="no-longer-there", summary="Moved."),
        "gone": ModelEntry(plugin="one", summary="Gone."),
    }
    zoo = Zoo(Catalogue(models=stale))
    assert zoo.model("moved").name == "moved"
    with pytest.raises(UsageError, match="no model 'gone'; known: "):
        zoo.model("gone")


def test_a_listed_model_of_a_disabled_plugin_is_not_replaced_by_a_stranger(
    install: Install, model_source: Source
) -> None:
    install("stranger", strange=model_source("gan"))
    zoo = Zoo(selection=Selection(deny=frozenset({"gan"})))
    expected = "no model 'gan' because plugin 'gan' of 'ganzoo' is disabled: named in GANZOO_DISABLE_PLUGINS"
    with pytest.raises(UsageError, match=expected):
        zoo.model("gan")
    assert zoo.model("stranger:gan").__module__ == "strange"


def test_a_name_offered_twice_is_an_error_only_when_asked_for(install: Install, model_source: Source) -> None:
    install("one-dist", one=model_source("twin", "single"))
    install("two-dist", two=model_source("twin"))
    zoo = Zoo()
    assert zoo.model("single").__module__ == "one"
    with pytest.raises(UsageError) as caught:
        zoo.model("twin")
    assert str(caught.value) == (
        "the model 'twin' is offered by one-dist:one, two-dist:two; ask for 'one-dist:twin' or 'two-dist:twin'"
    )
    assert zoo.model("one-dist:twin").__module__ == "one"
    assert zoo.model("Two_Dist:twin").__module__ == "two"
    assert {"one-dist:twin", "two-dist:twin", "single"} <= set(zoo.models())
    assert "twin" not in zoo.models()


def test_the_status_tells_how_to_ask_for_a_name_that_is_taken(install: Install, model_source: Source) -> None:
    install("one-dist", one=model_source("gan"))
    zoo = Zoo()
    reasons = {status.name: status.reason for status in zoo.plugins()}
    assert reasons["one"] == "others offer the same name; ask for one-dist:gan"
    assert reasons["gan"] == ""
    assert zoo.model("gan").__module__ == "ganzoo_gan"
    assert zoo.models()["gan"].__module__ == "ganzoo_gan"
    assert zoo.models()["one-dist:gan"].__module__ == "one"


def test_two_plugins_of_one_distribution_with_one_name(install: Install, model_source: Source) -> None:
    install("dist", one=model_source("twin"), two=model_source("twin"))
    with pytest.raises(UsageError, match="dist:one, dist:two; name the one to leave out in GANZOO_DISABLE_PLUGINS"):
        Zoo().model("dist:twin")
    zoo = Zoo(selection=Selection(deny=frozenset({"dist:two"})))
    assert zoo.model("twin").__module__ == "one"


def test_a_class_that_two_plugins_pass_on_is_one_class(install: Install, model_source: Source) -> None:
    install("dist", one=model_source("shared"))
    passing_on = "import ganzoo, one\n@ganzoo.hookimpl\ndef ganzoo_register_models(): return [one.Model0]"
    install("again", two=passing_on)
    assert Zoo().model("shared").__module__ == "one"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("infogam", "there is no model 'infogam'; did you mean 'infogan'"),
        ("zzz", "there is no model 'zzz'; known: acgan, bigan, cgan, gan, infogan, infogan-cr, vaegan"),
        (
            "ganzoo:zzz",
            "there is no model 'zzz'; known: acgan, bigan, cgan, gan, infogan, infogan-cr, vaegan (in ganzoo)",
        ),
        ("gansoo:gan", "there is no plugin distribution 'gansoo'; did you mean 'ganzoo'?"),
    ],
)
def test_an_unknown_model(asked: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        Zoo().model(asked)
    assert str(caught.value).startswith(expected)


def test_an_unknown_data_set() -> None:
    with pytest.raises(UsageError, match="there is no data set 'mnits'; did you mean 'mnist'"):
        Zoo().dataset("mnits")


def test_a_missing_model_points_to_the_plugins_that_did_not_load(install: Install) -> None:
    install("dist", broken="1 / 0")
    with pytest.raises(UsageError, match=r"no model 'x'; .* \(not loaded: dist:broken, see ganzoo plugins\)"):
        Zoo().model("x")


def test_a_plugin_can_be_registered_by_hand() -> None:
    zoo = Zoo()
    status = zoo.register(plugin_of(Own), "by-hand")
    assert (status.name, status.state, status.models) == ("by-hand", "loaded", ("own",))
    assert zoo.model("own") is Own
    assert zoo.model("by-hand:own") is Own
    assert zoo.models()["own"] is Own
    assert status in zoo.plugins()


def test_a_registered_model_with_a_built_in_name_is_never_mistaken_for_it() -> None:
    zoo = Zoo()
    zoo.register(plugin_of(OwnGan), "by-hand")
    with pytest.raises(UsageError, match="ask for 'by-hand:gan' or 'ganzoo:gan'"):
        zoo.model("gan")
    assert zoo.model("by-hand:gan") is OwnGan
    assert zoo.model("ganzoo:gan").__module__ == "ganzoo_gan"


def test_a_broken_plugin_is_not_registered() -> None:
    zoo = Zoo()
    with pytest.raises(UsageError, match="plugin 'empty' cannot be used: it implements no hook"):
        zoo.register(types.SimpleNamespace(), "empty")
    assert "empty" not in {status.name for status in zoo.plugins(load=False)}


def test_the_default_zoo_is_one() -> None:
    assert default_zoo() is default_zoo()


OBSERVER = "import ganzoo\n@ganzoo.hookimpl\ndef ganzoo_tick(tick): pass\n"


def test_observers_are_those_of_every_plugin_that_may_be_one(install: Install, model_source: Source) -> None:
    install("watching-dist", watching=OBSERVER)
    install("broken-dist", broken="1 / 0")
    install("model-dist", other=model_source("other"))
    denied = install("denied-dist", denied=OBSERVER)
    zoo = Zoo(selection=Selection(deny=frozenset({"denied", "tensorboard"})))
    assert [plugin.status.name for plugin in zoo.observers()] == ["watching"]
    states = {status.name: (status.state, status.observes) for status in zoo.plugins(load=False)}
    assert states["watching"] == ("loaded", True)
    assert states["broken"] == ("failed", False)
    assert states["other"] == ("loaded", False)
    assert not denied.exists()
    assert {states[name] for name in ("gan", "datasets", "evaluation")} == {("not loaded", False)}


def test_a_name_that_nobody_offers_can_be_told_from_one_that_cannot_be_used(
    install: Install, model_source: Source
) -> None:
    install("one-dist", one=model_source("twin"))
    install("two-dist", two=model_source("twin"))
    with pytest.raises(NotOffered):
        Zoo().model("nobodys")
    with pytest.raises(UsageError) as caught:
        Zoo().model("twin")
    assert not isinstance(caught.value, NotOffered)
