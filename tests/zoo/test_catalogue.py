import subprocess
import sys
from pathlib import Path

import pytest

import ganzoo.zoo
from ganzoo.core.errors import UsageError
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.manager import Zoo

VALID = """
[models.wonder]
plugin = "wonder"
summary = "A wonder."
[models.wonder.paper]
title = "Wonders"
authors = ["A. Author"]
year = 2020
arxiv = "2001.00001"
[models.wonder.recipes.mnist.default]
images = 1000
batch = 10
options = { sizes = [1, 2], rate = 0.5, networks = "mlp", fast = true }
[models.wonder.recipes.mnist.long]
images = 9000
batch = 10
[models.wonder.recipes.any.default]
images = 500
batch = 5
note = "Not measured."
[[models.wonder.results]]
data = "mnist"
recipe = "long"
metric = "error"
mean = 3
spread = 0.5
seeds = 5
protocol = "test split"
[weights.wonder-mnist]
sha256 = "%s"
bytes = 100
""" % ("0a" * 32)

DEFAULT = "models.wonder.recipes.mnist.default"

MALFORMED = {
    "not TOML": ("images = 1000", "images = ", "is not TOML: Invalid value (at line 11, column 10)"),
    "a key twice": (
        "batch = 10",
        "batch = 10\nbatch = 10",
        "is not TOML: Cannot overwrite a value (at line 13",
    ),
    "a count of zero": (
        "batch = 10",
        "batch = 0",
        f"{DEFAULT}.batch: Input should be greater than or equal to 1",
    ),
    "a count in quotes": (
        "images = 1000",
        "images = '1k'",
        f"{DEFAULT}.images: Input should be a valid integer",
    ),
    "a truth value for a count": (
        "batch = 10",
        "batch = true",
        f"{DEFAULT}.batch: Input should be a valid int",
    ),
    "a misspelt key": (
        "batch = 10",
        "bacth = 10",
        f"{DEFAULT}: there is no key 'bacth'; did you mean 'batch'?",
    ),
    "a missing key": ("images = 1000\n", "", f"{DEFAULT}.images: Field required"),
    "an unknown table": ("[weights.", "[wights.", "the top level: there is no key 'wights'; did you mean"),
    "a date as an option": (
        "rate = 0.5",
        "rate = 2020-01-01",
        f"{DEFAULT}.options.rate: expected a number, text",
    ),
    "a table as an option": (
        "rate = 0.5",
        "rate = {a = 1}",
        f"{DEFAULT}.options.rate: expected a number, text",
    ),
    "a name no run can have": (
        "wonder.recipes.mnist.long",
        "wonder.recipes.mnist.'a/b'",
        "recipes.mnist.a/b: ",
    ),
    "no default recipe": (
        "any.default",
        "any.other",
        "models.wonder: recipes.any has no recipe called 'default'",
    ),
    "a result without recipe": (
        'recipe = "long"',
        'recipe = "lon"',
        "results.0: there is no recipe 'lon'; did",
    ),
    "a result that is no number": ("mean = 3", "mean = nan", "models.wonder.results.0.mean: "),
    "no author": ('authors = ["A. Author"]', "authors = []", "models.wonder.paper.authors: "),
    "a wrong arXiv number": ("2001.00001", "abs/1", "models.wonder.paper.arxiv: "),
    "a short hash": ("0a0a", "0a", "weights.wonder-mnist.sha256: "),
    "a summary in two lines": ("A wonder.", "A\\nwonder.", "models.wonder.summary: expected text that can be printed"),
    "a note that steers the terminal": ("Not measured.", "\\u001b[2J", "any.default.note: expected text that can be"),
    "an endless line": ("A wonder.", "A" * 1000, "has over 300 characters in line 4"),
    "nested without end": (
        "rate = 0.5",
        "rate = 0.5 }\na = [\n" + "[\n" * 10_000,
        "is no registry: maximum recursion",
    ),
}


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_registry_is_read(tmp_path: Path) -> None:
    entry = Catalogue.read(written(tmp_path / "registry.toml", VALID)).models["wonder"]
    assert entry.paper is not None
    assert entry.paper.authors == ("A. Author",)
    recipe = entry.recipe("mnist")
    assert recipe is not None
    assert (recipe.images, recipe.batch) == (1000, 10)
    assert recipe.options == {"sizes": [1, 2], "rate": 0.5, "networks": "mlp", "fast": True}
    assert entry.results[0].mean == 3


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_registry_is_refused_with_file_and_place(fault: str, tmp_path: Path) -> None:
    old, new, expected = MALFORMED[fault]
    assert old in VALID
    path = written(tmp_path / "registry.toml", VALID.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        Catalogue.read(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_registry_that_is_no_file_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml cannot be read: No such file or directory"):
        Catalogue.read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# ok\n# \xff\n")
    with pytest.raises(UsageError, match=r"latin\.toml is not UTF-8 text \(at line 2\)"):
        Catalogue.read(tmp_path / "latin.toml")
    with pytest.raises(UsageError, match=r"big\.toml is larger than 131072 bytes"):
        Catalogue.read(written(tmp_path / "big.toml", "# line\n" * 100_000))


def test_an_error_may_call_the_registry_otherwise_than_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^the registry some/file cannot be read"):
        Catalogue.read(tmp_path / "none.toml", called="some/file")


def test_recipes_are_found_by_data_set_and_name(tmp_path: Path) -> None:
    entry = Catalogue.read(written(tmp_path / "registry.toml", VALID)).models["wonder"]
    assert getattr(entry.recipe("mnist", "long"), "images", None) == 9000
    assert getattr(entry.recipe("svhn"), "images", None) == 500
    with pytest.raises(UsageError, match=r"no recipe 'lnog'; did you mean 'long'\? \(data set 'mnist'\)"):
        entry.recipe("mnist", "lnog")
    with pytest.raises(UsageError, match="no recipe 'long'; known: default"):
        entry.recipe("svhn", "long")


def test_without_recipes_there_is_no_default_but_a_name_is_an_error() -> None:
    entry = Catalogue.model_validate({"models": {"a": {"plugin": "a", "summary": "A."}}}).models["a"]
    assert entry.recipe("mnist") is None
    with pytest.raises(UsageError, match="no recipe 'paper'; there are none"):
        entry.recipe("mnist", "paper")


def test_the_shipped_registry_is_the_top_level_file() -> None:
    shipped = Path(ganzoo.zoo.__file__).parents[1] / "registry.toml"
    assert shipped.read_bytes() == (Path(__file__).parents[2] / "registry.toml").read_bytes()


def test_the_shipped_registry_is_valid_and_complete() -> None:
    models = Catalogue.read().models
    assert {"gan", "cgan", "acgan", "infogan"} <= set(models)
    for entry in models.values():
        assert entry.paper is not None
        assert {"any"} < set(entry.recipes)


@pytest.mark.parametrize("name", Catalogue.read().models)
def test_a_listed_model_resolves_and_accepts_its_recipes(name: str) -> None:
    zoo = Zoo()
    model = zoo.model(name)
    assert model.name == name
    entry = zoo.catalogue.models[name]
    for data, recipes in entry.recipes.items():
        if data != "any":
            zoo.dataset(data)
        for recipe in recipes.values():
            model(**recipe.options)


def test_reading_the_catalogue_imports_neither_torch_nor_plugins() -> None:
    program = (
        "import sys; from ganzoo.zoo.catalogue import Catalogue; Catalogue.read(); "
        "sys.exit(bool({'torch', 'pluggy', 'ganzoo_gan', 'ganzoo.models.model'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
