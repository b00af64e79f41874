"""A run as the smallest directory that it can be sampled from, with a model card: to be mailed, or published."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from shutil import rmtree

import torch
from torch import Tensor

from ganzoo.comparison.wording import amount, reproduce
from ganzoo.core.errors import RunError, UsageError
from ganzoo.evaluation.records import newest, read_records
from ganzoo.runs.checkpoint import Checkpoint, save, state_of
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.files import saving, write_atomically
from ganzoo.runs.names import Names, read_names, write_names
from ganzoo.sampling.sampler import Sampler
from ganzoo.zoo.manager import Zoo

__all__ = ["CARD", "export"]

CARD = "README.md"
BAR = r"\|"
"""What stands for ``|`` in a cell of a Markdown table."""


def export(run: RunDirectory, folder: Path | str, zoo: Zoo) -> Checkpoint:
    """Write what sampling needs of a run into a directory of its own.

    It has the run's record and names, the averaged weights of its newest whole checkpoint in half precision, and a
    model card. It is opened by its path like any run; what needs the critic, or goes on with training, is refused.

    Args:
        run: the run; it may itself be an exported one.
        folder: the new directory; it must not exist, and appears whole or not at all.
        zoo: where the run's model is looked up.

    Returns:
        The checkpoint in it, whose manifest says how large the weights are and what their SHA-256 is.

    Raises:
        UsageError: there is such a file or directory, or the run's model is not installed.
        RunError: the run has no whole checkpoint, its weights are beyond half precision, or the disk refused.
    """
    target = Path(folder)
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already; name a directory that does not")
    sampler, names = Sampler(run, zoo), read_names(run)
    assert sampler.checkpoint is not None  # a run's sampler has one
    tensors = state_of({"generator": sampler.generator} | ({"encoder": sampler.encoder} if sampler.encoder else {}))
    for name, tensor in tensors.items():
        if tensor.dtype == torch.float32 and not bool(tensor.half().isfinite().all()):
            raise RunError(f"{run.name} cannot be exported: {name} has values above 65,504, the most in half precision")
    hidden = target.with_name(f".{target.name}.exporting")
    with saving(str(target)):
        rmtree(hidden, ignore_errors=True)  # what a crash may have left
        hidden.mkdir(parents=True)
        try:
            made = RunDirectory(hidden, run.record)
            write_atomically(hidden / "run.json", run.record.text())
            if names.variables:
                write_names(made, names)
            saved = save(made, sampler.checkpoint.images, {"averaged": tensors}, {}, half=True)
            card = _card(target.resolve().name, run, sampler, names, tensors, recipe_note(run, zoo))
            write_atomically(hidden / CARD, "\n".join(card) + "\n")
            hidden.rename(target)
        except BaseException:
            rmtree(hidden, ignore_errors=True)
            raise
    return Checkpoint.open(target / saved.relative_to(hidden))


def recipe_note(run: RunDirectory, zoo: Zoo) -> str:
    """What the registry says of the recipe that the run followed; nothing where it knows none."""
    config, entry = run.record.config, zoo.entry(run.record.config.model)
    found = entry.recipes.get(config.data, {}).get(config.recipe or "") if entry else None
    return found.note if found else ""


def _card(
    name: str, run: RunDirectory, sampler: Sampler, names: Names, tensors: Mapping[str, Tensor], note: str
) -> Iterator[str]:
    """The lines of the model card.

    Args:
        name: of the new directory.
        run: the run.
        sampler: of it.
        names: of its categories.
        tensors: what is stored.
        note: on the recipe.
    """
    record, config, data = run.record, run.record.config, sampler.data
    model = f"{config.model}@{config.recipe}" if config.recipe else config.model
    shape, low, high = "×".join(map(str, data.shape)), *data.range
    values = sum(tensor.numel() for tensor in tensors.values())
    yield f"# {name}\n"
    yield f"The generator of `{model}`, trained on {data.name} by ganzoo: a run that can be sampled.\n"
    yield f"```console\nganzoo sample {quote(name)}\nganzoo traverse {quote(name)}\nganzoo report {quote(name)}\n```\n"
    yield f'```python\nimport ganzoo\n\nsamples = ganzoo.open("{name}").sample(64)\n```\n'
    yield "| | |\n|---|---|"
    facts = {
        "latent space": f"`{sampler.latent}`",
        "samples": f"{shape}, in [{low:g}, {high:g}]",
        "training data": f"{data.name}, {data.size:,} samples, SHA-256 {record.data_checksum}",
        "trained on": f"{record.images:,} images, batch {config.batch}, seed {config.seed}",
        "weights": f"averaged over the run, {values:,} values in half precision",
        "made with": ", ".join(f"{software} {version}" for software, version in sorted(record.versions.items())),
        "to train it again": f"`{reproduce(record)}`",
    }
    if note:
        facts["recipe"] = note
    for variable, each in names.variables.items():
        found = "by hand"
        if each.agreement is not None:
            found = f"from {each.labels:,} labelled training samples, of which {each.agreement:.0%} fit"
        facts[f"names of {variable}"] = f"{', '.join(each.names)} ({found})"
    for fact, said in facts.items():
        yield f"| {fact} | {said.replace('|', BAR)} |"
    yield "\n## Scores"
    scores = [score for _, score in newest(read_records(run)).values()]
    if scores:
        yield "Of the run before its export, in full precision.\n"
        yield "| score | value | real data | how it was measured |\n|---|---:|---:|---|"
    for score in scores:
        floor = "" if score.floor is None else amount(score.floor, score.unit)
        yield f"| `{score.name}` | {amount(score.value, score.unit)} | {floor} | {score.protocol.replace('|', BAR)} |"
    if not scores:
        yield "Not measured."
    yield "\n## Limits"
    yield "There is no critic in it: `ganzoo eval` and `ganzoo train --resume` take the run that it was exported from."
    yield "Samples differ from that run's by what half precision leaves out."
