"""Several processes train as one: here as threads that share a table, and for the slow tests under torchrun."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributed import HashStore, ReduceOp
from training_helpers import Toys, checkpointed, configured, trainer

from ganzoo import api
from ganzoo.core.data import Samples
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.round import Hand, Round, Share
from ganzoo.core.variables import Categorical, Normal, Uniform
from ganzoo.data.batches import batches, labels_of_batches
from ganzoo.training.distributed import ALONE, Processes, joined, sharing_notes, synchronise_statistics, synchronises
from ganzoo.training.launch import Launch
from ganzoo.training.trainer import Trainer

FREE = {"generator_norm": "layer", "critic_norm": "layer"}
"""Normalisation that judges each sample alone."""


@dataclass
class Table:
    """Where threads that stand for processes lay down what they have, and read what all have."""

    count: int
    laid: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.barrier = Barrier(self.count, timeout=60)

    def exchange(self, rank: int, value: Any) -> list[Any]:
        self.laid[rank] = value
        self.barrier.wait()
        values = [self.laid[other] for other in range(self.count)]
        self.barrier.wait()
        return values


@dataclass(frozen=True)
class Seated(Processes):
    """A process that is a thread at a table."""

    table: Table = field(default_factory=lambda: Table(1))

    def _reduce(self, tensors, how, divisor=1):
        everyone = self.table.exchange(self.rank, [tensor.clone() for tensor in tensors])
        for index, tensor in enumerate(tensors):
            each = torch.stack([values[index] for values in everyone])
            tensor.copy_(each.amin(dim=0) if how == ReduceOp.MIN else each.sum(dim=0) / divisor)

    def any(self, flag):
        return any(self.table.exchange(self.rank, flag))

    def tell(self, text):
        return self.table.exchange(self.rank, text)[0]


def played(model: str, count: int, rounds: int, **settings: Any) -> list[Trainer]:
    """Trainers of ``count`` processes after some rounds."""
    table = Table(count)
    made = [api.prepare(configured(model, **settings), Seated(rank, count, rank, table))[1] for rank in range(count)]

    def play(each: Trainer) -> None:
        for _ in range(rounds):
            each.play_round()

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(play, each) for each in made]:
            done.result()
    return made


def weights(made: Trainer) -> dict[str, Tensor]:
    """Every weight, averaged ones too; no batch statistics."""
    networks = {**made.game.networks, **{f"averaged {name}": made.averages[name] for name in made.game.model.averaged}}
    return {f"{name}.{key}": v.detach() for name, net in networks.items() for key, v in net.named_parameters()}


# ---- the same result ----


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("gan", {"networks": "mlp", "generator_norm": "none", "critic_norm": "none"}),
        ("gan", {"adversarial": "wasserstein", "gradient_penalty": 10.0, "instance_noise": 0.1}),
        ("cgan", {"updates": "simultaneous"}),
        ("acgan", {}),
        ("infogan", {"consistency": 0.0}),
        ("vaegan", {}),
        ("infogan-cr", {"gap": 0.5}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value) or "default",
)
def test_two_processes_play_the_rounds_that_one_plays(model, options):
    """Sums of float32 in another order, ten rounds: weights of about 0.1 agree to 1e-5."""
    settings = {"flags": {"images": 160}, **FREE, **options}
    (one,), pair = played(model, 1, 10, **settings), played(model, 2, 10, **settings)
    alone = weights(one)
    start = weights(trainer(model, **settings))
    moved = max(float((alone[name] - start[name]).abs().max()) for name in alone)
    assert moved > 1e-3, "the rounds changed nothing, so agreement means nothing"
    for name, value in weights(pair[0]).items():
        torch.testing.assert_close(value, alone[name], rtol=1e-5, atol=1e-5)
    assert [each.images for each in pair] == [one.images] * 2


@pytest.mark.parametrize("model", ["gan", "infogan"])
def test_all_processes_hold_the_same_weights_bit_for_bit(model):
    first, *others = (weights(each) for each in played(model, 4, 3, flags={"batch": 16}))
    assert all(torch.equal(other[name], first[name]) for other in others for name in first)


def test_statistics_are_means_over_all_processes():
    (one,), pair = played("infogan", 1, 3, **FREE), played("infogan", 2, 3, **FREE)
    with ThreadPoolExecutor(2) as pool:
        read, again = pool.map(lambda each: each.statistics.read(), pair)
    assert read == again == pytest.approx(one.statistics.read(), rel=1e-4, abs=1e-6)


def test_restored_statistics_are_joined_by_name_and_not_by_place():
    """A checkpoint's tensors come in an order of their own in every process."""
    pair = played("infogan", 2, 2, **FREE)
    with ThreadPoolExecutor(2) as pool:
        (sums, names), _ = pool.map(lambda each: each.statistics.state(), pair)
        for each, order in zip(pair, (list(sums), list(sums)[::-1]), strict=True):
            each.statistics.restore({player: sums[player].clone() for player in order}, names)
        read, again = pool.map(lambda each: each.statistics.read(), pair)
    means = {name: float(total / sums[p][-1]) for p in sums for name, total in zip(names[p], sums[p][:-1], strict=True)}
    assert read == again == pytest.approx(means)


def test_a_value_that_is_not_finite_on_one_process_is_found_by_all():
    pair = played("gan", 2, 2)
    pair[1].statistics._first_bad["generator"][0] = 16.0
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda each: each.statistics.first_not_finite(), pair))
    assert found == [("generator/adversarial", 16)] * 2


# ---- rows ----


def hands(count: int, n: int = 8) -> Iterator[tuple[Hand, slice]]:
    """The whole batch's hand with all rows, and then that of every process with its own."""
    latent = LatentSpec(z=Normal(3), label=Categorical(4, role="condition"), u=Uniform(1, role="code"))
    values, label = torch.arange(float(n)).unsqueeze(1), torch.arange(n) % 4
    label[1] = -1
    networks = {"generator": nn.Identity()}
    yield Hand(latent, networks, {"data": Samples(values, {"label": label})}, (0, 0)), slice(None)
    for rank in range(count):
        rows = Processes(rank, count).rows(n)
        assert rows is not None
        mine = Samples(values[rows], {"label": label[rows]})
        yield Hand(latent, networks, {"data": mine}, (0, 0), Share(rows, n, {"label": label})), rows


@pytest.mark.parametrize("count", [2, 4])
def test_a_process_draws_its_rows_of_what_one_would_draw(count):
    (whole, _), *parts = hands(count)
    expected = [whole.latents.flat]
    rounds = Round("critic", whole, Toys().spec, lambda samples, round: samples, 0.0)
    numbers = rounds.uniform("u", 8, 2), rounds.normal("n", 16, 3), rounds.uniform("u", 8), rounds.normal("one", 3)
    whole.spend()
    expected.append(whole.latents.flat)
    for hand, rows in parts:
        assert torch.equal(hand.latents.flat, expected[0][rows])
        hand.spend()
        assert torch.equal(hand.latents.flat, expected[1][rows])
        own = Round("critic", hand, Toys().spec, lambda samples, round: samples, 0.0)
        n = 8 // count
        assert torch.equal(own.uniform("u", n, 2), numbers[0][rows])
        both = torch.cat([numbers[1][:8][rows], numbers[1][8:][rows]])
        assert torch.equal(own.normal("n", 2 * n, 3), both), "two batches of numbers, one after the other"
        assert torch.equal(own.uniform("u", n), numbers[2][rows]), "the stream goes on"
        if count == 2:
            assert torch.equal(own.normal("one", 3), numbers[3]), "what belongs to no sample is the same everywhere"


@pytest.mark.parametrize("memory_limit", [2**31, 0], ids=["held", "streamed"])
def test_a_process_reads_its_rows_of_every_batch(memory_limit):
    split, spec = Toys(size=20).split("train"), Toys(size=20).spec
    settings = {"batch": 8, "seed": 3, "position": 4, "workers": 0, "memory_limit": memory_limit}
    whole = batches(split, spec, **settings)
    parts = [batches(split, spec, rows=Processes(rank, 2).rows(8), **settings) for rank in range(2)]
    labels = labels_of_batches(split, batch=8, seed=3, position=4)
    for _ in range(6):
        expected, own = next(whole), [next(part) for part in parts]
        assert torch.equal(torch.cat([part.values for part in own]), expected.values)
        assert torch.equal(torch.cat([part.labels["label"] for part in own]), expected.labels["label"])
        assert torch.equal(next(labels)["label"], expected.labels["label"])


def test_a_batch_that_does_not_come_out_even_is_refused():
    assert (ALONE.rows(7), Processes(1, 2).rows(8)) == (None, slice(4, 8))
    with pytest.raises(UsageError, match=r"^3 processes cannot share a batch of 16 evenly; try --batch 15 or 18$"):
        Processes(0, 3).rows(16)
    with pytest.raises(UsageError, match=r"try --batch 3$"):
        Processes(0, 3).rows(2)


# ---- the plan ----


def test_the_plan_says_what_is_shared_and_whose_statistics_count():
    plan, _ = api.prepare(configured("gan"), Processes(0, 2))
    assert "2 processes take 8 of the 16 samples of a batch each, and average gradients" in plan.notes
    assert any("statistics over the 8 samples of each process" in note for note in plan.notes)
    free, _ = api.prepare(configured("gan", **FREE), Processes(0, 2))
    assert not any("batch normalisation" in note for note in free.notes)
    assert api.prepare(configured("gan"))[0].notes == []


def test_what_cannot_be_shared_is_refused():
    game = api.prepare(configured("gan"))[1].game
    with pytest.raises(UsageError, match="at least 2 samples a process; raise --batch to 16 or more"):
        sharing_notes(Processes(0, 8), game, 8, torch.device("cpu"))
    with pytest.raises(UsageError, match="cannot share a run on mps"):
        sharing_notes(Processes(0, 2), game, 8, torch.device("mps"))
    with pytest.raises(UsageError, match=r"--device cuda:1 is for one alone"):
        sharing_notes(Processes(0, 2), game, 8, torch.device("cuda:1"))
    with pytest.raises(UsageError, match="too few for its process number 65"):
        sharing_notes(Processes(64, 65, 64), game, 65, torch.device("cuda"))


def test_statistics_are_synchronised_on_gpus_and_the_parameters_stay():
    assert synchronises(Processes(0, 2), torch.device("cuda"))
    assert not synchronises(Processes(0, 2), torch.device("cpu"))
    assert not synchronises(ALONE, torch.device("cuda"))
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    before = dict(network.named_parameters())
    synchronise_statistics(network)
    assert isinstance(network[1], nn.SyncBatchNorm)
    assert all(parameter is before[name] for name, parameter in network.named_parameters())


# ---- joining, telling, remembering ----


def test_a_lone_process_waits_for_nobody(monkeypatch):
    values = torch.ones(2)
    ALONE.average([values])
    ALONE.least([values])
    ALONE.expect_same("this", "that")
    assert (ALONE.any(True), ALONE.any(False), ALONE.tell("text"), ALONE.first) == (True, False, "text", True)
    assert torch.equal(values, torch.ones(2))
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert joined.__wrapped__() is ALONE


def test_processes_that_differ_say_in_what():
    table = Table(2)
    with ThreadPoolExecutor(2) as pool:
        done = [
            pool.submit(Seated(rank, 2, rank, table).expect_same, "the checksum of the data", value)
            for rank, value in enumerate("ab")
        ]
    assert done[0].result() is None
    with pytest.raises(RunError, match=r"^the checksum of the data of process 1 is b, and that of process 0 is a$"):
        done[1].result()


def test_a_launch_remembers_its_runs_in_their_order():
    store = HashStore()
    launch = Launch(store)
    for path in ("runs/1", "runs/2"):
        assert launch.next_run() == ""
        launch.remember(path)
    restarted = Launch(store)
    assert [restarted.next_run() for _ in range(3)] == ["runs/1", "runs/2", ""]
    nobody = Launch()
    nobody.remember("runs/1")
    assert [nobody.next_run(), Launch().next_run()] == ["", ""]


# ---- under torchrun ----

SCRIPT = """
import os, signal, sys, threading, time
from pathlib import Path
import torch
import ganzoo
from ganzoo.training.distributed import joined

out, number = Path(sys.argv[1]), sys.argv[2]
rank = int(os.environ["RANK"])

def wait_and_end():
    while not any(out.glob("*/checkpoints/*[0-9]/manifest.json")):
        time.sleep(0.01)
    os.kill(os.getpid(), getattr(signal, number))

if rank == 1 and number != "none" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
    threading.Thread(target=wait_and_end, daemon=True).start()

run = ganzoo.train(
    "gan", "mnist", images=6400, batch=16, save_every=640, precision="fp32", device="cpu", out=out,
    networks="mlp", generator_norm="none", critic_norm="none", width=0.125,
)
(out / f"{rank}.txt").write_text(f"{run.record.status} {run.record.images} {run.path}")
"""


def torchrun(folder: Path, *arguments: object, restarts: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", str(restarts), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def script(folder: Path, out: str, number: str, restarts: int = 0) -> subprocess.CompletedProcess[str]:
    file = folder / "script.py"
    file.write_text(SCRIPT)
    return torchrun(folder, file, folder / out, number, restarts=restarts)


def the_run(out: Path) -> api.Run:
    """The only run there."""
    (path,) = out.glob("0*-gan-mnist")
    return api.open(path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> api.Run:
    folder = tmp_path_factory.mktemp("undisturbed")
    done = script(folder, "out", "none")
    assert done.returncode == 0, done.stderr
    said = {(folder / "out" / f"{rank}.txt").read_text() for rank in range(2)}
    assert said == {f"finished 6400 {folder / 'out' / '00001-gan-mnist'}"}
    return the_run(folder / "out")


@pytest.mark.slow
def test_the_command_under_torchrun_equals_the_command_alone(tmp_path):
    command = ["train", "gan", "--data", "mnist", "--images", "640", "--batch", "64", "--precision", "fp32"]
    command += ["--device", "cpu", "-o", "width=0.125", "-o", "generator_norm=layer", "-o", "critic_norm=layer"]
    done = torchrun(tmp_path, "-m", "ganzoo", *command, "--out", "pair", "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert (events.count("started"), events.count("finished")) == (1, 1), "process 1 is silent"
    pair = the_run(tmp_path / "pair")
    subprocess.run([sys.executable, "-m", "ganzoo", *command, "--out", "one", "-q"], cwd=tmp_path, check=True)
    one = the_run(tmp_path / "one")
    expected, found = checkpointed(one), checkpointed(pair)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        if name.startswith(("networks/", "averaged/")):
            torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-5)
    for here, there in zip(pair.stats(), one.stats(), strict=True):
        assert here["critic/adversarial"] == pytest.approx(there["critic/adversarial"], rel=1e-4)


@pytest.mark.slow
def test_a_lost_process_ends_the_run_and_it_goes_on_from_its_last_checkpoint(tmp_path, undisturbed):
    done = script(tmp_path, "out", "SIGKILL")
    assert done.returncode != 0
    run = the_run(tmp_path / "out")
    assert run.record.status == "failed"
    assert "process 0 of 2 has lost the others" in run.record.message
    assert "the last good checkpoint is" in run.record.message
    assert 0 < run.record.images < 6400
    done = torchrun(tmp_path, "-m", "ganzoo", "train", "--resume", "latest", "--out", "out", "-q")
    assert done.returncode == 0, done.stderr
    here, there = checkpointed(the_run(tmp_path / "out")), checkpointed(undisturbed)
    assert all(torch.equal(here[name], there[name]) for name in there)


@pytest.mark.slow
def test_a_restart_by_torchrun_goes_on_with_the_run_that_it_began(tmp_path, undisturbed):
    done = script(tmp_path, "out", "SIGKILL", restarts=1)
    assert done.returncode == 0, done.stderr
    run = the_run(tmp_path / "out")
    assert run.record.status == "finished"
    here, there = checkpointed(run), checkpointed(undisturbed)
    assert all(torch.equal(here[name], there[name]) for name in there)


@pytest.mark.slow
def test_all_processes_stop_after_the_round_in_which_one_is_asked_to(tmp_path):
    done = script(tmp_path, "out", "SIGINT")
    assert done.returncode == 0, done.stderr
    run = the_run(tmp_path / "out")
    assert run.record.status == "interrupted"
    assert f"{run.record.images:09d}" in {path.name for path in run.directory.checkpoints.iterdir()}
    said = {(tmp_path / "out" / f"{rank}.txt").read_text() for rank in range(2)}
    assert said == {f"interrupted {run.record.images} {run.path}"}
    assert 0 < run.record.images < 6400
