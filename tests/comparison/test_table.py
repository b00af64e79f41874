import csv
import io
from math import nan, sqrt
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from ganzoo.comparison.model import Cell, Comparison, Entrant, EntrantRun, Protocol, Row
from ganzoo.comparison.scores import Measured
from ganzoo.comparison.table import cell, cost_rows, csv_text, marked, score_rows
from ganzoo.evaluation.metric import Metric
from ganzoo.evaluation.score import Score

numbers = st.floats(-1e6, 1e6)
eighths = st.integers(-40, 40).map(lambda number: number / 8)
"""Numbers that floats hold exactly, so that equal values have equal means."""


class Fidelity(Metric):
    name = "fidelity"
    summary = "a number"
    group = "fidelity"

    def scores(self, subject: Any) -> Any:
        raise NotImplementedError


class Codes(Fidelity):
    name = "codes"
    group = "codes"


METRICS: dict[str, type[Metric]] = {"fidelity": Fidelity, "codes": Codes}


def measured(*scores: tuple[str, Score], **skipped: str) -> Measured:
    return Measured(64, {(metric, score.name): score for metric, score in scores}, skipped)


def score(name: str, value: float | None, **others: Any) -> Score:
    return Score(name=name, value=value, **{"protocol": "counted", **others})


@given(st.lists(numbers, min_size=2, max_size=5))
def test_a_cell_holds_mean_and_sample_deviation(values: list[float]) -> None:
    found = cell(values)
    assert found.mean == pytest.approx(np.mean(values), abs=1e-6)
    assert found.spread == pytest.approx(np.std(values, ddof=1), rel=1e-6, abs=1e-6)
    assert found.values == tuple(values)


def test_one_run_has_no_spread() -> None:
    assert cell([0.5]) == Cell(mean=0.5, spread=None, values=(0.5,))


@pytest.mark.parametrize("missing", [None, nan])
def test_a_run_without_a_number_leaves_no_mean(missing: float | None) -> None:
    found = cell([0.5, missing], "of the test split")
    assert (found.mean, found.spread) == (None, None)
    assert found.note == "of the test split; not a finite number in 1 of 2 runs"


@pytest.mark.filterwarnings("ignore:Precision loss occurred")  # of the oracle, where all values of one are equal
@given(
    st.lists(st.lists(eighths, min_size=2, max_size=5), min_size=2, max_size=4),
    st.sampled_from(["lower", "higher"]),
)
def test_the_best_is_ahead_of_every_other_by_welchs_test(entrants: list[list[float]], better: Any) -> None:
    means = [fmean(values) for values in entrants]
    winner = means.index(min(means) if better == "lower" else max(means))
    others = [values for index, values in enumerate(entrants) if index != winner]
    beyond = all(apart(entrants[winner], values) for values in others)
    found = marked({str(index): cell(values) for index, values in enumerate(entrants)}, better)
    assert [each.best for each in found.values()] == [beyond and index == winner for index in range(len(entrants))]


def apart(one: list[float], other: list[float]) -> bool:
    """Whether the means are apart: by SciPy's test of the values, or by sight where those of each are equal."""
    if len(set(one)) == len(set(other)) == 1:
        return one[0] != other[0]
    return bool(ttest_ind(one, other, equal_var=False).pvalue < 0.05)


@pytest.mark.parametrize(
    ("seeds", "degrees", "quantile"),
    [(2, 2, 4.302653), (3, 4, 2.776445), (5, 8, 2.306004)],  # of any printed table of Student's t, 97.5 %
)
def test_how_far_ahead_it_has_to_be(seeds: int, degrees: int, quantile: float) -> None:
    # With equal spreads and numbers of seeds, Welch's degrees of freedom are those of the pooled test.
    assert degrees == 2 * (seeds - 1)

    def starred(difference: float) -> bool:
        cells = {
            label: Cell(mean=mean, spread=1.0, values=(0.0,) * seeds) for label, mean in (("a", 0.0), ("b", difference))
        }
        return marked(cells, "higher")["b"].best

    needed = quantile * sqrt(2 / seeds)
    assert starred(needed * 1.00001)
    assert not starred(needed * 0.99999)


def test_values_without_any_spread_are_apart_if_they_differ() -> None:
    assert marked({"a": cell([0.5, 0.5]), "b": cell([0.5, 0.5])}, "higher")["a"].best is False
    assert marked({"a": cell([0.5, 0.5]), "b": cell([0.5625, 0.5625])}, "higher")["b"].best


def seen(mean: float, spread: float, seeds: int = 3) -> Cell:
    return Cell(mean=mean, spread=spread, values=(mean,) * seeds)


def test_no_best_where_nothing_shows_it() -> None:
    clear = {"a": seen(0.0, 0.1), "b": seen(1.0, 0.1)}
    assert marked(clear, "lower")["a"].best
    assert not any(each.best for each in marked(clear, None).values())
    one_seed = clear | {"c": Cell(mean=5.0, values=(5.0,))}
    assert not any(each.best for each in marked(one_seed, "lower").values())
    alone = {"a": seen(0.0, 0.1), "b": Cell(skipped="it has no codes")}
    assert not any(each.best for each in marked(alone, "lower").values())
    beside_none = clear | {"c": Cell(skipped="it has no codes")}
    assert [each.best for each in marked(beside_none, "lower").values()] == [True, False, False]


def test_nothing_is_to_be_won_beyond_real_data() -> None:
    cells = {"a": seen(0.95, 0.01), "b": seen(0.80, 0.01), "c": seen(0.85, 0.01)}
    assert marked(cells, "higher")["a"].best
    assert marked(cells, "higher", floor=0.9)["a"].best
    assert not any(each.best for each in marked(cells, "higher", floor=0.855).values())
    assert not any(each.best for each in marked(cells, "lower", floor=0.9).values())
    assert marked(cells, "lower", floor=0.7)["b"].best


def test_real_data_have_a_number_where_it_is_the_same_for_all() -> None:
    def row(*floors: float | None) -> Row:
        runs = {str(at): [measured(("fidelity", score("a", 1.0, floor=each)))] for at, each in enumerate(floors)}
        return score_rows(runs, METRICS)[0]

    assert row(0.5, 0.5 + 1e-7, None).floor == 0.5
    assert row(0.5, 0.52).floor is None  # a critic's own, say


def test_rows_stand_in_groups_with_every_entrant_in_each() -> None:
    runs = {
        "gan": [measured(("fidelity", score("distance", 2.0, better="lower", floor=0.1)), codes="it has no codes")],
        "infogan": [measured(("codes", score("error", 0.2)), ("fidelity", score("distance", 1.0, better="lower")))],
    }
    distance, error = score_rows(runs, METRICS)
    assert (distance.name, distance.group, distance.metric, distance.floor) == ("distance", "fidelity", "fidelity", 0.1)
    assert (error.name, error.group) == ("error", "codes")
    assert error.cells["gan"] == Cell(skipped="it has no codes")
    assert [distance.cells[label].mean for label in ("gan", "infogan")] == [2.0, 1.0]


def test_a_score_that_a_run_lacks_although_its_metric_applied() -> None:
    runs = {
        "a": [measured(("codes", score("error/category", 0.2)))],
        "b": [measured(("codes", score("error/style", 0.2)))],
    }
    rows = {row.name: row for row in score_rows(runs, METRICS)}
    assert rows["error/category"].cells["b"].skipped == "it has no such variable"


def test_numbers_measured_in_different_ways_have_no_best() -> None:
    def entrant(values: tuple[float, float], protocol: str) -> list[Measured]:
        return [measured(("fidelity", score("distance", value, better="lower", protocol=protocol))) for value in values]

    alike = {"a": entrant((0.0, 0.1), "counted"), "b": entrant((5.0, 5.1), "counted")}
    [row] = score_rows(alike, METRICS)
    assert row.cells["a"].best and row.protocol == "counted"
    [row] = score_rows(alike | {"b": entrant((5.0, 5.1), "guessed")}, METRICS)
    assert not row.cells["a"].best and row.protocol == ""
    assert row.cells["b"].note == "measured on guessed"


def test_a_score_of_some_seeds_says_so() -> None:
    runs = {"a": [measured(("fidelity", score("distance", 1.0))), measured(fidelity="it broke down")]}
    [row] = score_rows(runs, METRICS)
    assert row.cells["a"].note == "of 1 of its 2 runs"


def an_entrant(label: str, *seconds: float, **others: Any) -> Entrant:
    runs = [
        EntrantRun(seed=seed, path=f"runs/{seed}", origin="trained", images=64, seconds=each, **others)
        for seed, each in enumerate(seconds)
    ]
    counts = {"critic": 10, "critic.trunk": 7, "generator": 20}
    return Entrant(label=label, model="gan", batch=16, precision="fp32", device="cpu", parameters=counts, runs=runs)


def test_costs_are_shown_and_never_marked() -> None:
    rows = {row.name: row for row in cost_rows([an_entrant("a", 1.0, 3.0, peak_memory=7), an_entrant("b", 90.0, 91.0)])}
    assert rows["parameters"].cells["a"].mean == 30
    assert (rows["seconds"].cells["a"].mean, rows["seconds"].cells["a"].spread) == (2.0, pytest.approx(sqrt(2)))
    assert rows["peak_memory"].cells["a"].mean == 7
    assert rows["peak_memory"].cells["b"].skipped.startswith("not known: ")
    assert not any(cell.best for row in rows.values() for cell in row.cells.values())


@pytest.fixture
def comparison() -> Comparison:
    entrants = (an_entrant("a", 1.0, 3.0), an_entrant('b, "quoted"', 2.0, 2.5))
    runs = {
        "a": [measured(("fidelity", score("distance", value, better="lower", floor=0.01))) for value in (0.1, 1 / 3)],
        'b, "quoted"': [measured(("fidelity", score("distance", value, better="lower"))) for value in (7.0, None)],
    }
    protocol = Protocol(data="toys", data_checksum="0", images=64, seeds=(0, 1), setting="fast", samples=8)
    rows = (*score_rows(runs, METRICS), *cost_rows(entrants))
    return Comparison(name="a-b", protocol=protocol, entrants=entrants, rows=rows)


def test_json_round_trip(comparison: Comparison) -> None:
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison


def test_csv_round_trip(comparison: Comparison) -> None:
    lines = list(csv.DictReader(io.StringIO(csv_text(comparison))))
    assert len(lines) == sum(len(row.cells) for row in comparison.rows)
    for line in lines:
        row = comparison[line["name"]]
        found = row.cells[line["entrant"]]
        assert (line["group"], line["protocol"], line["unit"]) == (row.group, row.protocol, row.unit)
        assert (float(line["mean"]) if line["mean"] else None) == found.mean
        assert (float(line["spread"]) if line["spread"] else None) == found.spread
        assert line["best"] == str(int(found.best))
        assert line["note"] == (found.skipped or found.note)
    values = next(line["values"] for line in lines if line["entrant"] == "a")
    assert tuple(map(float, values.split())) == (0.1, 1 / 3)


def test_a_row_is_found_by_name(comparison: Comparison) -> None:
    assert comparison["distance"].floor == 0.01
    with pytest.raises(KeyError):
        comparison["distances"]
