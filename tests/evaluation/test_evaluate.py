import shutil
from types import SimpleNamespace

import pytest
import torch
from training_helpers import Toys

import ganzoo
from ganzoo.comparison.scores import Examination, measure
from ganzoo.core.errors import RunError, UsageError
from ganzoo.evaluation.evaluate import evaluate, open_subject
from ganzoo.evaluation.extractor import Extractor, Features
from ganzoo.evaluation.metric import Metric
from ganzoo.evaluation.records import FILE, read_records
from ganzoo.evaluation.score import Unavailable
from ganzoo.evaluation.setting import FAST, FULL
from ganzoo.runs.directory import RunDirectory
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.selection import Selection


class Brightness(Metric):
    """Two numbers, one of them in features."""

    name = "brightness"
    summary = "mean of the samples"
    group = "health"

    def scores(self, subject):
        yield subject.score("brightness", subject.fakes(20).mean(), "mean of 20", samples=20)
        yield subject.score("feature", subject.fake_features(20).features.mean(), "mean of 20", features=True)


class Gaps(Metric):
    """Never available."""

    name = "gaps"
    summary = "nothing"
    group = "fidelity"

    def scores(self, subject):
        raise Unavailable("needs a tail; train one")


class Torn(Metric):
    """Two scores, before it is noticed that the third cannot be had."""

    name = "torn"
    summary = "as far as it goes"

    def scores(self, subject):
        yield subject.score("torn/first", 1, "first")
        yield subject.score("torn/second", 2, "second")
        raise Unavailable("needs a third")


class Slow(Metric):
    """Takes its time."""

    name = "slow"
    summary = "the number of samples"
    group = "codes"
    slow = True

    def scores(self, subject):
        return [subject.score("slow", subject.setting.samples, "as set")]


class Halves(Extractor):
    """Half of every value."""

    name = "halves"
    summary = "half of every value"

    @classmethod
    def is_default_for(cls, data):
        return data.name == "toys"

    def __call__(self, samples):
        return Features(samples.flatten(1) / 2, None)


class Picky(Extractor):
    """Takes nothing."""

    name = "picky"
    summary = "nothing"

    def __init__(self, data, device="cpu"):
        raise UsageError(f"picky takes no {data.name} samples; leave --extractor out")

    def __call__(self, samples):
        raise NotImplementedError


def bare_zoo() -> Zoo:
    """The models, and the toys."""
    zoo = Zoo(selection=Selection(deny=frozenset({"evaluation"})))
    plugin = SimpleNamespace(ganzoo_register_datasets=hookimpl(lambda: [Toys], specname="ganzoo_register_datasets"))
    zoo.register(plugin, "toys")
    return zoo


@pytest.fixture
def zoo() -> Zoo:
    """The models, the toys, and no metric or extractor but those above."""
    zoo = bare_zoo()
    plugin = SimpleNamespace(
        ganzoo_register_metrics=hookimpl(lambda: [Brightness, Gaps, Slow], specname="ganzoo_register_metrics"),
        ganzoo_register_extractors=hookimpl(lambda: [Halves, Picky], specname="ganzoo_register_extractors"),
    )
    zoo.register(plugin, "own")
    return zoo


@pytest.fixture
def copied(toys_run, tmp_path) -> RunDirectory:
    """A copy of the run, to be written to."""
    return RunDirectory.open(shutil.copytree(toys_run.path, tmp_path / toys_run.path.name))


def test_scores_are_given_and_stored_with_the_run(copied, zoo, toys_run):
    result = evaluate(copied, zoo, seed=3)
    assert [score.name for score in result.scores] == ["brightness", "feature"]
    expected = toys_run.sample(20, seed=3).mean()
    torch.testing.assert_close(torch.tensor(result["brightness"].value), expected)
    torch.testing.assert_close(torch.tensor(result["feature"].value), expected / 2)
    assert result["feature"].extractor == "halves"
    assert (result.images, result.setting, result.seed) == (64, FAST, 3)
    records = read_records(copied)
    assert [record.score for record in records if record.score] == result.scores
    assert {(record.images, record.seed, record.extractor) for record in records} == {(64, 3, "halves")}
    assert [record.metric for record in records if record.score] == ["brightness", "brightness"]
    with pytest.raises(KeyError):
        result["nothing"]


def test_the_same_seed_gives_the_same_scores_and_evaluations_add_up(copied, zoo):
    one, two, other = evaluate(copied, zoo), evaluate(copied, zoo), evaluate(copied, zoo, seed=1)
    assert one.scores == two.scores != other.scores
    assert len([record for record in read_records(copied) if record.score]) == 6


def test_a_metric_that_does_not_apply_is_skipped_and_says_why(copied, zoo):
    result = evaluate(copied, zoo)
    assert [(each.metric, each.reason) for each in result.skipped] == [("gaps", "needs a tail; train one")]
    [record] = [record for record in read_records(copied) if record.metric == "gaps"]
    assert (record.score, record.skipped) == (None, result.skipped[0])


def test_what_a_metric_found_before_it_stopped_short_is_kept(copied, zoo, monkeypatch):
    zoo.register(
        SimpleNamespace(ganzoo_register_metrics=hookimpl(lambda: [Torn], specname="ganzoo_register_metrics")), "torn"
    )
    result = evaluate(copied, zoo, metrics=["torn"])
    assert [(score.name, score.value) for score in result.scores] == [("torn/first", 1), ("torn/second", 2)]
    reason = "needs a third; found all the same: torn/first, torn/second"
    assert [(each.metric, each.reason) for each in result.skipped] == [("torn", reason)]
    examination = Examination({"torn": Torn}, FAST, None, Halves(copied.record.data_spec), 0, torch.device("cpu"))
    monkeypatch.setattr("ganzoo.comparison.scores.evaluate", lambda *_, **__: pytest.fail("it was tried again"))
    known = measure(copied, zoo, examination)
    assert list(known.scores) == [("torn", "torn/first"), ("torn", "torn/second")]
    assert known.skipped == {"torn": reason}, "a comparison says it where the third is missing"


def test_a_metric_that_finds_nothing_is_skipped(copied, zoo, monkeypatch):
    monkeypatch.setattr(Slow, "scores", lambda self, subject: [])
    result = evaluate(copied, zoo, metrics=["slow"])
    assert (result.scores, result.skipped[0].reason) == ([], "it found nothing")
    assert read_records(copied)[0].skipped == result.skipped[0]


def test_scores_found_before_a_failure_are_kept(copied, zoo, monkeypatch):
    def fail(self, subject):
        raise ZeroDivisionError

    monkeypatch.setattr(Slow, "scores", fail)
    with pytest.raises(ZeroDivisionError):
        evaluate(copied, zoo, metrics=["brightness", "slow"])
    assert len(read_records(copied)) == 2


def test_metrics_are_those_of_the_setting_in_the_order_of_their_groups(copied, zoo):
    def names(**more):
        told = []
        evaluate(copied, zoo, progress=lambda *each: told.append(each), **more)
        return told

    assert names() == [("gaps", 0, 2), ("brightness", 1, 2)]
    assert names(full=True) == [("gaps", 0, 3), ("slow", 1, 3), ("brightness", 2, 3)]
    assert names(metrics=["slow"]) == [("slow", 0, 1)]
    assert names(metrics=["slow", "gaps", "slow"]) == [("slow", 0, 2), ("gaps", 1, 2)]


def test_the_setting_is_stored_with_the_score(copied, zoo):
    assert evaluate(copied, zoo, metrics=["slow"], full=True)["slow"].value == FULL.samples
    assert evaluate(copied, zoo, metrics=["slow"], samples=300)["slow"].value == 300
    assert [(each.setting, each.requested) for each in read_records(copied)] == [("full", 50_000), ("fast", 300)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metrics": ["brightnes"]}, "there is no metric 'brightnes'; did you mean 'brightness'"),
        ({"metrics": ["brightness", "nothing"]}, "there is no metric 'nothing'; known: brightness, gaps, slow"),
        ({"extractor": "halvs"}, "there is no extractor 'halvs'; did you mean 'halves'"),
        ({"extractor": "picky"}, "picky takes no toys samples"),
        ({"samples": 1}, "--samples 1 is too few"),
        ({"samples": -3}, "--samples -3 is too few"),
    ],
)
def test_a_wrong_name_or_number_is_refused_before_anything_is_measured(copied, zoo, given, said):
    with pytest.raises(UsageError, match=said) as caught:
        evaluate(copied, zoo, **given)
    assert "\n" not in str(caught.value)
    assert not (copied.path / FILE).exists()


def test_another_extractor_can_be_named_and_none_need_be_there(toys_run, zoo):
    assert open_subject(toys_run.directory, zoo).extractor.name == "halves"
    assert open_subject(toys_run.directory, zoo, extractor="halves").extractor.name == "halves"
    with pytest.raises(Unavailable, match="no extractor is the default for toys"):
        open_subject(toys_run.directory, bare_zoo()).extractor  # noqa: B018


def test_data_that_have_changed_are_refused(copied, zoo):
    copied.update(data_checksum="0" * 64)
    with pytest.raises(RunError, match=r"the data of 00001-infogan-toys have changed since it was trained"):
        evaluate(copied, zoo)
    assert not (copied.path / FILE).exists()


def test_a_run_without_a_checkpoint_is_refused(copied, zoo):
    shutil.rmtree(copied.checkpoints)
    copied.checkpoints.mkdir()
    with pytest.raises(RunError, match="no checkpoint"):
        evaluate(copied, zoo)


def test_an_evaluation_changes_nothing_but_the_scores(copied, zoo):
    before = {path: path.read_bytes() for path in copied.path.rglob("*") if path.is_file()}
    random = torch.get_rng_state()
    evaluate(copied, zoo)
    after = {path: path.read_bytes() for path in copied.path.rglob("*") if path.is_file()}
    assert after.keys() - before.keys() == {copied.path / FILE}
    assert all(after[path] == content for path, content in before.items())
    assert torch.equal(random, torch.get_rng_state())


def test_python_users_evaluate_a_run(copied, zoo):
    result = ganzoo.open(copied.path, zoo=zoo).evaluate("brightness", samples=20, seed=1)
    assert result["brightness"].samples == 20 and result.seed == 1
