"""A paragraph that says in words what the scores of a run mean: what is wrong, if anything, and what to try."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from ganzoo.core.data import DataSpec
from ganzoo.evaluation.score import Score, amount
from ganzoo.models.options import ModelOptions

__all__ = ["RULES", "Rule", "diagnose"]

Scores = Mapping[str, Score]
Advice = tuple[str, bool | float]
"""An option that every model has, and the value to try."""

STEADY: tuple[Advice, ...] = (("instance_noise", 0.3), ("r1", 1.0))
LONGER = "train longer, with a larger `--images`"


@dataclass(frozen=True)
class Rule:
    """What to say when a score is out of bounds.

    Attributes:
        score: its name; one that ends in ``/`` stands for all names that begin so.
        fails: whether the value of a score is out of bounds; told the score and all others.
        says: a sentence without its full stop, with ``{value}`` and ``{floor}`` as they are shown, ``{what}``
            for the part of the name after the stroke, and whatever the score's details hold.
        advice: options that may help, the most promising first.
        otherwise: what to try where no option is left.
        needs: entries of the details without which there is nothing to judge.
    """

    score: str
    fails: Callable[[float, Score, Scores], bool]
    says: str
    advice: tuple[Advice, ...] = ()
    otherwise: str = LONGER
    needs: tuple[str, ...] = ()

    def applies(self, score: Score) -> bool:
        """Whether the rule is about this score, and can be judged from it."""
        named = score.name.startswith(self.score) if self.score.endswith("/") else score.name == self.score
        return named and score.value is not None and all(score.details.get(key) is not None for key in self.needs)


def _below(share: float, *, floor: float = 1.0) -> Callable[[float, Score, Scores], bool]:
    """Below so much of what real samples have, or of ``floor`` where that is unknown."""
    return lambda value, score, scores: value < share * (floor if score.floor is None else score.floor)


def _one_in_ten_of_the_way(value: float, score: Score, scores: Scores) -> bool:
    """Further from real samples than a tenth of the way to noise; of roots, for the score is a squared distance."""
    if score.floor is None or score.ceiling is None:
        return False
    near, far = sqrt(max(score.floor, 0.0)), sqrt(max(score.ceiling, 0.0))
    return sqrt(max(value, 0.0)) > near + 0.1 * (far - near)


def _mismatched(value: float, score: Score, scores: Scores) -> bool:
    """Wrong where it could be right: with as many codes as classes."""
    return value > 0.2 and len(score.details["confusion"]) == len(score.details["classes"])


def _no_better_than_pixels(value: float, score: Score, scores: Scores) -> bool:
    other = scores.get("probe_error/pixels") or scores.get("probe_error/values")
    return other is not None and other.value is not None and value >= other.value


RULES = (
    Rule(
        "diversity",
        _below(0.5),
        "generated samples have collapsed: within a class or code they differ {value} times as much as the data do",
        STEADY,
    ),
    Rule(
        "diversity",
        lambda value, score, scores: score.details["minimum"] < 0.4 and not _below(0.5)(value, score, scores),
        "a part has collapsed: samples of {least} differ only {minimum:.2f} times as much as the data do",
        STEADY,
        needs=("minimum", "least"),
    ),
    Rule(
        "coverage",
        _below(0.5),
        "much of the data is never generated: samples are found near {value} of the real ones, against {floor} for "
        "real samples",
        STEADY,
    ),
    Rule(
        "precision",
        _below(0.5),
        "many samples look like nothing in the data: {value} lie among the real ones, against {floor} of real samples",
        (("generator_lr", 1e-3), ("r1", 1.0)),
    ),
    Rule(
        "frechet_distance",
        _one_in_ten_of_the_way,
        "samples are far from the data: their Fréchet distance is {value}, that of real samples {floor}",
        (("generator_lr", 1e-3),),
    ),
    Rule(
        "critic_accuracy",
        lambda value, score, scores: value > 0.95,
        "the critic has won: it tells unseen real samples from generated ones {value} of the time, so the generator "
        "has little to learn from it",
        (("critic_lr", 1e-4), ("instance_noise", 0.3)),
    ),
    Rule(
        "critic_accuracy",
        lambda value, score, scores: score.details["auc"] < 0.4,
        "the critic is behind: it finds generated samples more real than real ones (area under its ROC curve: "
        "{auc:.2f})",
        (("critic_lr", 4e-4), ("critic_turns", 2)),
        needs=("auc",),
    ),
    Rule(
        "memorisation",
        lambda value, score, scores: value > 0.02 + 2 * (score.floor or 0.0),
        "training samples are copied: {value} of the generated ones are as near to one as few unseen real samples are",
        (("augmentation", 0.5), ("instance_noise", 0.3)),
        "train on more data, or shorter",
    ),
    Rule(
        "agreement",
        _below(0.9),
        "samples often show another class than they were asked for: {value} agree, of real samples {floor}",
        (("instance_noise", 0.3),),
    ),
    Rule(
        "worst_agreement",
        lambda value, score, scores: (
            _below(0.75)(value, score, scores)
            and not ("agreement" in scores and _out_of_bounds(scores["agreement"], scores))
        ),
        "one class is not learnt: only {value} of the samples asked to be {class} are",
        (("instance_noise", 0.3),),
        needs=("class",),
    ),
    Rule(
        "information/",
        lambda value, score, scores: value < 0.5 * score.details["entropy"],
        "samples say little of {what}: {value} of at most {entropy:.2f} nats",
        (("recognition_lr", 1e-3),),
        needs=("entropy",),
    ),
    Rule(
        "dead_codes/",
        lambda value, score, scores: value > 0,
        "categories of {what} that stand for nothing in the data, or for one picture: {dead}",
        (("recognition_lr", 1e-3), ("instance_noise", 0.6)),
        "try fewer categories",
        needs=("dead",),
    ),
    Rule(
        "code_error/",
        _mismatched,
        "the code {what} is not the class: matched one to one, {value} of real samples are misnamed (nothing but the "
        "data decides what a code comes to mean)",
        (("augmentation", 0.5), ("instance_noise", 0.6), ("recognition_lr", 1e-3)),
        needs=("confusion", "classes"),
    ),
    Rule(
        "probe_error/critic",
        _no_better_than_pixels,
        "the critic's features tell classes no better than the samples' own values do (a linear probe errs on {value})",
        (("spectral_norm", True),),
    ),
)
"""Every rule, in the order in which faults are told: first what spoils all the rest."""


def diagnose(scores: Scores, options: Mapping[str, Any] | None = None, data: DataSpec | None = None) -> str:
    """One paragraph on a run.

    Args:
        scores: by name.
        options: the run's model options, so that nothing is advised that is already so.
        data: what the samples are, so that nothing is advised that has no effect on such.

    Returns:
        What is wrong, each with something to try; what was looked at and is in order; and what is not finite.
    """
    idle = {"augmentation"} if data is not None and not data.invariances else set()
    said = [f"{_sentence(rule, score)}: {_advised(rule, options or {}, idle)}." for rule, score in _faults(scores)]
    broken = [name for name, score in scores.items() if score.value is None]
    if broken:
        said.append(f"Not a finite number: {', '.join(broken)}; the run may have diverged, so look at its samples.")
    judged = {score.name: score for rule in RULES for score in scores.values() if rule.applies(score)}
    sound = [
        f"{name} ({amount(score.value, score.unit)})"
        for name, score in judged.items()
        if not _out_of_bounds(score, scores)
    ]
    if sound:
        said.append(f"No fault was found in {', '.join(sound)}.")
    return " ".join(said) or "Nothing was measured from which a fault could be told."


def _faults(scores: Scores) -> Iterator[tuple[Rule, Score]]:
    for rule in RULES:
        for score in scores.values():
            if rule.applies(score) and score.value is not None and rule.fails(score.value, score, scores):
                yield rule, score


def _out_of_bounds(score: Score, scores: Scores) -> bool:
    return any(
        rule.applies(score) and score.value is not None and rule.fails(score.value, score, scores) for rule in RULES
    )


def _sentence(rule: Rule, score: Score) -> str:
    details = {
        key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in score.details.items()
    }
    floor = "unknown" if score.floor is None else amount(score.floor, score.unit)
    values = {"value": amount(score.value, score.unit), "floor": floor, "what": score.name.partition("/")[2]}
    text = rule.says.format_map({**details, **values})
    return text[0].upper() + text[1:]


def _advised(rule: Rule, options: Mapping[str, Any], idle: Collection[str]) -> str:
    useful = [(name, value) for name, value in rule.advice if name not in idle]
    left = [f"`-o {name}={_written(value)}`" for name, value in useful if not _in_force(name, value, options)]
    return f"try {' or '.join(left)}" if left else rule.otherwise


def _in_force(name: str, value: bool | float, options: Mapping[str, Any]) -> bool:
    """Whether the run has this value already, or went further from the default in its direction."""
    default = ModelOptions.model_fields[name].default
    got = options.get(name, default)
    if got is None or isinstance(value, bool):
        return bool(got == value)
    return bool(got <= value if default is not None and value < default else got >= value)


def _written(value: bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
