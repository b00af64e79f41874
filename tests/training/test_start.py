import shutil

import pytest
import torch
from training_helpers import StopAt, checkpointed, grey_folder, on_folder, pictures, start, timeless, zoo_of

import ganzoo
from ganzoo import api
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Normal
from ganzoo.models.model import Model
from ganzoo.training.events import Observer

TINY = {"images": 64, "batch": 16, "device": "cpu", "precision": "fp32"}


pytestmark = pytest.mark.usefixtures("folder")


def same(one: api.Run, other: api.Run) -> bool:
    here, there = checkpointed(one), checkpointed(other)
    return here.keys() == there.keys() and all(torch.equal(here[name], there[name]) for name in here)


class Own(Model):
    """A model of the test's own."""

    name = "own"

    def latent(self, data):
        return LatentSpec(z=Normal(4))


@pytest.mark.parametrize("flags", [{"images": "128"}, {"epochs": 128 / 96}])
def test_a_budget_may_be_raised(folder, flags):
    start(folder, flags={"images": 64})
    run = api.resume(1, out=folder, flags=flags, zoo=zoo_of())
    assert (run.record.status, run.record.images, run.config.images) == ("finished", 128, 128)
    assert api.open(1, folder).config.images == 128


def test_a_finished_run_that_is_resumed_stays_as_it_is(folder):
    run = start(folder, "infogan")
    before, stats, drawn = checkpointed(run), run.stats(), pictures(run)
    message = run.record.message
    again = api.resume(1, out=folder, zoo=zoo_of())
    assert again.record.status == "finished"
    assert again.record.message == message
    assert again.stats() == stats
    assert pictures(again) == drawn
    assert all(torch.equal(before[name], value) for name, value in checkpointed(again).items())


def test_what_is_recorded_of_the_settings_of_a_run_stays_when_it_goes_on(folder):
    before = start(folder, "gan", flags={"images": 16}).config
    assert "latent" in before.options, "an option that is None, as noise says the same"
    after = api.resume(1, out=folder, flags={"images": 32}, zoo=zoo_of()).config
    assert after == before.model_copy(update={"images": 32})


def test_settings_that_do_not_differ_may_be_given_again(folder):
    start(folder, "infogan", observer=StopAt(32), r1=1.0)
    flags = {"batch": 16, "images": 64, "seed": 0, "model": "infogan", "data": "toys"}
    run = api.resume(1, out=folder, flags=flags, options=["r1=1.0", "width=0.125"], zoo=zoo_of())
    assert run.record.status == "finished"


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"flags": {"batch": 32}}, "larger budget: batch is 16, not 32$"),
        ({"flags": {"seed": 1}}, "seed is 0, not 1$"),
        ({"flags": {"precision": "bf16"}}, "precision is 'fp32', not 'bf16'$"),
        ({"flags": {"model": "gan"}}, "model is 'infogan', not 'gan'$"),
        ({"flags": {"data": "mnist", "tick": 17}}, "data is 'toys', not 'mnist', tick is 16, not 17$"),
        ({"options": ["noise=3"]}, "options.noise is 62, not 3$"),
        ({"options": {"r1": 0.5}}, r"options.r1 is 0.0, not 0.5$"),
        (
            {"options": ["latent=z: normal(3)"]},
            "options.noise is 62, not None, .*options.latent is None, not 'z: normal(3)'$",
        ),
        ({"data_options": ["size=95"]}, "data_options.size is None, not 95$"),
        ({"flags": {"images": 48}}, "the budget of this run is 64 images; it can be raised, but not lowered to 48$"),
        ({"flags": {"epochs": 0.5}}, "it can be raised, but not lowered to 48$"),
        ({"flags": {"images": -1}}, "must be a whole number above 0"),
        ({"options": ["nois=3"]}, "there is no option of infogan 'nois'"),
    ],
)
def test_anything_else_is_refused_with_the_difference_shown(folder, given, match):
    match = match.replace("(3)", r"\(3\)")
    made = start(folder, "infogan", observer=StopAt(16), flags={"save_every": 1000})
    before = {path: path.read_bytes() for path in made.path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=match):
        api.resume(1, out=folder, zoo=zoo_of(), **given)
    assert {path: path.read_bytes() for path in made.path.rglob("*") if path.is_file()} == before


def test_images_and_epochs_together_are_refused_when_a_run_goes_on_too(folder):
    start(folder)
    with pytest.raises(UsageError, match="--images and --epochs both set the budget"):
        api.resume(1, out=folder, flags={"images": 128, "epochs": 2}, zoo=zoo_of())


def test_a_run_that_was_never_saved_starts_again(folder):
    class Broken(Observer):
        def progressed(self, images):
            if images == 48:
                raise ValueError

    with pytest.raises(ValueError):
        start(folder / "runs", observer=Broken(), flags={"save_every": 1000, "tick": 16})
    run = api.resume(1, out=folder / "runs", zoo=zoo_of())
    whole = start(folder / "whole", flags={"save_every": 1000, "tick": 16})
    assert same(run, whole)
    assert timeless(run) == timeless(whole)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(folder):
    flags = {"images": 96, "save_every": 32}
    whole = start(folder / "whole", flags=flags)
    made = start(folder / "runs", flags=flags)
    for file in (made.path / "checkpoints" / "000000096").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-20])
    with pytest.warns(UserWarning, match=r"000000096.* is not whole.*; going on from .*000000064 instead"):
        run = api.resume(1, out=folder / "runs", zoo=zoo_of())
    assert run.record.status == "finished"
    assert same(run, whole)
    assert timeless(run) == timeless(whole)


def test_a_run_whose_checkpoints_are_all_damaged_says_so(folder):
    made = start(folder, flags={"images": 32})
    for manifest in made.path.glob("checkpoints/*/manifest.json"):
        manifest.write_text("{")
    with pytest.raises(RunError, match=r"has no checkpoint that is whole, so start the run again: .*is damaged"):
        api.resume(1, out=folder, flags={"images": 64}, zoo=zoo_of())


def test_another_models_checkpoint_is_refused(folder):
    one = start(folder, "gan", flags={"images": 32})
    other = start(folder, "gan", flags={"images": 32}, noise=7)
    for checkpoint in one.directory.checkpoints.iterdir():
        shutil.rmtree(checkpoint)
    shutil.copytree(other.directory.checkpoints, one.directory.checkpoints, dirs_exist_ok=True)
    with pytest.raises(RunError, match="is of another model: generator"):
        api.resume(1, out=folder, flags={"images": 64}, zoo=zoo_of())


def test_a_run_goes_on_with_its_own_data_only(folder):
    made = on_folder(grey_folder(folder / "pics"))
    api.start(made, out="runs", observer=StopAt(32))
    grey_folder(folder / "pics", shade=1)
    match = r"the data of 00001-gan-pics have changed since it started .*put the old data back"
    with pytest.raises(RunError, match=match):
        api.resume(1)
    assert ganzoo.open(1).record.images == 32
    grey_folder(folder / "pics")
    assert api.resume(1).record.status == "finished"


def test_a_run_in_use_is_not_resumed(folder):
    made = start(folder, observer=StopAt(32))
    with made.directory.lock(), pytest.raises(RunError, match="is in use by another process"):
        api.resume(1, out=folder, zoo=zoo_of())


def test_a_run_of_a_model_that_is_not_installed_says_so(folder):
    start(folder, Own, observer=StopAt(16))
    with pytest.raises(UsageError, match="there is no model 'own'"):
        api.resume(1, out=folder, zoo=zoo_of())
    with pytest.raises(UsageError, match="there is no model 'own'"):
        api.open(1, folder).sample(1)
