import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganzoo.core.errors import UsageError
from ganzoo.zoo.files import read_plugin
from ganzoo.zoo.manager import Zoo

MODEL = """
import ganzoo

class {name}(ganzoo.Model):
    '''A model in a file.'''
    {inside}

    def latent(self, data):
        return ganzoo.LatentSpec(z=ganzoo.Normal(4))
"""


@pytest.fixture(autouse=True)
def no_file_stays_imported() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("ganzoo_plugin_file_")]:
        del sys.modules[name]


def written(folder: Path, text: str, name: str = "my_gan.py") -> Path:
    file = folder / name
    file.write_text(textwrap.dedent(text))
    return file


def named(name: str) -> str:
    return MODEL.format(name=name.title().replace("-", ""), inside=f"name = {name!r}")


def test_a_file_without_hooks_brings_the_models_that_it_defines(tmp_path: Path) -> None:
    source = named("own-one") + named("own-two").replace("import ganzoo\n", "from ganzoo_gan import GAN\n")
    zoo = Zoo()
    status = zoo.register_file(written(tmp_path, source))
    assert (status.name, status.distribution, status.state) == ("my_gan", "my_gan", "loaded")
    assert status.models == ("own-one", "own-two")
    assert zoo.model("own-one") is zoo.model("my_gan:own-one")
    assert zoo.model("own-one").summary() == "A model in a file."
    assert zoo.model("gan").__module__ == "ganzoo_gan"


def test_a_base_class_without_a_name_is_not_registered(tmp_path: Path) -> None:
    source = MODEL.format(name="Base", inside="") + "class Own(Base):\n    name = 'own'\n"
    assert Zoo().register_file(written(tmp_path, source)).models == ("own",)


def test_a_file_may_bring_data_sets_and_metrics_too(tmp_path: Path) -> None:
    source = """
    import ganzoo

    class Own(ganzoo.Metric):
        name = "own-metric"
        summary = "nothing"

        def scores(self, subject):
            return []
    """
    assert Zoo().register_file(written(tmp_path, source)).metrics == ("own-metric",)


def test_a_file_with_hooks_is_a_plugin_like_any_other(tmp_path: Path) -> None:
    hook = "@ganzoo.hookimpl\ndef ganzoo_register_models():\n    return [OwnTwo]\n"
    assert Zoo().register_file(written(tmp_path, named("own-one") + named("own-two") + hook)).models == ("own-two",)


def test_a_file_does_not_take_the_place_of_a_module(tmp_path: Path) -> None:
    torch = sys.modules.get("torch")
    assert Zoo().register_file(written(tmp_path, named("own"), "torch.py")).models == ("own",)
    assert sys.modules.get("torch") is torch


def test_naming_a_file_twice_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    zoo = Zoo()
    file = written(tmp_path, named("own"))
    assert zoo.register_file(Path("my_gan.py")) == zoo.register_file(file)
    assert zoo.files == (Path("my_gan.py"),)
    assert zoo.model("own").name == "own"


def test_another_process_can_be_told_of_files_and_of_nothing_else(tmp_path: Path) -> None:
    zoo = Zoo()
    assert zoo.in_every_process
    file = written(tmp_path, named("own"))
    zoo.register_file(file)
    assert zoo.in_every_process
    zoo.register(read_plugin(file), "by-hand")
    assert not zoo.in_every_process


BROKEN = {
    "nothing in it": ("x = 1", "it defines no subclass of ganzoo.Model and implements no hook"),
    "no Python": ("def (", "its import raised SyntaxError: invalid syntax (my_gan.py, line 1)"),
    "an exit": ("raise SystemExit", "its import raised SystemExit"),
    "no name": (MODEL.format(name="Own", inside=""), "the class Own, which has no name; expected name = 'own' in it"),
    "no latent space": (
        "import ganzoo\nclass Own(ganzoo.Model):\n    name = 'own'",
        "the class Own, which is abstract; expected it to define latent",
    ),
    "a misspelt hook": (
        f"{named('own')}\n@ganzoo.hookimpl\ndef ganzoo_register_model(): return []",
        "there is no hook 'ganzoo_register_model'; did you mean",
    ),
    "a hook without a mark": (
        f"{named('own')}\ndef ganzoo_register_models(): return []",
        "ganzoo_register_models is not marked as a hook",
    ),
    "a later interface": (f"GANZOO_API = 99\n{named('own')}", "needs plugin API 99, this ganzoo has 1"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_file_that_is_no_plugin_says_why(fault: str, tmp_path: Path) -> None:
    source, reason = BROKEN[fault]
    file = written(tmp_path, source)
    zoo = Zoo()
    with pytest.raises(UsageError) as caught:
        zoo.register_file(file)
    assert str(caught.value).startswith(f"the plugin {file} cannot be used: ")
    assert reason in str(caught.value)
    assert caught.value.__cause__ is not None
    assert zoo.files == ()


def test_what_is_no_python_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"my_gan\.py: there is no such file"):
        Zoo().register_file(tmp_path / "my_gan.py")
    with pytest.raises(UsageError, match=r"takes a Python file, such as my_gan\.py, not .*my_gan"):
        Zoo().register_file(tmp_path / "my_gan")
