"""One turn of one player: the samples, latents, fakes and verdicts that its objective may use."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from ganzoo.core.critic import Verdict
from ganzoo.core.data import DataSpec, Samples
from ganzoo.core.errors import RunError
from ganzoo.core.latent import Latents, LatentSpec
from ganzoo.core.streams import generator as seeded

__all__ = ["Hand", "Round", "Schedule", "Share", "View", "condition_of_labels"]

View = Callable[[Tensor, "Round"], Tensor]
"""What the critic gets to see of samples: (N, *shape) to (N, *shape)."""

Schedule = Callable[[float], float]
"""A number that follows the run's progress in [0, 1], and nothing else."""


@dataclass(frozen=True)
class Share:
    """What a process that takes some rows of every batch has to know of the whole.

    Attributes:
        rows: the rows that it takes.
        batch: samples in the whole batch.
        labels: of the whole batch of the first source, per label name (batch,); may lack those that no
            condition of the model goes by.
    """

    rows: slice
    batch: int
    labels: Mapping[str, Tensor]


class Hand:
    """What is dealt once and shared by the players of a round: real samples, latents and fakes.

    The fakes are generated once and used by every turn until a player that owns the generator has
    stepped; then they are ``spent`` and the next turn that asks gets new latents. Verdicts are shared by
    players that step at once; whoever steps before them clears ``verdicts``.

    Args:
        latent: the latent space.
        networks: every network of the game by name.
        reals: a batch from each source.
        seed: key of the round's randomness, (seed, images).
        share: where several processes share the round; the samples are then this one's rows. All random
            numbers are drawn for the whole batch and cut to these, so that who draws does not matter.
        random: gives the generator of a stream, by its key and ``device``.
    """

    def __init__(
        self,
        latent: LatentSpec,
        networks: Mapping[str, nn.Module],
        reals: Mapping[str, Samples],
        seed: tuple[int | str, ...],
        share: Share | None = None,
        random: Callable[..., torch.Generator] = seeded,
    ) -> None:
        self.latent, self.networks, self.reals, self.seed, self.share = latent, networks, reals, seed, share
        self.random = random
        self.real = next(iter(reals.values()))
        self.deals = 0
        self.verdicts: dict[str, Verdict] = {}
        self._latents: Latents | None = None
        self._fakes: Tensor | None = None

    @property
    def latents(self) -> Latents:
        """Latents for as many samples as are real; conditions are the real labels, shuffled."""
        if self._latents is None:
            values, share = self.real.values, self.share
            random = self.random(*self.seed, "latents", self.deals, device=values.device)
            labels, batch = (self.real.labels, len(values)) if share is None else (share.labels, share.batch)
            conditions = shuffled_conditions(self.latent, labels, random)
            latents = self.latent.draw(batch, random, values.device, given=conditions)
            self._latents = latents if share is None else latents.rows(share.rows)
            self.deals += 1
        return self._latents

    def fakes(self, graph: bool) -> Tensor:
        """The generator's samples, (N, *shape) in float32.

        Args:
            graph: whether a player is going to differentiate through the generator.
        """
        if self._fakes is None or (graph and not self._fakes.requires_grad):
            with torch.set_grad_enabled(graph):
                self._fakes = self.networks["generator"](self.latents.flat).float()
        return self._fakes

    def spend(self) -> None:
        """Forget latents and fakes, because the generator has changed."""
        self._latents = self._fakes = None


class Round:
    """One turn of one player.

    Args:
        player: the player's name.
        hand: what the round's turns share.
        data: the specification of the samples.
        view: what the critic gets to see of samples.
        progress: share of the budget that is used, in [0, 1].
        owns_generator: whether this player differentiates through the generator.
        shares_generator: whether the next player to move will use the same fakes with their graph.
        at_once: whether the players of this hand step together: they then meet the same critic, and share its verdicts.
        calls: counts the extra calls of ``generate`` and ``judge``.
        players: the names of all who take part in this round; who joins late is not among them before.
        scheduled: gives the number of a schedule where the round is captured, to be played at any progress;
            ``progress`` then cannot be read.
    """

    def __init__(
        self,
        player: str,
        hand: Hand,
        data: DataSpec,
        view: View,
        progress: float,
        *,
        turn: int = 0,
        owns_generator: bool = False,
        shares_generator: bool = False,
        at_once: bool = False,
        calls: Counter[str] | None = None,
        players: Collection[str] = (),
        scheduled: Callable[[Schedule], float | Tensor] | None = None,
    ) -> None:
        self.player, self.hand, self.data, self.turn = player, hand, data, turn
        self._progress, self._scheduled = progress, scheduled
        self.latent, self.networks = hand.latent, hand.networks
        self.players = frozenset(players) | {player}
        self.calls: Counter[str] = Counter() if calls is None else calls
        self._view, self._owns, self._shares = view, owns_generator, shares_generator
        self._at_once, self._verdicts = at_once, hand.verdicts if at_once else {}
        self._streams: dict[str, torch.Generator] = {}

    @property
    def progress(self) -> float:
        """Share of the budget that is used, in [0, 1]; what depends on it alone is better ``scheduled``.

        Raises:
            RunError: the round is being captured in a CUDA graph, which would keep this value for ever.
        """
        if self._scheduled is not None:
            raise RunError("round.progress was read, which a graph would freeze; round.scheduled can be captured")
        return self._progress

    def scheduled(self, schedule: Schedule) -> float | Tensor:
        """The value of a schedule at the run's progress: a float, or a scalar on the device in a captured round.

        Args:
            schedule: progress in [0, 1] to a number; nothing else may go in, for it is called again later.
        """
        return schedule(self._progress) if self._scheduled is None else self._scheduled(schedule)

    @property
    def real(self) -> Samples:
        """Real samples and labels of the first source."""
        return self.hand.real

    @property
    def reals(self) -> Mapping[str, Samples]:
        """Real samples and labels of every source."""
        return self.hand.reals

    @property
    def latents(self) -> Latents:
        """The latents behind ``fakes``."""
        return self.hand.latents

    @cached_property
    def fakes(self) -> Tensor:
        """Generated samples (N, *shape); without a graph for players that do not own the generator."""
        return self._fakes if self._owns else self._fakes.detach()

    @cached_property
    def real_condition(self) -> Tensor | None:
        """The real samples' own conditions (N, W), a row of zeros where the label is unknown."""
        return condition_of_labels(self.latent, self.real)

    @property
    def fake_condition(self) -> Tensor | None:
        """The conditions behind ``fakes``, (N, W)."""
        names = self.latent.conditions.names
        return torch.cat([self.latents[name] for name in names], dim=1) if names else None

    @property
    def real_verdict(self) -> Verdict:
        """The critic's verdict on the real samples, computed when first asked for.

        Players that step at once share it, as the first of them sees the samples. A derivative with respect
        to samples is taken of a verdict of its own: ``judge``.
        """
        return self._verdict("real", lambda: self.real.values, lambda: self.real_condition)

    @property
    def fake_verdict(self) -> Verdict:
        """The critic's verdict on the fakes, computed when first asked for; shared like ``real_verdict``."""
        # One that is shared leads back to both players' parameters; each takes the gradient of its own.
        return self._verdict("fake", lambda: self._fakes if self._at_once else self.fakes, lambda: self.fake_condition)

    def seen(self, samples: Tensor) -> Tensor:
        """What the critic gets to see of samples, (N, *shape): the model's view."""
        return self._view(samples, self)

    def judge(
        self, samples: Tensor, condition: Tensor | None = None, network: str = "critic", *, view: bool = True
    ) -> Verdict:
        """One more, counted, call of a critic.

        Args:
            samples: (N, *shape).
            condition: (N, W).
            network: name of the critic.
            view: whether it gets to see them through the model's view; False for what ``seen`` has given.
        """
        self.calls[f"judge/{network}"] += 1
        return self._judge(self.seen(samples) if view else samples, condition, network)

    def generate(self, latents: Latents | Tensor) -> Tensor:
        """One more, counted, call of the generator: (N, D) to (N, *shape)."""
        self.calls["generate/generator"] += 1
        flat = latents if isinstance(latents, Tensor) else latents.flat
        fakes: Tensor = self.networks["generator"](flat)
        return fakes.float()

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Numbers in [0, 1) from the stream of that name, a row a sample; the same in every replay."""
        return self._drawn(torch.rand, name, shape)

    def normal(self, name: str, *shape: int) -> Tensor:
        """Standard normal numbers from the stream of that name, a row a sample; the same in every replay."""
        return self._drawn(torch.randn, name, shape)

    @property
    def _fakes(self) -> Tensor:
        return self.hand.fakes(graph=self._owns or self._shares)

    def _drawn(self, draw: Callable[..., Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
        device, share = self.real.values.device, self.hand.share
        times, rest = divmod(shape[0], len(self.real.values)) if shape else (0, 0)
        if share is None or rest or not times:  # numbers that belong to no sample are the same everywhere
            return draw(shape, generator=self._stream(name), device=device)
        # Two rows a sample, as of real and generated samples together, are two batches one after the other.
        whole = draw((times, share.batch, *shape[1:]), generator=self._stream(name), device=device)
        return whole[:, share.rows].reshape(shape)

    def _stream(self, name: str) -> torch.Generator:
        if name not in self._streams:
            key = (*self.hand.seed, self.player, self.turn, name)
            self._streams[name] = self.hand.random(*key, device=self.real.values.device)
        return self._streams[name]

    def _verdict(self, name: str, samples: Callable[[], Tensor], condition: Callable[[], Tensor | None]) -> Verdict:
        if name not in self._verdicts:
            # Whoever asks first may want the number alone, and the next player its gradient.
            with torch.set_grad_enabled(self._at_once or torch.is_grad_enabled()):
                self._verdicts[name] = self._judge(self.seen(samples()), condition(), "critic")
        return self._verdicts[name]

    def _judge(self, samples: Tensor, condition: Tensor | None, network: str) -> Verdict:
        verdict: Verdict = self.networks[network](samples, condition)
        # Losses are taken in float32 whatever precision the networks ran in.
        recognised = {name: parameters.float() for name, parameters in verdict.recognised.items()}
        return Verdict(verdict.realness.float(), verdict.features, recognised)


def condition_of_labels(latent: LatentSpec, samples: Samples) -> Tensor | None:
    """Labels as the critic's condition (N, W), one-hot, zeros where unknown; None without conditions."""
    names = latent.conditions.names
    if not names:
        return None
    return torch.cat([one_hot(samples.labels[name], latent[name].width) for name in names], dim=1)


def shuffled_conditions(latent: LatentSpec, labels: Mapping[str, Tensor], random: torch.Generator) -> dict[str, Tensor]:
    """Every condition from the batch's own labels in another order; unknown ones from the prior."""
    names = latent.conditions.names
    if not names:
        return {}
    conditions: dict[str, Tensor] = {}
    # One order for all labels: which of them go together is a property of the data.
    first = labels[names[0]]
    order = torch.randperm(len(first), generator=random, device=first.device)
    for name in names:
        label = labels[name]
        prior = latent[name].draw(len(label), random, label.device)
        shuffled = label[order]
        known = (shuffled >= 0).unsqueeze(1)
        conditions[name] = torch.where(known, one_hot(shuffled, latent[name].width), prior)
    return conditions


def one_hot(label: Tensor, classes: int) -> Tensor:
    """(N,) class indices to (N, K) float32 rows; a negative index gives a row of zeros."""
    return (label.unsqueeze(1) == torch.arange(classes, device=label.device)).float()
