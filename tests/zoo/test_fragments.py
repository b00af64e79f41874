"""What plugins say of their own models: believed without an import, and harmless if it is not as it should be."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ganzoo.zoo.written
from ganzoo.core.errors import UsageError
from ganzoo.zoo.catalogue import Catalogue, ModelEntry
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.selection import Selection

Install = Callable[..., Path]
Source = Callable[..., str]


def describing(*models: str, plugin: str = "one") -> str:
    """A fragment that says little of each model."""
    return "".join(
        f'[models.{model}]\nplugin = "{plugin}"\nsummary = "{model} of {plugin}."\n'
        f"[models.{model}.recipes.mnist.default]\nimages = 1000\nbatch = 10\n"
        for model in models
    )


def reasons(zoo: Zoo) -> dict[str, str]:
    """What is remarked of each plugin that is not built in, all of which must be loaded."""
    statuses = [status for status in zoo.plugins() if not status.builtin]
    assert {status.state for status in statuses} == {"loaded"}
    return {status.name: status.reason for status in statuses}


def summary(zoo: Zoo, name: str) -> str | None:
    entry = zoo.entry(name)
    return entry.summary if entry else None


def test_a_fragment_is_read_without_an_import(install: Install, model_source: Source) -> None:
    witness = install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))
    zoo = Zoo()
    entry = zoo.entry("wonder")
    assert entry is not None
    assert entry.summary == "wonder of one."
    assert getattr(entry.recipe("mnist"), "images", None) == 1000
    assert zoo.entry("One_Dist:wonder") is entry
    assert zoo.listing()["wonder"] is entry
    assert zoo.entry("ganzoo:wonder") is None
    assert zoo.entry("other") is None
    assert not witness.exists()


def test_a_description_gives_no_right_to_a_name(install: Install, model_source: Source) -> None:
    described = install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))
    install("two-dist", two=model_source("wonder", "else"))
    zoo = Zoo()
    with pytest.raises(
        UsageError, match="'wonder' is offered by one-dist:one, two-dist:two; ask for 'one-dist:wonder'"
    ):
        zoo.model("wonder")
    assert described.exists()
    assert {"one-dist:wonder", "two-dist:wonder", "else"} <= zoo.models().keys()


def test_a_described_model_is_used_under_its_own_name(install: Install, model_source: Source) -> None:
    install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))
    assert Zoo().model("wonder").__module__ == "one"


def test_every_model_is_listed_by_what_is_written_or_else_by_its_class(install: Install, model_source: Source) -> None:
    described = install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))
    other = install("two-dist", two=model_source("plain"))
    silent = install("three-dist", fragment="# brings no model\n", three=model_source())
    zoo = Zoo()
    listing = zoo.listing()
    assert set(listing) == set(Catalogue.read().models) | {"wonder", "plain"}
    assert isinstance(listing["wonder"], ModelEntry)
    assert not isinstance(listing["plain"], ModelEntry)
    assert (described.exists(), other.exists(), silent.exists()) == (False, True, False)
    assert zoo.models().keys() == zoo.listing().keys() == listing.keys()
    assert zoo.listing()["wonder"] is listing["wonder"]


def test_listing_what_is_described_imports_no_plugin_and_no_torch(install: Install, model_source: Source) -> None:
    witness = install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))
    program = (
        "import sys; from ganzoo.zoo.manager import Zoo; assert 'wonder' in Zoo().listing(); "
        "sys.exit(bool({'torch', 'one', 'ganzoo_gan', 'ganzoo_tensorboard'} & set(sys.modules)))"
    )
    search = os.pathsep.join([str(witness.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": search, "GANZOO_DISABLE_PLUGINS": "tensorboard"}
    assert subprocess.run([sys.executable, "-c", program], check=False, env=environment).returncode == 0


def test_a_built_in_name_needs_no_fragment(
    install: Install, model_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = install("one-dist", fragment=describing("infogan"), one=model_source("infogan"))

    def read(plugins: object) -> None:
        raise AssertionError("a fragment was read")

    monkeypatch.setattr(ganzoo.zoo.written, "read_fragments", read)
    zoo = Zoo()
    assert zoo.model("infogan").__module__ == "ganzoo_infogan"
    assert zoo.dataset("mnist").name == "mnist"
    assert zoo.metric("frechet").name == "frechet"
    assert zoo.entry("infogan") is zoo.entry("ganzoo:infogan") is zoo.catalogue.models["infogan"]
    assert not witness.exists()


def test_no_fragment_takes_a_built_in_name(install: Install, model_source: Source) -> None:
    install("one-dist", fragment=describing("infogan"), one=model_source("infogan"))
    zoo = Zoo()
    assert zoo.entry("infogan") is zoo.listing()["infogan"] is zoo.catalogue.models["infogan"]
    assert zoo.model("infogan").__module__ == "ganzoo_infogan"
    assert summary(zoo, "one-dist:infogan") == "infogan of one."
    assert isinstance(zoo.listing()["one-dist:infogan"], ModelEntry)
    assert reasons(zoo) == {"one": "others offer the same name; ask for one-dist:infogan"}


@pytest.mark.parametrize("deny", [True, False])
def test_the_fragment_of_a_plugin_that_may_not_be_imported_is_not_read(
    deny: bool, install: Install, model_source: Source
) -> None:
    witness = install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))
    zoo = Zoo(selection=Selection(deny=frozenset({"one"})) if deny else Selection(allow=frozenset()))
    assert zoo.entry("wonder") is zoo.entry("one-dist:wonder") is None
    assert "wonder" not in zoo.listing()
    assert not witness.exists()


def test_a_denied_plugin_is_left_out_of_the_fragment_that_it_shares(install: Install, model_source: Source) -> None:
    fragment = describing("wonder") + describing("denied", plugin="two")
    points = "[ganzoo]\none = one\ntwo = one\n"
    install("one-dist", entry_points=points, fragment=fragment, one=model_source("wonder"))
    zoo = Zoo(selection=Selection(deny=frozenset({"two"})))
    assert summary(zoo, "wonder") == "wonder of one."
    assert zoo.entry("denied") is None
    assert {status.name: status.reason for status in zoo.plugins()}["one"] == ""


def test_a_name_that_two_fragments_describe_is_neithers(install: Install, model_source: Source) -> None:
    install("one-dist", fragment=describing("twin"), one=model_source("twin"))
    install("two-dist", fragment=describing("twin", plugin="two"), two=model_source("twin"))
    zoo = Zoo()
    assert zoo.entry("twin") is None
    assert summary(zoo, "two-dist:twin") == "twin of two."
    assert {"one-dist:twin", "two-dist:twin"} < zoo.listing().keys()
    assert "twin" not in zoo.listing()
    with pytest.raises(UsageError, match="'twin' is offered by one-dist:one, two-dist:two; ask for 'one-dist:twin' or"):
        zoo.model("twin")


def test_a_stale_fragment_hides_no_model_and_is_named(install: Install, model_source: Source) -> None:
    install("one-dist", fragment=describing("moved", "gone"), one=model_source("new"))
    install("two-dist", two=model_source("moved"))
    zoo = Zoo()
    assert zoo.model("moved").__module__ == "two"
    assert zoo.entry("moved") is None
    with pytest.raises(UsageError, match="no model 'gone'; known: "):
        zoo.model("gone")
    assert reasons(zoo) == {
        "one": "its registry.toml describes gone, moved, which the plugin does not bring and does not describe new",
        "two": "",
    }


def test_a_described_model_of_a_broken_plugin_says_why(install: Install) -> None:
    install("one-dist", fragment=describing("wonder"), one="1 / 0")
    zoo = Zoo()
    assert "wonder" in zoo.listing()
    with pytest.raises(UsageError, match=r"no model 'wonder'.*not loaded: one-dist:one, see ganzoo plugins"):
        zoo.model("wonder")
    assert "wonder" not in zoo.listing()


HOSTILE = {
    "not UTF-8": (b"# ok\n# \xff\n", "is not UTF-8 text (at line 2)"),
    "not TOML": ("[models", "is not TOML: "),
    "nested without end": ("a = " + "[\n" * 50_000, "is no registry: maximum recursion"),
    "200,000 brackets": ("a = " + "[\n" * 200_000, "is larger than 131072 bytes"),
    "200,000 brackets in a line": ("a = " + "[" * 120_000, "has over 300 characters in line 1"),
    "ten megabytes": (b"#\n" * 5_000_000, "is larger than 131072 bytes"),
    "a key with a terminal's code": ('[models."\\u001b[2J"]\nplugin = "one"\n', "is wrong at models. [2J"),
    "the plugin of another": (
        describing("infogan", plugin="infogan"),
        "wrong at models.infogan.plugin: there is no plugin 'infogan' in this package; known: one",
    ),
    "a weight file": (
        f'{describing("wonder")}[weights.w]\nsha256 = "{"0a" * 32}"\nbytes = 1\n',
        "is wrong at weights: a plugin's own can list models alone",
    ),
    "a misspelt key": ("[models.wonder]\nplugins = 'one'\n", "models.wonder: there is no key 'plugins'; did you mean"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_malformed_fragment_is_ignored_and_named(fault: str, install: Install, model_source: Source) -> None:
    fragment, expected = HOSTILE[fault]
    witness = install("one-dist", fragment=fragment, one=model_source("wonder"))
    zoo = Zoo()
    assert zoo.entry("wonder") is None
    assert zoo.entry("infogan") is zoo.catalogue.models["infogan"]
    assert not witness.exists()
    assert not isinstance(zoo.listing()["wonder"], ModelEntry)
    assert zoo.model("wonder").__module__ == "one"
    reason = reasons(zoo)["one"]
    assert reason.startswith("not used: the registry one/registry.toml ")
    assert expected in reason
    assert reason.isprintable()
    assert len(reason) < 330


@pytest.mark.parametrize("sort", ["link out", "dangling link", "loop", "pipe", "folder"])
def test_only_a_file_of_the_package_itself_is_read(sort: str, install: Install, model_source: Source) -> None:
    witness = install("one-dist", fragment="", one=model_source("wonder"))
    file = witness.parent / "one" / "registry.toml"
    file.unlink()
    outside = witness.parent / "outside.toml"
    outside.write_text(describing("wonder"))
    expected = "is no file"
    if sort == "pipe":
        os.mkfifo(file)
    elif sort == "folder":
        file.mkdir()
    else:
        target = {"link out": outside, "dangling link": Path("nowhere"), "loop": file}[sort]
        file.symlink_to(target)
        expected = "is a link out of its package" if sort == "link out" else "is a link to nothing"
    zoo = Zoo()
    assert zoo.entry("wonder") is None
    assert reasons(zoo) == {"one": f"not used: the registry one/registry.toml {expected}"}


def test_links_within_a_package_and_to_a_whole_one_are_followed(
    install: Install, model_source: Source, tmp_path: Path
) -> None:
    witness = install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))
    package = witness.parent / "one"
    (package / "registry.toml").rename(package / "data.toml")
    (package / "registry.toml").symlink_to("data.toml")
    package.rename(tmp_path / "elsewhere")
    package.symlink_to(tmp_path / "elsewhere")
    assert summary(Zoo(), "wonder") == "wonder of one."


@pytest.mark.parametrize(
    "target", ["absent_module", "not a module", "1", ".", "__main__", "sys", "json", "zlib", "one.inner:plugin"]
)
def test_an_entry_point_may_name_anything(target: str, install: Install, model_source: Source) -> None:
    witness = install(
        "one-dist",
        entry_points=f"[ganzoo]\none = {target}\n",
        fragment=describing("wonder"),
        one=model_source("wonder"),
    )
    zoo = Zoo()
    assert summary(zoo, "wonder") == ("wonder of one." if target.startswith("one") else None)
    assert not witness.exists()
    zoo.plugins()


def test_what_the_import_system_raises_is_a_remark(
    install: Install, model_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("one-dist", fragment=describing("wonder"), one=model_source("wonder"))

    def raises(name: str) -> None:
        raise TypeError("odd\nfinder")

    monkeypatch.setattr("ganzoo.zoo.fragments.find_spec", raises)
    zoo = Zoo()
    assert zoo.model("wonder").__module__ == "one"
    assert reasons(zoo) == {"one": "not used: one/registry.toml: TypeError: odd"}
