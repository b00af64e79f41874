"""``ganzoo bench``: how fast models train here, and how near that is to what the machine can do."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import complete_datasets, complete_models, examples, json_option, plugin_option

if TYPE_CHECKING:
    from ganzoo.benchmark.ceilings import Ceilings
    from ganzoo.benchmark.measure import Measured

__all__ = ["bench"]

CEILING_SECONDS = 4.0
"""How long the ceilings are measured at the most."""


@click.command(
    epilog=examples(
        "ganzoo bench                                # every model with a recipe for MNIST",
        "ganzoo bench infogan infogan@paper --seconds 30",
        "ganzoo bench infogan@paper --precision fp32 --batch 256",
        "ganzoo bench infogan@paper --against textbook",
        "ganzoo bench gan@mlp -o noise=32 --json > bench.json",
    )
)
@click.argument("models", nargs=-1, metavar="[MODEL[@RECIPE]]...", shell_complete=complete_models)
@click.option(
    "--data",
    default="mnist",
    show_default=True,
    metavar="NAME|DIR",
    shell_complete=complete_datasets,
    help="Data set, or a folder of images.",
)
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of every model; may be repeated.")
@click.option("--batch", type=int, metavar="N", help="Images per step, instead of the recipe's.")
@click.option("--precision", metavar="auto|fp32|bf16", help="Number format of the networks.")
@click.option("--graph", metavar="auto|on|off", help="Whether a CUDA graph plays the rounds.")
@click.option("--device", metavar="auto|cpu|cuda|mps", help="Where to compute.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long to time each model.",
)
@click.option("--against", type=click.Choice(["textbook"]), help="Time a tutorial's way of training too, in turns.")
@json_option
@plugin_option
def bench(
    models: tuple[str, ...],
    data: str,
    options: tuple[str, ...],
    batch: int | None,
    precision: str | None,
    graph: str | None,
    device: str | None,
    seconds: float,
    against: str | None,
    as_json: bool,
) -> None:
    """Time the training of models, beside what the machine can do at best; nothing is written.

    Without MODEL every model of the catalogue that has a recipe for the data set is timed.
    """
    # Torch's profiler logs its own start and the lack of a GPU; it reads this when torch is imported.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    from ganzoo.api import configure
    from ganzoo.benchmark.ceilings import measure_ceilings
    from ganzoo.benchmark.measure import measure
    from ganzoo.cli.text import print_json
    from ganzoo.training.hardware import Hardware

    flags = {"batch": batch, "precision": precision, "graph": graph, "device": device}
    # All are configured before any is timed, so that a misspelt name costs no time.
    asked = [configure(name, data=data, flags=flags, options=options) for name in models or with_recipe(data)]
    hardware = Hardware.choose(asked[0].config.device, asked[0].config.precision)
    hardware.prepare()
    # Before the ceilings, so that a model that cannot be timed is refused at once.
    found = [measure(each, seconds=seconds, against_textbook=against is not None) for each in asked]
    ceilings = measure_ceilings(hardware, seconds=min(CEILING_SECONDS, seconds))
    if as_json:
        described = {"machine": machine(hardware.name), "ceilings": ceilings.as_dict()}
        print_json(described | {"models": [each.as_dict() for each in found]})
        return
    show(hardware.name, ceilings, found)


def with_recipe(data: str) -> list[str]:
    """The models of the catalogue that have a recipe for this data set."""
    from ganzoo.core.errors import UsageError
    from ganzoo.zoo.catalogue import DEFAULT
    from ganzoo.zoo.manager import default_zoo

    entries = default_zoo().catalogue.models
    names = [name for name, entry in entries.items() if DEFAULT in entry.recipes.get(data, {})]
    if not names:
        raise UsageError(f"no model has a recipe for {data} in the catalogue; name models, as in 'ganzoo bench gan'")
    return names


def machine(device: str) -> dict[str, Any]:
    """What was computed on, and how busy it was before."""
    import platform

    import torch

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "torch": torch.__version__,
        "cpus": os.cpu_count(),
        "load": load,
    }


def processor() -> str:
    """The processor's name, as far as the system tells."""
    import platform

    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def show(device: str, ceilings: "Ceilings", found: Sequence["Measured"]) -> None:
    """Prints the tables, and how to read them."""
    from ganzoo.benchmark.breakdown import COMPUTE, KINDS
    from ganzoo.cli.text import bytes_text, count, print_entries, print_table

    about = machine(device)
    click.echo(f"{about['processor']}, {device}, torch {about['torch']}")
    click.echo(
        f"ceilings in {found[0].precision}: matrix product {giga(ceilings.matrix)} ({ceilings.matrix_size}), "
        f"convolution {giga(ceilings.convolution)} ({ceilings.convolution_size}, forward and backward)\n"
    )
    names = [f"{each.model}@{each.recipe}" if each.recipe else each.model for each in found]
    columns = ["model", "batch", "images/s", "quartiles", "MFLOP/image", "GFLOP/s", "of ceiling", "memory", "outside"]
    rows = [
        [
            name,
            str(each.batch),
            count(round(each.rate.median)),
            f"{each.rate.low:,.0f}–{each.rate.high:,.0f}",
            f"{each.flop_per_image / 1e6:,.1f}",
            f"{each.flops / 1e9:,.1f}",
            f"{each.flops / ceilings.best:.0%}",
            "" if each.peak_memory is None else bytes_text(each.peak_memory),
            f"{each.outside_compute:.0%}",
        ]
        for name, each in zip(names, found, strict=True)
    ]
    print_table(columns, rows, nothing="", right=range(1, len(columns)))
    click.echo("\nwhere the time goes")
    kinds = [[kind, *(f"{each.shares[kind]:.1%}" for each in found)] for kind in KINDS]
    print_table(["kind", *names], kinds, nothing="", right=range(1, len(found) + 1))
    for name, each in zip(names, found, strict=True):
        if each.rungs:
            click.echo(f"\n{name}, from the textbook's way to ganzoo's; each line has all of those above it")
            show_rungs(each)
    click.echo(
        f"\nImages/s are medians over windows. Of ceiling: FLOP/s attained, of {giga(ceilings.best)}. "
        f"Outside: the share of a round's time that is not {', '.join(COMPUTE)}."
    )
    remarks = [("note", f"{name}: {note}") for name, each in zip(names, found, strict=True) for note in each.notes]
    if about["load"] is not None and about["load"] > 1.5 * (about["cpus"] or 1):
        busy = f"the machine is busy (load {about['load']:.1f} on {about['cpus']} CPUs): trust ratios, not rates"
        remarks.append(("note", busy))
    print_entries(remarks)


def show_rungs(measured: "Measured") -> None:
    """Prints the steps from the textbook's way to ganzoo's."""
    from ganzoo.cli.text import count, print_table

    rows = [
        [
            rung.name,
            rung.changes,
            count(round(rung.rate.median)),
            f"{rung.ratio.median:.2f}×",
            f"{rung.ratio.low:.2f}–{rung.ratio.high:.2f}",
            f"{rung.flop_per_image / 1e6:,.1f}",
        ]
        for rung in measured.rungs
    ]
    columns = ["way", "changes", "images/s", "of textbook", "quartiles", "MFLOP/image"]
    print_table(columns, rows, nothing="", right=range(2, len(columns)))


def giga(rate: float) -> str:
    """A rate in GFLOP/s."""
    return f"{rate / 1e9:,.0f} GFLOP/s"
