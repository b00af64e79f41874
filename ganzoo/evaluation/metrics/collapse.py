"""Collapse: whether what is generated varies as the data do, and whether every code is in use."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from ganzoo.core.variables import Categorical
from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.metrics.codes import categorical_codes, read_code
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Part, Subject

__all__ = ["Collapse", "Grouped", "relative_diversity"]

PARTS: tuple[Part, Part] = ("train", "test")

MOST = 500
"""Samples of a group whose distances are taken; 500 have 124,750 pairs."""

LEAST = 20
"""Samples of a group below which a mean distance would mean little."""

FLAT = 0.05
"""Diversity, relative to the data's, below which a code shows one picture again and again."""

UNUSED = 0.2
"""Share of a code on real samples, relative to its prior probability, below which it is dead."""


class Grouped(NamedTuple):
    """Samples in groups.

    Attributes:
        features: (N, F).
        group: (N,), the group of each.
        kind: (N,), what it is compared with: samples of the data of the same kind.
    """

    features: Tensor
    group: Tensor
    kind: Tensor


class Collapse(Metric):
    """The mean distance of pairs of generated samples within a class or code, divided by the same of the data.

    Distances are Euclidean, between the extractor's features. A group is a class that was asked for, else a
    category of a code, else a class that the extractor sees. It is divided by the diversity of as many
    training samples of the same classes in the same shares: by their labels where a class was asked for,
    else by the extractor's guess on both sides, so that a code that stands for two classes is held against
    pairs of both. An extractor without classes leaves one group, all samples against all. 1 is as diverse as
    the data; 0 is the same picture again and again, or a class that is never generated.

    A categorical code is dead where the critic assigns fewer than a fifth of its fair share of real test
    samples to it (fewer than 1/(5K) of them if all K are equally probable), or its generated samples have a
    diversity below 0.05.

    Scores: ``diversity``, the mean over groups, with each of them and the minimum in the details, and
    ``dead_codes/<code>``, their number.

    Source: the pairwise diversity of Odena, Olah & Shlens 2017, arXiv 1610.09585, section 4.2 (MS-SSIM within a
    class, against the data's), in features instead of structural similarity.
    """

    name: ClassVar[str] = "collapse"
    summary: ClassVar[str] = "diversity within a class or code against the data's, and dead codes"
    group: ClassVar[Group] = "health"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """Both scores, as far as they apply.

        Raises:
            Unavailable: there is no extractor and no categorical code, or there are too few samples.
        """
        codes = [name for name, each in subject.latent.codes.items() if isinstance(each, Categorical)]
        found: dict[str, dict[str, float]] = {}
        try:
            found = _diversities(subject, codes)
        except Unavailable:
            if not codes:
                raise
        else:
            yield self._diversity(subject, found, codes)
        for name in codes:
            yield self._dead(subject, name, found.get(name, {}))

    def _diversity(self, subject: Subject, found: dict[str, dict[str, float]], codes: list[str]) -> Score:
        # Where nothing better is known, codes are held against all data, of which a healthy one is a part.
        shown = {name: groups for name, groups in found.items() if name not in codes} or found
        ratios = {f"{name} {group}": ratio for name, groups in shown.items() for group, ratio in groups.items()}
        subject.at_least(1, len(ratios), f"groups of {LEAST} generated and {LEAST} real samples")
        least = min(ratios, key=lambda key: ratios[key])
        return subject.score(
            "diversity",
            fmean(ratios.values()),
            f"mean pairwise distance within each {' and '.join(shown)}, at most {MOST} samples each, over that of "
            "training samples of the same classes",
            features=True,
            floor=_floor(subject),
            samples=subject.setting.samples,
            real=len(subject.real("train").values),
            split="train",
            note=f"1 is as diverse as the data; the least diverse is {least} with {ratios[least]:.2f}",
            details={"groups": shown, "minimum": ratios[least], "least": least},
        )

    def _dead(self, subject: Subject, name: str, diversities: dict[str, float]) -> Score:
        variable = categorical_codes(subject)[name]
        values = subject.real("test").values
        subject.at_least(LEAST * variable.size, len(values), "real test samples")
        shares = torch.bincount(read_code(subject, values, name), minlength=variable.size).double() / len(values)
        unused = shares < UNUSED * variable.prior().mean
        names = _categories(variable)
        protocol = (
            f"of {variable.size} codes: argmax of Q({name}|x) on fewer than {100 * UNUSED:.0f} % of the expected share "
            f"of {len(values):,} test samples ({subject.critic_protocol})"
        )
        dead = [each for index, each in enumerate(names) if unused[index] or diversities.get(each, 1) < FLAT]
        return subject.score(
            f"dead_codes/{name}",
            len(dead),
            f"{protocol}, or diversity below {FLAT}" if diversities else protocol,
            features=bool(diversities),
            better="lower",
            real=len(values),
            split="test",
            note=f"dead: {', '.join(dead)}" if dead else "",
            details={"dead": dead, "shares": dict(zip(names, shares.tolist(), strict=True)), "diversity": diversities},
        )


def relative_diversity(samples: Grouped, data: Grouped, groups: Iterable[int]) -> dict[int, float]:
    """Per group, the mean distance of its pairs divided by that of as many samples of the data.

    Args:
        samples: in groups; each sample has a kind.
        data: compared with by its kinds; its groups are not used.
        groups: which to look at.

    Returns:
        Ratios by group: 0 for a group of fewer than two samples; a group whose kinds the data do not have, or
        have in one place alone, is left out.
    """
    ratios: dict[int, float] = {}
    for group in groups:
        rows = (samples.group == group).nonzero().flatten()[:MOST]
        if len(rows) < 2:
            ratios[group] = 0.0
            continue
        same = _of_kinds(data.kind, samples.kind[rows])
        whole = float(torch.pdist(data.features[same]).mean()) if len(same) > 1 else 0.0
        if whole > 0:
            ratios[group] = float(torch.pdist(samples.features[rows]).mean()) / whole
    return ratios


def _diversities(subject: Subject, codes: list[str]) -> dict[str, dict[str, float]]:
    """The diversity of each group by its name: per condition and code, or of "class", or of "all".

    Raises:
        Unavailable: there is no extractor, or there are too few samples.
    """
    latents, fakes, real = subject.latents(), subject.fake_features(), subject.real_features("train")
    subject.at_least(LEAST, len(latents), "generated samples")
    subject.at_least(LEAST, len(real.features), "real training samples")
    seen, data = _guessed(*fakes), _guessed(*real)
    found: dict[str, dict[str, float]] = {}
    for name, variable in subject.latent.conditions.items():
        asked, labelled = latents[name].argmax(dim=1), _real(subject, "train", name)
        if labelled is None:
            raise Unavailable(f"the train split of {subject.data.name} has no label {name}")
        both = set(_frequent(asked)) & set(_frequent(labelled.kind))
        ratios = relative_diversity(Grouped(fakes.features, asked, asked), labelled, sorted(both))
        found[name] = _named(ratios, _categories(variable))
    for name in codes:
        asked = latents[name].argmax(dim=1)
        ratios = relative_diversity(Grouped(fakes.features, asked, seen.kind), data, _frequent(asked))
        found[name] = _named(ratios, _categories(subject.latent[name]))
    if fakes.logits is None:
        # A class that was asked for is the better group; a code is not, as nobody knows what it stands for.
        if not subject.latent.conditions:
            found["set"] = _named(relative_diversity(seen, data, [0]), ["all"])
    elif not found:
        ratios = relative_diversity(seen, data, _frequent(data.kind))
        found["class"] = _named(ratios, subject.extractor.classes or [str(k) for k in range(fakes.logits.shape[1])])
    return found


def _floor(subject: Subject) -> float | None:
    """The same of real test samples, grouped as the generated ones are: by their labels, or the extractor's guess."""
    found: list[float] = []
    for name in subject.latent.conditions.names or (None,):
        data, test = (_real(subject, part, name) for part in PARTS)
        if data is not None and test is not None:
            found += relative_diversity(test, data, _frequent(test.kind)).values()
    return fmean(found) if found else None


def _real(subject: Subject, part: Part, label: str | None) -> Grouped | None:
    """Real samples grouped by a label, if they have it, or without one by the class that the extractor sees."""
    features, logits = subject.real_features(part)
    if label is None:
        return _guessed(features, logits)
    classes = subject.real(part).labels.get(label)
    return None if classes is None else Grouped(features, classes, classes)


def _guessed(features: Tensor, logits: Tensor | None) -> Grouped:
    """Samples grouped by the class that the extractor sees, or all in group 0 where it knows none."""
    kinds = torch.zeros(len(features), dtype=torch.int64) if logits is None else logits.argmax(dim=1)
    return Grouped(features, kinds, kinds)


def _frequent(groups: Tensor) -> list[int]:
    """Groups with enough members, in order; -1 is none."""
    counts = groups[groups >= 0].bincount()
    return [group for group, count in enumerate(counts.tolist()) if count >= LEAST]


def _of_kinds(kinds: Tensor, wanted: Tensor) -> Tensor:
    """Rows of the wanted kinds in the wanted numbers, the first of each kind; fewer where there are fewer."""
    counts = enumerate(wanted.bincount().tolist())
    return torch.cat([(kinds == kind).nonzero().flatten()[:count] for kind, count in counts])


def _categories(variable: Any) -> list[str]:
    """The names of a categorical variable's classes, or their indices where they have none."""
    return list(variable.names or map(str, range(variable.size)))


def _named(ratios: dict[int, float], names: Sequence[str]) -> dict[str, float]:
    return {names[index]: ratio for index, ratio in ratios.items()}
