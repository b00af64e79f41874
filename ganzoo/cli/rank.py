"""``ganzoo rank``: which of several runs to take, without labels."""

import click

from ganzoo.cli.options import (
    complete_runs,
    device_option,
    examples,
    find_run,
    json_option,
    plugin_option,
    root_option,
    seed_option,
)

__all__ = ["rank"]


@click.command(
    epilog=examples(
        "ganzoo rank 1 2 3 4 5",
        "ganzoo rank 1 2 3 --by factors        # what each code changes, instead of the categories of samples",
        "ganzoo rank 1 2 3 --json",
    )
)
@click.argument("which", metavar="RUN...", nargs=-1, required=True, shell_complete=complete_runs)
@click.option(
    "--by",
    type=click.Choice(["categories", "factors"]),
    help="What has to agree.  [default: categories where every run has a categorical code, otherwise factors]",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    metavar="N",
    help="Real samples for categories, generated ones of each run for factors.  [default: 10000 and 16384]",
)
@seed_option
@json_option
@device_option
@plugin_option
@root_option
def rank(
    which: tuple[str, ...], by: str | None, samples: int | None, seed: int, as_json: bool, device: str, root: str
) -> None:
    """Rank three or more RUNs on the same data by how much their codes agree with those of the others.

    Codes that mean something are found by many runs; a run that has failed agrees with none. No label is read.
    """
    paths = [find_run(run, root) for run in which]

    from ganzoo.cli.eval import reporting
    from ganzoo.cli.text import count, print_json, print_table
    from ganzoo.evaluation.centrality import KINDS
    from ganzoo.evaluation.centrality import rank as ranked
    from ganzoo.evaluation.score import amount
    from ganzoo.runs.directory import RunDirectory
    from ganzoo.training.hardware import Hardware
    from ganzoo.zoo.manager import default_zoo

    with reporting() as progress:
        found = ranked(
            [RunDirectory.open(path) for path in paths],
            default_zoo(),
            kind=next((kind for kind in KINDS if kind == by), None),
            samples=samples,
            seed=seed,
            device=Hardware.choose(device).device,
            progress=progress,
        )
    means = found.means.tolist()
    rows = [(place, paths[index], found.runs[index], means[index]) for place, index in enumerate(found.order, start=1)]
    if as_json:
        print_json(
            {
                "by": found.kind,
                "samples": found.samples,
                "seed": seed,
                "runs": [
                    {"rank": place, "run": str(path), "seed": run.record.config.seed, "mean_agreement": mean}
                    for place, path, run, mean in rows
                ],
                "agreements": {"runs": [str(path) for path in paths], "pairs": found.pairs.tolist()},
            }
        )
        return
    alone = len({run.name for run in found.runs}) == len(paths)  # runs of several folders may have one name
    print_table(
        ["run", "seed", "mean agreement", "rank"],
        [
            [run.name if alone else str(path), str(run.record.config.seed), amount(mean, "share"), str(place)]
            for place, path, run, mean in rows
        ],
        nothing="",
        right=(1, 2, 3),
    )
    what = {
        "categories": "share of {} real training samples that two runs put into the same category, matched one to one",
        "factors": "FactorVAE's score with another run's codes as factors, on {} generated samples of each run",
    }[found.kind]
    click.echo(f"\n{what.format(count(found.samples))}; no label was read.")
