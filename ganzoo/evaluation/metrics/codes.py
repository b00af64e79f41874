"""How well the categorical codes that the critic reads from real samples agree with the data's classes."""

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganzoo.core.variables import Categorical
from ganzoo.evaluation.matching import contingency, error, many_to_one, one_to_one, purity
from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

__all__ = ["Codes", "categorical_codes", "counted", "read_code"]

NEEDED = 10
"""Real samples a code, below which the best matching of chance itself looks like agreement."""


class Codes(Metric):
    """The critic's guess of each categorical code on the real test split, against the data's first label.

    The guess is the code of the largest posterior probability Q(c|x); no label is used in training. Which code
    stands for which class is settled on the same samples (one to one, by the Hungarian method), as is usual for
    clusters. NMI is normalised by the arithmetic mean of the entropies.

    Source: Chen et al. 2016, arXiv 1606.03657, section 7.2 (5 % error of a code on MNIST, by matching); NMI:
    Strehl & Ghosh 2002, "Cluster ensembles"; ARI: Hubert & Arabie 1985, "Comparing partitions", equation 5.
    """

    name: ClassVar[str] = "codes"
    summary: ClassVar[str] = (
        "error, purity, NMI and ARI of the categorical codes on real samples, and how they are used"
    )
    group: ClassVar[Group] = "codes"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """Six scores a categorical code; its use alone where the data have no labels.

        Raises:
            Unavailable: there is no categorical code, too few samples, or the critic judges no sample alone.
        """
        samples = subject.real("test")
        label = next(iter(subject.data.labels), None)
        classes = samples.labels.get(label) if label is not None else None
        known = classes >= 0 if classes is not None else torch.zeros(len(samples.values), dtype=torch.bool)
        for name, variable in categorical_codes(subject).items():
            subject.at_least(NEEDED * variable.size, len(samples.values), "real test samples")
            codes = read_code(subject, samples.values, name)
            lacking = NEEDED * variable.size if int(known.sum()) < NEEDED * variable.size else 0
            yield self._use(subject, name, variable, codes, lacking)
            if not lacking and classes is not None and label is not None:
                yield from self._agreement(subject, name, variable, codes[known], classes[known], label)

    def _use(self, subject: Subject, name: str, variable: Categorical, codes: Tensor, lacking: int) -> Score:
        counts = torch.bincount(codes, minlength=variable.size)
        shares = counts.double() / counts.sum()
        ceiling = f"{math.log(variable.size):.3f} nats (ln {variable.size})"
        note = f"at most {ceiling}, where real samples use all codes equally often"
        if lacking:
            note += f"; error, purity, NMI and ARI need at least {lacking:,} labelled test samples, which are not there"
        return subject.score(
            f"code_entropy/{name}",
            float(torch.special.entr(shares).sum()),
            f"argmax of Q({name}|x), {variable.size} codes, on {len(codes):,} test samples; {subject.critic_protocol}",
            unit="nats",
            real=len(codes),
            split="test",
            note=note,
            details={"counts": counts.tolist(), "most": math.log(variable.size)},
        )

    def _agreement(
        self, subject: Subject, name: str, variable: Categorical, codes: Tensor, classes: Tensor, label: str
    ) -> Iterable[Score]:
        from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score  # takes long to import

        names = list(subject.data.labels[label].classes)
        table = contingency(codes, classes, variable.size, len(names))
        matching, majority = one_to_one(table), many_to_one(table)
        read = f"argmax of Q({name}|x), {variable.size} codes, against {label} on {len(codes):,} test samples"
        matched = "one-to-one (Hungarian) matching on the same samples, NMI over the arithmetic mean"
        protocol = f"{read}; {matched}; {subject.critic_protocol}"
        both = {"classes": names, "confusion": table.tolist()}
        if variable.names:
            both["names"] = list(variable.names)

        def score(kind: str, value: float, protocol: str = protocol, **more: Any) -> Score:
            return subject.score(f"{kind}/{name}", value, protocol, real=len(codes), split="test", **more)

        yield score(
            "code_error",
            error(table, matching),
            unit="share",
            better="lower",
            note=counted(variable.size, len(names)),
            details={"matching": matching, **both},
        )
        if variable.size != len(names):
            yield score(
                "many_to_one_error",
                error(table, majority),
                f"{read}; many-to-one matching on the same samples; {subject.critic_protocol}",
                unit="share",
                better="lower",
                note="each code stands for its most frequent class; not comparable between numbers of codes",
                details={"matching": majority, **both},
            )
        yield score("code_purity", purity(table), unit="share", better="higher")
        pair = classes.numpy(), codes.numpy()
        yield score("code_nmi", normalized_mutual_info_score(*pair), better="higher")
        yield score("code_ari", adjusted_rand_score(*pair), better="higher")


def counted(codes: int, classes: int) -> str:
    """What a number of codes that is not that of the classes does to the error under one-to-one matching."""
    if codes > classes:
        return f"there are {codes} codes for {classes} classes: samples of the codes left over count as errors"
    if codes < classes:
        return f"there are {codes} codes for {classes} classes: samples of the classes left over count as errors"
    return ""


def categorical_codes(subject: Subject) -> dict[str, Categorical]:
    """The categorical codes of the latent space by name.

    Raises:
        Unavailable: there is none.
    """
    found = {name: each for name, each in subject.latent.codes.items() if isinstance(each, Categorical)}
    if not found:
        raise Unavailable("the latent space has no categorical code")
    return found


def read_code(subject: Subject, values: Tensor, name: str) -> Tensor:
    """The code that the critic finds most probable in each sample.

    Args:
        subject: whose critic.
        values: (N, *shape), samples.
        name: a categorical variable.

    Returns:
        (N,), int64.

    Raises:
        Unavailable: the critic does not recognise the variable, or sees a condition and so judges no sample alone.
    """
    try:
        verdict = subject.judge(values)
    except ValueError as error:  # it sees a condition
        raise Unavailable(f"the critic reads no code from a sample alone: {error}") from error
    if name not in verdict.recognised:
        raise Unavailable(f"the critic has no head that recognises {name}")
    posterior = subject.latent.posterior(name, verdict.recognised[name])
    return posterior.mean.argmax(dim=1)
