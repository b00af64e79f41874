import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers import Reader
from hypothesis import given, settings
from hypothesis import strategies as st
from subjects import subject
from torch import Tensor

import ganzoo
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.evaluation import naming
from ganzoo.evaluation.naming import category_of, name_categories, names_of, set_names
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.names import CategoryNames, Names, read_names, write_names
from ganzoo.zoo.manager import Zoo, default_zoo

CLASSES = ("ant", "bee", "cat")
LABELS = torch.arange(300) % 3


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A run whose critic reads these codes in the training samples."""

    def make(codes: Tensor, n: int = 3, labels: Tensor | None = LABELS, latent: str = "") -> RunDirectory:
        space = LatentSpec.parse(latent or f"z: normal(2), category: categorical({n}) code")
        values = torch.cat([torch.zeros(len(codes), 1), torch.eye(n)[codes] * 2 - 1], dim=1)
        made = subject(
            train=values, labels=labels, classes=CLASSES if labels is not None else None, latent=space,
            critic=Reader(space.codes), path=tmp_path / "00001-told",
        )  # fmt: skip
        monkeypatch.setattr(naming, "open_subject", lambda *args, **kwargs: made)
        monkeypatch.setattr(naming, "_latent", lambda *args: space)
        return made.run

    return make


@pytest.fixture
def copied(run: ganzoo.Run, tmp_path: Path) -> tuple[RunDirectory, Zoo]:
    """A copy of a trained run, to be named."""
    return RunDirectory.open(shutil.copytree(run.path, tmp_path / run.path.name)), default_zoo()


def named(run: RunDirectory, **more: object) -> CategoryNames:
    return name_categories(run, None, **more).variables["category"]


def test_labels_find_the_names_and_the_run_keeps_them(told):
    run = told((LABELS + 1) % 3)
    found = named(run, labels=50, seed=2)
    assert found.names == ("cat", "ant", "bee") and found.classes == (2, 0, 1) and found.order == (1, 2, 0)
    assert found.agreement == 1 and found.labels == 50 and found.seed == 2 and found.label == "label"
    assert read_names(run).variables == {"category": found}


def test_the_same_seed_takes_the_same_samples_and_another_takes_others(told):
    run = told(torch.randint(3, (300,), generator=torch.Generator().manual_seed(0)))
    first, again, other = (named(run, labels=30, seed=seed).agreement for seed in (0, 0, 1))
    assert first == again != other


def test_there_are_no_more_labels_than_there_are(told):
    labels = LABELS.clone()
    labels[20:] = -1
    found = named(told(LABELS, labels=labels), labels=100)
    assert found.labels == 20 and found.agreement == 1 and found.names == CLASSES


def test_only_the_samples_that_are_used_are_read(told, monkeypatch):
    run = told(LABELS)
    made = naming.open_subject()
    split = made.dataset.split("train")
    read = []

    class Counting:
        labels = split.labels

        def __getitem__(self, index: int) -> Tensor:
            read.append(index)
            return split[index]

    monkeypatch.setattr(made, "dataset", SimpleNamespace(split=lambda part, source: Counting()))
    named(run, labels=40)
    assert len(set(read)) == len(read) == 40


def test_other_variables_keep_their_names(told):
    run = told(LABELS)
    kept = CategoryNames(names=("a", "b"), classes=(None, None))
    write_names(run, Names(variables={"kind": kept}))
    assert list(name_categories(run, None).variables) == ["kind", "category"]
    assert read_names(run).variables["kind"] == kept


@pytest.mark.parametrize(
    ("table", "stands", "names"),
    [
        ([[0, 9, 0], [9, 0, 0], [0, 0, 9]], [1, 0, 2], ("bee", "ant", "cat")),
        # Two codes like one class best, and the other gets the class that is left, as one of its samples says.
        ([[9, 1, 0], [8, 0, 0], [0, 0, 9]], [0, 0, 2], ("ant", "ant (2)", "cat")),
        ([[9, 8, 0], [8, 0, 0], [0, 0, 9]], [1, 0, 2], ("bee", "ant", "cat")),
        ([[0, 0, 9], [0, 0, 0], [0, 0, 0]], [2, None, None], ("cat", "unknown 1", "unknown 2")),
        ([[3, 0, 0], [9, 0, 0], [0, 0, 0]], [0, 0, None], ("ant (2)", "ant", "unknown 1")),
        # More codes than classes: each is called after its most frequent class.
        ([[5, 0, 1], [7, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 4]], [0, 0, 1, None, 2],
         ("ant (2)", "ant", "bee", "unknown 1", "cat")),
        ([[9, 1, 0], [0, 3, 4]], [0, 2], ("ant", "cat")),
    ],
)  # fmt: skip
def test_what_codes_are_called(table, stands, names):
    assert names_of(torch.tensor(table), CLASSES) == (stands, names)


@settings(max_examples=60)
@given(st.integers(1, 6), st.data())
def test_every_code_has_a_name_of_its_own(codes, data):
    counts = data.draw(st.lists(st.integers(0, 5), min_size=3 * codes, max_size=3 * codes))
    stands, names = names_of(torch.tensor(counts).view(codes, 3), CLASSES)
    assert len(set(names)) == len(names) == len(stands) == codes
    for index, name in zip(stands, names, strict=True):
        assert name.startswith("unknown" if index is None else CLASSES[index])
    known = [index for index in stands if index is not None]
    assert {CLASSES[index] for index in known} <= set(names)


@pytest.mark.parametrize(
    ("labels", "latent", "message"),
    [
        (None, "", "has no labels; name it by hand"),
        (LABELS, "z: normal(2)", "no categorical code to name"),
        (LABELS, "z: normal(2), k: categorical(3) condition", "no categorical code to name"),
        (LABELS, "a: categorical(2) code, b: categorical(2) code", "say --variable, one of: a, b"),
    ],
)
def test_what_cannot_be_named_is_said_in_one_sentence_and_stores_nothing(told, labels, latent, message):
    run = told(LABELS, labels=labels, latent=latent)
    with pytest.raises(UsageError, match=message) as caught:
        name_categories(run, None)
    assert "\n" not in str(caught.value) and not (run.path / "names.json").exists()


def test_where_no_training_sample_has_a_label_it_says_so(told):
    run = told(LABELS, labels=LABELS.clone())
    naming.open_subject().dataset.split("train").labels["label"].fill_(-1)
    with pytest.raises(UsageError, match="no training sample of told has a known label"):
        name_categories(run, None)


def test_a_number_of_labels_below_one_is_refused(told):
    with pytest.raises(UsageError, match="at least 1 labelled sample, not 0"):
        name_categories(told(LABELS), None, labels=0)


def test_which_code_is_meant():
    latent = LatentSpec.parse(
        "z: normal(2), k: categorical(2) condition, a: categorical(2) code, b: categorical(2) code"
    )
    assert category_of(latent, "b") == "b"
    for wrong, message in [
        ("k", "categorical condition; only"),
        ("z", "normal noise"),
        ("c", "no latent variable 'c'"),
    ]:
        with pytest.raises(UsageError, match=message):
            category_of(latent, wrong)


def test_a_trained_run_is_named_from_its_own_data(copied):
    run, zoo = copied
    (found,) = name_categories(run, zoo, labels=40).variables.values()
    assert found.labels == 40 and found.images == 256 and len(found.names) == 10
    assert name_categories(run, zoo, labels=40).variables["category"] == found


def test_names_by_hand_need_a_name_for_each_category_and_know_the_datas_own(copied):
    run, zoo = copied
    words = ["3", "one", " 0 ", "1", "2", "4", "five", "6", "6", "x"]
    found = set_names(run, zoo, {"category": words}).variables["category"]
    assert found.names == ("3", "one", "0", "1", "2", "4", "five", "6", "6 (2)", "x")
    assert found.classes == (3, None, 0, 1, 2, 4, None, 6, 6, None)
    assert found.order == (2, 3, 4, 0, 5, 7, 8, 1, 6, 9) and found.labels is found.agreement is None
    before = read_names(run)
    for names, message in [
        ({"category": ["a"]}, "'category' has 10 categories, and got 1 names"),
        ({"category": [*"abcdefghi", " "]}, "cannot name a category"),
        ({"style": [*"abcdefghij"]}, "'style' is a uniform code"),
        ({"stile": [*"abcdefghij"]}, "did you mean 'style'"),
    ]:
        with pytest.raises(UsageError, match=message) as caught:
            set_names(run, zoo, names)
        assert "\n" not in str(caught.value) and read_names(run) == before
