import pytest
from training_helpers import configured, trainer

from ganzoo.benchmark import measure as measuring
from ganzoo.benchmark.measure import flop_of, measure
from ganzoo.core.errors import UsageError
from ganzoo.networks import native_grey, native_squares


def test_a_measurement_is_consistent_and_writes_nothing(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = measure(configured("infogan"), seconds=0.05)
    assert (found.model, found.data, found.batch, found.precision) == ("infogan", "toys", 16, "fp32")
    assert 0 < found.rate.low <= found.rate.median <= found.rate.high
    assert found.flops == found.flop_per_image * found.rate.median
    assert 0 < found.outside_compute < 1
    assert found.rungs == ()
    assert found.as_dict()["rate"]["median"] == found.rate.median
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "model", [pytest.param("gan", marks=pytest.mark.slow), pytest.param("acgan", marks=pytest.mark.slow), "infogan"]
)
def test_the_textbooks_repeated_passes_are_counted(model: str) -> None:
    found = measure(configured(model), seconds=0.05, against_textbook=True)
    by_change = {rung.changes: rung for rung in found.rungs}
    assert list(by_change) == ["", "neither", "algorithm"]
    assert found.rungs[0].ratio.median == 1
    # What changes neither arithmetic nor algorithm does the same operations; the round does without some.
    assert by_change[""].flop_per_image == by_change["neither"].flop_per_image
    assert by_change["algorithm"].flop_per_image == found.flop_per_image < by_change[""].flop_per_image


@pytest.mark.slow
def test_lower_precision_is_a_step_of_its_own() -> None:
    made = configured("gan", flags={"precision": "bf16"})
    found = measure(made, seconds=0.05, against_textbook=True)
    assert [rung.changes for rung in found.rungs] == ["", "neither", "arithmetic", "algorithm"]


def test_operations_are_counted_and_grow_with_the_batch() -> None:
    small, large = (trainer("gan", networks="mlp", flags={"batch": batch}) for batch in (8, 16))
    assert 2 * flop_of(small.play_round) == flop_of(large.play_round) > 0


def test_the_count_is_that_of_torch() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    ours, theirs = trainer("infogan"), trainer("infogan")
    with FlopCounterMode(display=False) as counter:
        theirs.play_round()
    assert flop_of(ours.play_round) == counter.get_total_flops() > 0


def test_a_penalty_on_a_gradient_is_counted() -> None:
    plain, penalised = trainer("gan", critic_norm="none"), trainer("gan", critic_norm="none", r1=1.0)
    assert flop_of(penalised.play_round) > flop_of(plain.play_round)


@pytest.mark.slow
def test_what_weighs_on_the_comparison_is_said() -> None:
    made = configured("gan", instance_noise=0.5)
    assert any("leaves out" in note for note in measure(made, seconds=0.05, against_textbook=True).notes)
    assert not any("leaves out" in note for note in measure(made, seconds=0.05).notes)


def test_what_is_computed_without_native_code_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_grey, "absence", lambda: "a test")
    monkeypatch.setattr(native_squares, "absence", lambda: "a test")
    monkeypatch.setattr(measuring, "has_amx", lambda: True)
    note = "{} is computed without native code, which takes longer: a test".format
    for precision, upsampling in (("fp32", True), ("bf16", False)):
        made = configured("gan", flags={"precision": precision}, networks="upsampling")
        notes = measure(made, seconds=0.05).notes
        assert note("the first or last convolution") in notes
        assert (note("upsampling") in notes) is upsampling


def test_the_textbook_is_refused_before_it_is_timed() -> None:
    with pytest.raises(UsageError, match="no counterpart"):
        measure(configured("gan", r1=1.0), seconds=0.05, against_textbook=True)
