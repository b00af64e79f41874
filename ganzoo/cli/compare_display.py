"""What a comparison prints: its plan, its progress and its table."""

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from ganzoo.cli.text import count, duration, open_console, print_entries, print_table, together
from ganzoo.comparison.model import Cell, Comparison, Row
from ganzoo.comparison.plan import ComparisonPlan, makespan
from ganzoo.comparison.sections import STAR, listed
from ganzoo.comparison.training import Outcome, Training, Watcher
from ganzoo.comparison.wording import amount, with_spread

__all__ = ["PlainLines", "ProgressBars", "print_comparison", "print_plan", "watcher_for"]

ARROWS = {"lower": "↓", "higher": "↑", None: ""}
LINES = 10
"""Lines of progress that a training prints where there is no terminal."""


def print_plan(plan: ComparisonPlan) -> None:
    """Prints what is going to be done, and how long it will take."""
    examination = plan.examination
    seeds = "seed 0" if plan.seeds == (0,) else f"seeds {', '.join(map(str, plan.seeds))}"
    click.echo(f"{plan.data}, {count(plan.images)} images, {seeds}; on {plan.machine}")
    features = f"{examination.extractor.name} features" if examination.extractor else "no features"
    click.echo(
        f"{examination.setting.name} evaluation of {count(examination.setting.samples)} samples, {features}, "
        f"{len(examination.metrics)} metrics\n"
    )
    rows = [
        [entrant.label, str(run.seed), run.origin, str(run.run.path) if run.run else "", _left(plan, run.training)]
        for entrant in plan.entrants
        for run in entrant.runs
    ]
    print_table(["entrant", "seed", "run is", "where", "left to train"], rows, nothing="")
    for note in (*(f"Unequal protocols: {each}." for each in plan.differences), *plan.notes):
        click.echo(note)
    if plan.trainings:
        where = f" on {plan.place.words}" if plan.place.words else ""
        at_once = f", {plan.jobs} at once" if plan.jobs > 1 else ""
        threads = f"{plan.threads} thread{'s' if plan.threads > 1 else ''} each"
        click.echo(
            f"\n{len(plan.trainings)} to train{where}{at_once}, {threads}: "
            f"about {duration(plan.seconds)}, and then the evaluation"
        )
    else:
        click.echo("\nNothing is to be trained.")


def _left(plan: ComparisonPlan, training: Training | None) -> str:
    if training is None:
        return ""
    left = plan.left(training)
    return f"{count(left)} images, {duration(left / plan.rates[training.label])}"


def watcher_for(plan: ComparisonPlan, *, quiet: bool) -> Watcher:
    """The display that suits the flags and the terminal."""
    if quiet:
        return Watcher()
    console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainLines(plan)
    return ProgressBars(plan, console)


class Overview(Watcher):
    """Knows how far all trainings are, and so when the last will be done.

    Args:
        plan: the comparison.
    """

    def __init__(self, plan: ComparisonPlan) -> None:
        self.jobs = plan.jobs
        self.left = {training.name: plan.left(training) for training in plan.trainings}
        self.rates = {training.name: plan.rates[training.label] for training in plan.trainings}

    def progressed(self, training: Training, images: int, rate: float) -> None:
        """Notes the progress."""
        self.left[training.name] = max(0, training.budget - images)
        self.rates[training.name] = rate or self.rates[training.name]

    def ended(self, outcome: Outcome) -> None:
        """Notes the end."""
        self.left[outcome.training.name] = 0

    @property
    def seconds(self) -> float:
        """Until the last training is done."""
        return makespan([left / self.rates[name] for name, left in self.left.items() if left], self.jobs)


class PlainLines(Overview):
    """Prints a line a tenth of each training and a line a run measured, for a pipe or a log."""

    def __init__(self, plan: ComparisonPlan) -> None:
        super().__init__(plan)
        self.said: dict[str, int] = {}

    def began(self, training: Training) -> None:
        """Prints what begins."""
        self.said[training.name] = training.done * LINES // training.budget
        click.echo(f"{training.name}: training")

    def progressed(self, training: Training, images: int, rate: float) -> None:
        """Prints progress now and then."""
        super().progressed(training, images, rate)
        tenth = images * LINES // training.budget
        if tenth > self.said[training.name]:
            self.said[training.name] = tenth
            click.echo(
                f"{training.name}: {count(images)} of {count(training.budget)} images  {count(round(rate))}/s  "
                f"ETA of all {duration(self.seconds)}"
            )

    def ended(self, outcome: Outcome) -> None:
        """Prints how it ended."""
        super().ended(outcome)
        click.echo(f"{outcome.training.name}: {_how(outcome)}")

    def measuring(self, name: str, metric: str, done: int, total: int) -> None:
        """Prints whose turn it is."""
        if done == 0:
            click.echo(f"{name}: measuring")


class ProgressBars(Overview):
    """A bar for each training, and the time until the last is done.

    Args:
        plan: the comparison.
        console: the terminal.
    """

    def __init__(self, plan: ComparisonPlan, console: Console) -> None:
        super().__init__(plan)
        self.console = console
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(30),
            TextColumn("{task.fields[said]}"),
            console=console,
        )
        self.tasks: dict[str, TaskID] = {}
        self.started = False

    def began(self, training: Training) -> None:
        """Adds its bar."""
        self._task(training.name, training.budget, training.done)

    def progressed(self, training: Training, images: int, rate: float) -> None:
        """Moves its bar."""
        super().progressed(training, images, rate)
        said = f"{count(images)} images  {count(round(rate))}/s  ETA of all {duration(self.seconds)}"
        self.bars.update(self.tasks[training.name], completed=min(images, training.budget), said=said)

    def ended(self, outcome: Outcome) -> None:
        """Says on its bar how it ended."""
        super().ended(outcome)
        self.bars.update(self.tasks[outcome.training.name], said=_how(outcome))

    def measuring(self, name: str, metric: str, done: int, total: int) -> None:
        """Shows the metric on a bar of the run."""
        task = self._task(f"{name}: measuring", total, 0)
        self.bars.update(task, total=total, completed=done, said=metric)

    def close(self) -> None:
        """Leaves the bars as they are on the screen."""
        if self.started:
            self.bars.stop()
            self.started = False

    def _task(self, name: str, total: int, done: int) -> TaskID:
        if not self.started:
            self.bars.start()
            self.started = True
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=total, completed=done, said="")
        return self.tasks[name]


def _how(outcome: Outcome) -> str:
    if outcome.run is None:
        return f"failed: {outcome.error}"
    note = f"; {outcome.note}" if outcome.note else ""
    return f"finished in {duration(outcome.run.record.seconds)}, in {outcome.run.path}{note}"


def print_comparison(comparison: Comparison) -> None:
    """Prints the table, how the numbers were found, and what to know before comparing them."""
    labels = [entrant.label for entrant in comparison.entrants]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("")
    for label in labels:
        table.add_column(Text(label), justify="right", overflow="fold")
    table.add_column("real data", justify="right")
    table.add_column("noise", justify="right")
    protocols = list(dict.fromkeys(row.protocol for row in comparison.rows if row.protocol and row.metric))
    table.add_column("how", justify="right")
    group = ""
    for row in comparison.rows:
        if row.group != group:
            group = row.group
            table.add_row(Text(group, "bold"))
        how = str(protocols.index(row.protocol) + 1) if row.protocol in protocols else ""
        cells = [_shown(row.cells[label], row) for label in labels]
        marks = [Text("" if mark is None else amount(mark, row.unit), "dim") for mark in (row.floor, row.ceiling)]
        table.add_row(Text(f"  {row.name}"), ARROWS[row.better], *cells, *marks, how)
    click.echo()
    open_console().print(table)
    click.echo()
    print_entries([(str(number), protocol) for number, protocol in enumerate(protocols, start=1)])
    click.echo()
    print_entries(_remarks(comparison))
    click.echo()
    said = [f"Unequal protocols: {each}." for each in comparison.protocol.differences]
    if any(len(entrant.runs) > 1 for entrant in comparison.entrants):
        said.append(f"Mean ± standard deviation over seeds; * {STAR}.")
    for note in (*said, *comparison.notes):
        click.echo(note)


def _shown(cell: Cell, row: Row) -> Text:
    if cell.mean is None:
        return Text("–", "dim")
    if row.name == "parameters":
        return Text(count(round(cell.mean)))
    if row.unit == "images/s":
        rates = [count(round(rate)) for rate in (cell.mean, cell.spread) if rate is not None]
        return Text(" ± ".join(rates))
    text = with_spread(cell.mean, cell.spread, row.unit)
    return Text(f"{text} *", "bold green") if cell.best else Text(text)


def _remarks(comparison: Comparison) -> list[tuple[str, str]]:
    """What is to be known of numbers, and why cells are empty; each once, with all that it is said of."""
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for row in comparison.rows:
        said: dict[tuple[str, str], list[str]] = {}
        for label, cell in row.cells.items():
            if row.metric and (cell.skipped or cell.note):
                said.setdefault(("–", cell.skipped) if cell.skipped else ("·", cell.note), []).append(label)
        for (mark, text), labels in said.items():
            found.setdefault((mark, text, tuple(labels)), []).append(row.name)
    everybody = len(comparison.entrants)
    remarks = [
        (mark, f"{together(rows)}{'' if len(labels) == everybody else f' of {listed(labels)}'}: {text}")
        for (mark, text, labels), rows in found.items()
    ]
    return sorted(remarks, key=lambda remark: remark[0] == "–")  # those of numbers before those of empty cells
