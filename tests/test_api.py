import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from training_helpers import Toys, configured, grey_folder, on_folder, start, zoo_of

import ganzoo
from ganzoo import api
from ganzoo.core.errors import GanzooError, RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Normal
from ganzoo.models.model import Model
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo

TINY = {"images": 64, "batch": 16, "device": "cpu", "precision": "fp32"}


pytestmark = pytest.mark.usefixtures("folder")


# ---- build and plan ----


def test_a_built_model_prints_as_its_documentation():
    text = str(api.build("infogan", "mnist", styles=1))
    for expected in ("infogan on mnist (1×28×28)", "category", "style", "parameters", "Adam", "MutualInformation"):
        assert expected in text
    with pytest.raises(UsageError, match="did you mean 'acgan'"):
        api.build("acgam")


def test_a_plan_writes_nothing_and_leaves_global_randomness_alone(folder):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    made = api.plan(configured("infogan"))
    assert torch.equal(torch.rand(3), expected)
    assert made.rounds == 4
    assert list(folder.iterdir()) == []


def test_a_plan_plays_a_round_and_says_what_went_wrong_in_it():
    made = configured("gan", critic_lr=1e38, critic_norm="none")
    with pytest.raises(RunError, match="finite"):
        api.plan(made)


BAD = {
    "no such device": ({"flags": {"device": "tpu"}}, "device 'tpu' cannot be used here"),
    "batch norm under a penalty": ({"r1": 1.0, "critic_norm": "batch"}, "a gradient penalty needs a critic"),
    "networks that do not fit": ({"networks": "infogan-rgb"}, "take samples of shape 3×32×32"),
    "unknown networks": ({"networks": "dcgam"}, "there is no network family 'dcgam'; did you mean 'dcgan'"),
    "latent text": ({"latent": "z: normal(3), c: catgorical(3)"}, "column 18: .*did you mean 'categorical'"),
    "a condition without a label": ({"latent": "kind: categorical(3) condition"}, "needs a label of that name"),
    "a condition of another size": (
        {"latent": "label: categorical(3) condition"},
        r"'label' must be categorical\(4\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("call", [api.plan, api.start])
def test_what_cannot_be_built_is_one_sentence_and_writes_nothing(folder, case, call):
    settings, match = BAD[case]
    with pytest.raises(UsageError, match=match) as error:
        call(configured("gan", **settings))
    assert "\n" not in str(error.value)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("data", ["nowhere/at/all", "./empty"])
def test_a_folder_without_images_is_one_sentence(folder, data):
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match=r"'nowhere/at/all' does not exist|there are no images to train with in empty"):
        api.start(api.configure("gan", data=data), out="runs")
    assert not (folder / "runs").exists()


@pytest.mark.parametrize("model", ["cgan", "acgan"])
def test_a_conditional_model_needs_labels(folder, model):
    (folder / "pics").mkdir()
    for index in range(4):
        Image.fromarray(np.full((16, 16), 50 * index, np.uint8)).save(folder / "pics" / f"{index}.png")
    with pytest.raises(UsageError, match="data set pics has no labels, and this model is conditional; choose"):
        api.start(on_folder(folder / "pics", model), out=folder / "runs")
    assert not (folder / "runs").exists()


@pytest.mark.parametrize("call", [api.plan, api.start])
def test_a_batch_of_one_under_batch_normalisation_is_one_sentence(folder, call):
    with pytest.raises(UsageError, match="batch"):
        call(configured("gan", flags={"batch": 1}))
    assert list(folder.iterdir()) == []


def test_a_batch_of_one_trains_without_batch_normalisation(folder):
    run = start(folder, "gan", flags={"batch": 1, "images": 2}, generator_norm="layer", critic_norm="none")
    assert run.record.images == 2


def test_networks_too_large_for_the_memory_are_one_sentence(folder):
    latent = ", ".join(f"z{index}: normal(65536)" for index in range(900))
    with pytest.raises(GanzooError, match="memory"):
        api.plan(configured("gan", latent=latent, width=16.0))


# ---- train and open ----


def test_training_from_python_is_one_call(folder):
    run = ganzoo.train(
        "infogan", data="mnist", images="64", batch=32, seed=5, device="cpu", precision="fp32", width=0.125, styles=1
    )
    assert run.path == Path("runs/00001-infogan-mnist")
    assert (run.record.status, run.record.images) == ("finished", 64)
    assert (run.config.seed, run.config.options["styles"]) == (5, 1)
    assert run.record.origins["options.styles"] == "the call"
    assert run.record.data_checksum
    assert json.loads((run.path / "run.json").read_text())["status"] == "finished"
    samples = run.sample(6, seed=1, category=[0, 1, 2, 3, 4, 5])
    assert samples.shape == (6, 1, 28, 28)
    assert torch.equal(run.sample(2, seed=1, first=4, category=[4, 5]), samples[4:])
    with pytest.raises(UsageError, match="'catgory'"):
        run.sample(1, catgory=3)
    (traversal,) = run.traverse("style", rows=2, steps=3)
    assert traversal.variable == "style"
    assert [each.variable for each in run.traverse()] == ["category", "style"]
    assert run.latent.names == ("z", "category", "style")
    assert run.data.name == "mnist"
    assert run.stats()[-1]["images"] == 64
    assert run.resume_command == "ganzoo train --resume runs/00001-infogan-mnist"
    assert repr(run) == "Run('runs/00001-infogan-mnist': infogan, finished at 64 images)"
    for which in (1, "1", "00001", "00001-infogan", run.path, str(run.path)):
        opened = ganzoo.open(which)
        assert opened.record == run.record
    assert torch.equal(ganzoo.open(1).sample(6, seed=1, category=[0, 1, 2, 3, 4, 5]), samples)


def test_the_settings_file_chooses_the_data_from_python_too(folder):
    grey_folder(folder / "pics")
    (folder / "ganzoo.toml").write_text('[train]\ndata = "./pics"\n')
    assert ganzoo.train("gan", images=16, batch=16, device="cpu", width=0.125).data.name == "pics"
    assert "gan on pics" in str(ganzoo.build("gan"))
    assert "gan on mnist" in str(ganzoo.build("gan", "mnist"))


def test_what_is_no_run_cannot_be_opened(folder):
    with pytest.raises(UsageError, match="there is no run '7' in runs"):
        ganzoo.open(7)
    (folder / "pics").mkdir()
    with pytest.raises(UsageError, match="pics is not a run directory"):
        ganzoo.open("pics")


def test_an_unknown_option_of_train_is_an_unknown_option_of_the_model(folder):
    with pytest.raises(UsageError, match="there is no option of gan 'wdith'; did you mean 'width'"):
        ganzoo.train("gan", wdith=3)
    assert list(folder.iterdir()) == []


def test_runs_are_numbered_one_after_the_other(folder):
    paths = [start(folder, flags={"images": 16}).path.name for _ in range(2)]
    assert paths == ["00001-gan-toys", "00002-gan-toys"]


def test_a_folder_of_images_trains_every_model_that_its_classes_allow(folder):
    run = api.start(on_folder(grey_folder(folder / "pics"), "cgan"), out="runs")
    assert run.path.name == "00001-cgan-pics"
    assert run.data.labels["label"].classes == ("cats", "dogs")
    assert run.sample(2, label="dogs").shape == (2, 1, 16, 16)


class Own(Model):
    """A model of the test's own."""

    name = "own"

    def latent(self, data):
        return LatentSpec(z=Normal(4))


def test_a_started_run_samples_from_the_zoo_that_it_was_configured_with(folder):
    run = start(folder, Own, flags={"images": 16})
    assert run.sample(2).shape == (2, 1, 16, 16)


def test_a_resumed_run_samples_from_its_zoo(folder):
    start(folder, Own, flags={"images": 16})
    run = api.resume(1, out=folder, flags={"images": 32}, zoo=zoo_of(Own))
    assert run.sample(2).shape == (2, 1, 16, 16)


def test_a_model_asked_for_by_its_distribution_is_found_again(folder):
    class Impostor(Model):
        """Another model called gan."""

        name = "gan"

        def latent(self, data):
            return LatentSpec(mine=Normal(3))

    zoo = Zoo()
    hooks = {"ganzoo_register_datasets": [Toys], "ganzoo_register_models": [Impostor]}
    plugin = SimpleNamespace(**{name: hookimpl(lambda each=each: each, specname=name) for name, each in hooks.items()})
    zoo.register(plugin, "elsewhere")
    options = {"width": 0.125}
    made = api.configure("elsewhere:gan", data="toys", flags={**TINY, "images": 16}, options=options, zoo=zoo)
    assert isinstance(made.model, Impostor)
    api.start(made, out=folder)
    run = api.resume(1, out=folder, flags={"images": 32}, zoo=zoo)
    assert run.latent.names == ("mine",)
