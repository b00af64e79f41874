"""What a run leaves behind for people: pictures, a few sentences, and the commands to type next."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

from ganzoo.core.latent import LatentSpec
from ganzoo.runs.directory import RunDirectory
from ganzoo.sampling.pictures import save_png
from ganzoo.sampling.sampler import Sampler
from ganzoo.training.plan import Plan

__all__ = ["draw_samples", "draw_traversals", "next_commands", "resume_command", "sample_picture", "sentences", "typed"]


def sample_picture(run: RunDirectory, images: int) -> Path:
    """Where the sheet of samples is drawn at a progress in images."""
    return run.samples / f"{images:09d}.png"


def draw_samples(sampler: Sampler, run: RunDirectory, images: int) -> Path:
    """Draw the default sheet of samples into the run; named by the progress in images."""
    path = sample_picture(run, images)
    save_png(sampler.sheet(), path)
    return path


def draw_traversals(sampler: Sampler, run: RunDirectory) -> list[Path]:
    """Draw a traversal of every code (of the conditions or the noise, where there are no codes)."""
    paths = []
    for traversal in sampler.traverse():
        path = run.traversals / f"{traversal.variable}-{traversal.component}.png"
        save_png(traversal.picture(), path)
        paths.append(path)
    return paths


def sentences(plan: Plan, stats: Mapping[str, float]) -> list[str]:
    """What the last tick's statistics say of the run, in words."""
    latent, said = plan.game.latent, []
    for name in latent.codes.names:
        estimate = stats.get(f"information/{name}")
        if estimate is None:
            continue
        ceiling = latent.entropy(name) if latent[name].discrete else 0.0
        if ceiling > 0:
            said.append(
                f"Samples carry {estimate:.2f} of at most {ceiling:.2f} nats about {name} "
                f"({max(0.0, estimate) / ceiling:.0%} of what it can say)."
            )
        else:
            said.append(f"Samples carry about {estimate:.2f} nats about {name}.")
    for name in latent.conditions.names:
        accuracy = stats.get(f"class_accuracy/{name}")
        if accuracy is not None:
            said.append(f"The critic names the {name} of {accuracy:.1%} of the training samples rightly.")
    accuracy = stats.get("critic_accuracy")
    if accuracy is not None:
        said.append(f"The critic tells real from generated samples {accuracy:.0%} of the time (50% is chance).")
    return said


def resume_command(run: Path, files: Sequence[Path] = ()) -> str:
    """What to type to go on with a run; ``files`` are plugins that have to be named."""
    return f"ganzoo train --resume {typed(run, files)}"


def next_commands(latent: LatentSpec, run: Path, files: Sequence[Path] = ()) -> list[str]:
    """Commands that make sense after training, for this latent space; ``files`` are plugins that have to be named."""
    path = typed(run, files)
    commands = [f"ganzoo sample {path} -n 100 --out grid.png"]
    steered = [*latent.conditions.names, *latent.codes.names]
    for name in steered:
        if latent[name].discrete:
            commands.append(f"ganzoo sample {path} -n 20 --given {name}=1 --out {name}-1.png")
            break
    commands.append(f"ganzoo traverse {path}" + (f" {steered[-1]} --gif" if latent.codes.names else ""))
    return commands


def typed(run: Path | str, files: Sequence[Path]) -> str:
    """A run as it is typed behind a command, with the plugins that have to be named."""
    return quote(str(run)) + "".join(f" --plugin {quote(str(file))}" for file in files)
