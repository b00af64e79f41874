"""The model of a run: looked up by its name, since no file of a run says what code to import."""

from typing import TYPE_CHECKING

from ganzoo.core.errors import GanzooError, RunError, UsageError
from ganzoo.runs.directory import RunDirectory
from ganzoo.zoo.manager import NotOffered, Zoo

if TYPE_CHECKING:
    from ganzoo.models.model import Model
    from ganzoo.runs.checkpoint import Checkpoint

__all__ = ["check_size", "expect_complete", "model_of"]

MOST_UNSEEN = 16
"""How many times as many values as an exported checkpoint holds the networks may have that it leaves out. Opening such
a run builds them with the others, so a few bytes must not ask for gigabytes; a stock critic has half as many."""


def model_of(run: RunDirectory, zoo: Zoo) -> "type[Model]":
    """The class of a run's model.

    Args:
        run: the run.
        zoo: where it is looked up.

    Raises:
        UsageError: no plugin offers it here, or the one that does cannot be used.
    """
    try:
        return zoo.model(run.record.config.model)
    except NotOffered as error:
        raise UsageError(
            f"{run.name} cannot be opened without its model: {error}; install the plugin that brings it, or name the "
            "file that does with --plugin FILE.py"
        ) from error


def check_size(run: RunDirectory, zoo: Zoo, checkpoint: "Checkpoint") -> None:
    """Compares the networks that a run asks for with those in its checkpoint, before memory is taken for any.

    A record can ask for networks of any size in a line; a checkpoint has to hold them. So they are put together
    without their values first. An exported checkpoint leaves out the critic, whose size is bounded by what is there.

    Args:
        run: the run.
        zoo: where its model is looked up.
        checkpoint: one of the run's.

    Raises:
        UsageError: the model is not to be had here, or its options are impossible.
        RunError: the checkpoint is of other networks, or the run's data are impossible.
    """
    import torch
    from pydantic import ValidationError

    from ganzoo.core.data import validation_sentence
    from ganzoo.models.game import latent_space
    from ganzoo.runs.checkpoint import state_of

    config, model = run.record.config, model_of(run, zoo)
    try:
        data = run.record.data_spec
    except ValidationError as error:
        raise RunError(f"the data in {run.path / 'run.json'} are damaged: {validation_sentence(error)}") from error
    latent = latent_space(made := model(**config.options), data)
    try:
        with torch.device("meta"):
            networks = made.networks(latent, data)
    except GanzooError:
        raise
    except Exception:  # a plugin's networks need not know how to be built without values
        return
    if checkpoint.complete:
        checkpoint.expect("networks", state_of(networks))
        return
    held = checkpoint.networks("averaged")
    inside = state_of({name: network for name, network in networks.items() if name in held})
    checkpoint.expect("averaged", inside)
    unseen = sum(each.numel() for key, each in state_of(networks).items() if key not in inside)
    if unseen > MOST_UNSEEN * sum(each.numel() for each in inside.values()):
        raise RunError(f"{checkpoint.path} leaves out networks of {unseen:,} values, far more than it holds")


def expect_complete(run: RunDirectory, checkpoint: "Checkpoint") -> None:
    """Refuses an exported run where the critic is needed.

    Raises:
        RunError: the checkpoint holds the networks that draw samples, and no other.
    """
    if not checkpoint.complete:
        raise RunError(
            f"{run.name} ships its generator alone, and this takes its critic; use the run that it was exported from, "
            "or train one"
        )
