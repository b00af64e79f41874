import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from training_helpers import checkpointed, pictures, start, timeless, zoo_of

from ganzoo import api
from ganzoo.training.interruption import interruptible


@pytest.fixture(autouse=True)
def handlers():
    """Whatever a test leaves behind, the next one starts with pytest's own handlers."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_and_does_not_break_off(number):
    with interruptible() as interruption:
        assert not interruption.requested
        signal.raise_signal(number)
        assert interruption.requested


def test_a_second_signal_breaks_off():
    with interruptible() as interruption:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interruption.requested


def test_one_interruption_is_not_the_next_runs():
    with interruptible():
        signal.raise_signal(signal.SIGINT)
    with interruptible() as interruption:
        assert not interruption.requested


def test_handlers_come_back_whatever_happens():
    def mine(number, frame):
        pass

    signal.signal(signal.SIGTERM, mine)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError), interruptible():
        assert signal.getsignal(signal.SIGTERM) is not mine
        raise ValueError
    assert signal.getsignal(signal.SIGTERM) is mine
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_trains_without_touching_the_handlers():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with interruptible() as interruption:
            seen.append((signal.getsignal(signal.SIGINT), interruption.requested))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, False)]


CHILD = """
import sys, time
import torch
from ganzoo import Observer, api
from training_helpers import configured

class Slow(Observer):
    def progressed(self, images):
        if images == 32:
            print("ready", flush=True)
        if images >= 32:
            time.sleep(0.3)

torch.set_num_threads(int(sys.argv[2]))
made = configured("infogan", flags={"images": 480, "save_every": 160, "tick": 48})
run = api.start(made, out=sys.argv[1], observer=Slow())
print(run.record.status, flush=True)
"""


@pytest.mark.slow
def test_ctrl_c_finishes_the_round_saves_and_the_run_goes_on_as_if_nothing_had_been(tmp_path):
    tests = Path(__file__).parent.parent
    path = os.pathsep.join([str(tests), str(tests.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", CHILD, str(tmp_path / "runs"), str(torch.get_num_threads())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "interrupted\n"
        assert child.wait() == 0
    run = api.open(1, tmp_path / "runs")
    reached = run.record.images
    assert run.record.status == "interrupted"
    assert 32 <= reached < 480
    assert reached % 16 == 0, "the round was not finished"
    assert run.directory.checkpoints.joinpath(f"{reached:09d}", "manifest.json").is_file()
    resumed = api.resume(1, out=tmp_path / "runs", zoo=zoo_of())
    assert (resumed.record.status, resumed.record.images) == ("finished", 480)
    whole = start(tmp_path / "whole", "infogan", flags={"images": 480, "save_every": 160, "tick": 48})
    assert timeless(resumed) == timeless(whole)
    here, there = checkpointed(resumed), checkpointed(whole)
    assert here.keys() == there.keys()
    assert [name for name in here if not torch.equal(here[name], there[name])] == []
    drawn = pictures(resumed)
    assert {name: drawn.get(name) for name in pictures(whole)} == pictures(whole)
