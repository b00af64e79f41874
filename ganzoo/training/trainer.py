"""The trainer: plays the rounds of a game. It knows players and terms, and no model by name."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.core.data import Split
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.objective import Term
from ganzoo.core.round import Hand, Round, Share
from ganzoo.core.streams import stable_seed
from ganzoo.data.batches import batches, labels_of_batches
from ganzoo.models.game import Game
from ganzoo.models.player import Player
from ganzoo.runs.checkpoint import Checkpoint, state_of
from ganzoo.runs.config import RunConfig
from ganzoo.training.averaging import Averages
from ganzoo.training.distributed import ALONE, Processes, synchronise_statistics, synchronises
from ganzoo.training.graphs import Rounds, way_of_playing
from ganzoo.training.hardware import Hardware
from ganzoo.training.health import Health
from ganzoo.training.inputs import Deal, Inputs
from ganzoo.training.optimisers import make_optimisers, optimiser_state, possible_state, restore_optimisers
from ganzoo.training.statistics import Statistics, names_of_terms, sums_of

__all__ = ["Trainer"]


@dataclass(frozen=True)
class Move:
    """One turn in the order of a round.

    Attributes:
        player: who moves.
        turn: which of its turns, from 0.
        deals: whether it starts on fresh real samples.
        owns_generator: whether it learns through the generator.
        shares_generator: whether a later move on the same samples does.
    """

    player: Player
    turn: int
    deals: bool
    owns_generator: bool
    shares_generator: bool


class Trainer:
    """Plays a game on data.

    A round deals real samples and latents once. The generator runs once; each player in turn judges,
    takes the gradient of its terms with respect to its own parameters, and steps. Progress is counted in
    ``images``: real samples taken by the first player, all its turns included.

    Args:
        game: the model put together.
        splits: the training samples of each source.
        config: budget, batch, seed and schedules.
        hardware: where and how to compute.
        processes: who plays together; each takes its rows of every batch, and all hold the same weights.
    """

    inputs: Inputs
    """What differs from one round to the next."""

    def __init__(
        self,
        game: Game,
        splits: Mapping[str, Split],
        config: RunConfig,
        hardware: Hardware,
        processes: Processes = ALONE,
    ) -> None:
        self.game, self.splits, self.config, self.hardware = game, splits, config, hardware
        self.processes, self._rows = processes, processes.rows(config.batch)
        layout = torch.channels_last if game.data.is_image else torch.contiguous_format
        for network in game.networks.values():
            network.to(hardware.device, memory_format=layout).train()  # type: ignore[call-overload]
            if synchronises(processes, hardware.device):
                synchronise_statistics(network)
        self.optimisers = make_optimisers(game)
        self.averages = Averages({name: game.networks[name] for name in game.model.averaged}, config.half_life)
        self.statistics = Statistics(hardware.device, processes)
        self.health = Health(game.networks)
        self.calls: Counter[str] = Counter()
        self.images = 0
        self._start_streams()
        self.rounds: Rounds = way_of_playing(self)

    @property
    def images_per_round(self) -> int:
        """Real samples that a whole round takes."""
        return self.game.images_per_round(self.config.batch)

    @property
    def progress(self) -> float:
        """Share of the schedule that is used, in [0, 1]; a budget raised later does not stretch it."""
        return self.progress_at(self.images)

    def progress_at(self, images: int) -> float:
        """Share of the schedule that is used after so many images."""
        return min(1.0, images / self.config.schedule)

    def players_at(self, images: int) -> list[Player]:
        """Who takes part in a round that begins after so many images."""
        return [player for player in self.game.players if player.starts_at <= self.progress_at(images)]

    def play_round(self) -> None:
        """Play one round, in the way that the machine allows."""
        with torch.random.fork_rng(devices=[]):  # what the caller draws is not the rounds' business
            self.rounds.play()

    def warm_up(self) -> None:
        """Play the rounds that take longer than those to come."""
        for _ in range(self.rounds.slow):
            self.play_round()

    def seed_layers(self) -> None:
        """Start torch's own generators anew for this round, for layers that draw from them, such as dropout.

        Each process has its own rows, and so its own numbers.
        """
        first = 0 if self._rows is None else self._rows.start
        seed = stable_seed(self.config.seed, self.images, "layers", first)
        if self.hardware.device.type == "cpu":
            # For every accelerator that is not in use yet, torch.manual_seed keeps a trace of where it was called.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def play_moves(self) -> None:
        """Play one round from what ``inputs`` gives: every player that takes part by now moves, in order."""
        before, pending = self.images, []
        progress, scheduled = self.progress, self.inputs.schedules(self.images, self.progress_at)
        hand: Hand | None = None
        players, at_once = self.players_at(before), self.game.model.options.updates == "simultaneous"
        for move in moves(players):
            if hand is None or move.deals:
                hand = self._deal()
            round = Round(
                move.player.name,
                hand,
                self.game.data,
                self.game.model.view,
                progress,
                turn=move.turn,
                owns_generator=move.owns_generator,
                shares_generator=move.shares_generator,
                at_once=at_once,
                calls=self.calls,
                players=[player.name for player in players],
                scheduled=scheduled,
            )
            if not self._take_gradient(move.player, round):
                continue
            last = move.turn == move.player.turns - 1
            if last and at_once:
                pending.append(move.player.name)
                continue
            self.optimisers[move.player.name].step()
            hand.verdicts.clear()
            if move.owns_generator:
                hand.spend()
        for name in pending:
            self.optimisers[name].step()
        self.averages.update(self._images_now(), self.images - before)

    @contextmanager
    def playing_from(self, inputs: Inputs) -> Iterator[None]:
        """Let the rounds inside take everything that differs between rounds from there."""
        usual = self.inputs
        self.inputs = inputs
        try:
            yield
        finally:
            self.inputs = usual

    def state(self) -> tuple[dict[str, dict[str, Tensor]], dict[str, object]]:
        """What a checkpoint holds: tensors by file, and plain data."""
        sums, names = self.statistics.state()
        tensors = {
            "networks": state_of(self.game.networks),
            "averaged": self.averages.state_dict(),
            "optimisers": optimiser_state(self.game, self.optimisers),
            "statistics": sums,
        }
        return tensors, {"statistics": names}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of ``state``, bit for bit on the same machine and thread count.

        Raises:
            RunError: it is damaged, or of another model.
        """
        checkpoint.restore("networks", self.game.networks)
        # Checkpoints from before the critic was averaged hold none of it: its mean begins at the restored weights.
        live = state_of(self.game.networks)
        averaged = {key: live[key] for key in self.averages.state_dict()}
        lacking = () if "critic" in checkpoint.networks("averaged") else "critic."
        checkpoint.expect("averaged", {key: each for key, each in averaged.items() if not key.startswith(lacking)})
        self.averages.load_state_dict(averaged | checkpoint.tensors("averaged"))
        # A parameter that has not been stepped yet has no state, but none can have more than Adam keeps.
        saved, possible = checkpoint.shapes("optimisers"), possible_state(self.game)
        checkpoint.expect("optimisers", {name: possible[name] for name in possible if name in saved})
        restore_optimisers(self.game, self.optimisers, checkpoint.tensors("optimisers"))
        names = names_of_terms(checkpoint)
        checkpoint.expect("statistics", {name: sums_of(terms) for name, terms in names.items()})
        self.statistics.restore(checkpoint.tensors("statistics"), names)
        self.images = checkpoint.images
        self._start_streams()
        self.rounds.forget()

    def check_finite(self) -> None:
        """Stop if any term or weight has become NaN or infinite, or has grown beyond all measure.

        Raises:
            RunError: says which, and when.
        """
        images, rounds = self.images, self.images // self.images_per_round
        found = self.statistics.first_not_finite()
        if found is not None:
            name, images = found
            round_number = -(-images // self.images_per_round)
            raise RunError(f"{name} was not a finite number in round {round_number:,} ({images:,} images)")
        if weight := self.health.not_finite():
            raise RunError(f"{weight} was not finite by round {rounds:,}")
        if complaint := self.health.diverged(self.statistics.means()):
            raise RunError(f"{complaint}, by round {rounds:,} ({images:,} images): lower the rates of learning")

    def _start_streams(self) -> None:
        streams = {
            source: batches(
                split,
                self.game.data,
                batch=self.config.batch,
                seed=self.config.seed,
                position=self.images,
                rows=self._rows,
                device=self.hardware.device,
            )
            for source, split in self.splits.items()
        }
        # Conditions are the labels of the whole batch in another order.
        labels = labels_of_batches(
            next(iter(self.splits.values())),
            batch=self.config.batch,
            seed=self.config.seed,
            position=self.images,
            device=self.hardware.device,
        )
        alone = self._rows is None

        def deals() -> Iterator[Deal]:
            while True:
                reals = {source: next(stream) for source, stream in streams.items()}
                yield Deal(reals, None if alone else next(labels))

        self.inputs = Inputs(deals())

    def _deal(self) -> Hand:
        deal = self.inputs.deal()
        share = None if self._rows is None else Share(self._rows, self.config.batch, deal.labels or {})
        key = (self.config.seed, self.images)
        hand = Hand(self.game.latent, self.game.networks, deal.reals, key, share, self.inputs.generator)
        self.images += self.config.batch
        return hand

    def _take_gradient(self, player: Player, round: Round) -> bool:
        """Compute the player's terms and their gradient; False if it has none in this round."""
        optimiser = self.optimisers[player.name]
        optimiser.zero_grad(set_to_none=True)
        with self.hardware.autocast():
            terms = list(self.game.objective.terms(player.name, round))
        if not terms:
            return False
        losses: dict[tuple[str, ...], list[Tensor]] = {}
        for term in terms:
            losses.setdefault(term.only, []).append(term.weight * term.value)
        remaining = len(losses)
        # Of players that move at once, the next may learn through the same pass of the generator.
        shared = self.game.model.options.updates == "simultaneous"
        for only, values in losses.items():
            remaining -= 1
            # inputs= keeps the gradient out of parameters of other players, and spares its computation.
            torch.autograd.backward(
                torch.stack(values).sum(), inputs=self._owned(player, only), retain_graph=shared or remaining > 0
            )
        owned = (parameter.grad for group in optimiser.param_groups for parameter in group["params"])
        self.processes.average([gradient for gradient in owned if gradient is not None])
        self._record(player, terms)
        return True

    def _owned(self, player: Player, only: tuple[str, ...]) -> list[torch.nn.Parameter]:
        found = [
            parameter
            for owned in self.game.parameters[player.name].values()
            for name, parameter in owned
            if not only or any(name == path or name.startswith(f"{path}.") for path in only)
        ]
        if not found:
            raise UsageError(f"a term is only for {', '.join(only)}, and player {player.name} owns nothing there")
        return found

    def _record(self, player: Player, terms: list[Term]) -> None:
        with torch.no_grad():
            self.statistics.add(player.name, terms, self._images_now())

    def _images_now(self) -> float | Tensor:
        return self.inputs.number(self.images, float, torch.float64)


def moves(players: list[Player]) -> list[Move]:
    """The order of a round: each player's turns, the first player's on fresh samples each time."""
    order = [(player, turn) for player in players for turn in range(player.turns)]
    deals = [player is players[0] for player, _ in order]
    owns = [player.owns_network("generator") for player, _ in order]
    result = []
    for index, (player, turn) in enumerate(order):
        shares = False
        for later in range(index + 1, len(order)):
            if deals[later]:
                break
            shares = shares or owns[later]
        result.append(Move(player, turn, deals[index], owns[index], shares and not owns[index]))
    return result
