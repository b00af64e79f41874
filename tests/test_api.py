import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from training_helpers import Toys, checkpointed, configured, pictures, start, timeless, zoo_of

import ganzoo
from ganzoo import api
from ganzoo.core.errors import GanzooError, RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Normal
from ganzoo.models.model import Model
from ganzoo.training.events import Observer
from ganzoo.zoo.catalogue import Catalogue
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo

TINY = {"images": 64, "batch": 16, "device": "cpu", "precision": "fp32"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    path = tmp_path / "work"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


def grey_folder(path: Path, shade: int = 0, count: int = 6) -> Path:
    for kind in ("cats", "dogs"):
        (path / kind).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            pixels = np.full((16, 16), (shade + 20 * index + (90 if kind == "dogs" else 0)) % 256, np.uint8)
            Image.fromarray(pixels).save(path / kind / f"{index}.png")
    return path


def on_folder(path: Path, model: str = "gan", **options) -> api.Configured:
    return api.configure(
        model,
        data=str(path),
        flags=TINY,
        data_options={"size": 16, "channels": 1, "test_share": 0.0},
        options={"width": 0.125, **options},
    )


def same(one: api.Run, other: api.Run) -> bool:
    here, there = checkpointed(one), checkpointed(other)
    return here.keys() == there.keys() and all(torch.equal(here[name], there[name]) for name in here)


class StopAt(Observer):
    """Interrupts the run."""

    def __init__(self, images: int) -> None:
        self.images = images

    def progressed(self, images):
        if images == self.images:
            import signal

            signal.raise_signal(signal.SIGINT)


# ---- configure ----


def test_each_layer_covers_those_below_and_is_named(folder):
    Path("ganzoo.toml").write_text(
        "[train]\nbatch = 32\nseed = 1\ntick = 500\n[options]\nwidth = 0.5\n[models.infogan]\nnoise = 30\nstyles = 3\n"
    )
    Path("mine.toml").write_text('[train]\nseed = 2\nimages = "10k"\n[models.infogan]\nstyles = 4\nr1 = 0.5\n')
    made = api.configure(
        "infogan",
        flags={"images": "20k", "batch": None, "device": "cpu"},
        options=["r1=2.0", "adversarial=hinge"],
        config=Path("mine.toml"),
    )
    config, origins = made.config, made.origins
    expected = {
        "model": ("infogan", "the command line"),
        "recipe": ("default", "recipe infogan@default"),
        "data": ("mnist", "default"),
        "images": (20_000, "--images"),
        "batch": (32, "ganzoo.toml"),
        "seed": (2, "mine.toml"),
        "device": ("cpu", "--device"),
        "precision": ("auto", "default"),
        "tick": (500, "ganzoo.toml"),
        "save_every": (2_000, "from images"),
        "schedule": (20_000, "from images"),
        "options.width": (0.5, "ganzoo.toml"),
        "options.noise": (30, "ganzoo.toml"),
        "options.styles": (4, "mine.toml"),
        "options.r1": (2.0, "-o r1=2.0"),
        "options.adversarial": ("hinge", "-o adversarial=hinge"),
        "options.generator_lr": (1e-3, "recipe infogan@default"),
        "options.critic_turns": (1, "default"),
    }
    flat = config.flat()
    assert {key: (flat[key], origins[key]) for key in expected} == expected
    assert set(origins) == set(flat)
    assert made.model.options.styles == 4
    assert made.dataset.name == "mnist"


@pytest.mark.parametrize("name", ["default", "paper"])
def test_a_recipe_is_chosen_by_its_name(name):
    recipe = Catalogue.read().models["infogan"].recipe("mnist", name)
    made = api.configure("infogan@paper" if name == "paper" else "infogan")
    assert made.config.recipe == name
    assert (made.config.images, made.config.batch) == (recipe.images, recipe.batch)
    for option, value in recipe.options.items():
        assert made.config.options[option] == value
        assert made.origins[f"options.{option}"] == f"recipe infogan@{name}"


def test_a_data_set_without_recipes_gets_those_for_any():
    recipe = Catalogue.read().models["gan"].recipe("toys")
    made = api.configure("gan", data="toys", zoo=zoo_of())
    assert (made.config.images, made.config.batch, made.config.recipe) == (recipe.images, recipe.batch, "default")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"model": "infogam"}, "there is no model 'infogam'; did you mean 'infogan'"),
        ({"model": "infogan@papper"}, "'papper'; did you mean 'paper'"),
        ({"data": "mnits"}, "there is no data set 'mnits'; did you mean 'mnist'"),
        ({"flags": {"image": 3}}, "there is no setting 'image'; did you mean 'images'"),
        ({"flags": {"images": -5}}, "images .*must be a whole number above 0"),
        ({"flags": {"images": "64q"}}, "images .*must be a whole number above 0"),
        ({"flags": {"batch": 0}}, "batch .*must be a whole number above 0"),
        ({"flags": {"seed": -1}}, "--seed: seed: .*greater than or equal to 0"),
        ({"flags": {"precision": "fp16"}}, "--precision: precision: .*'auto', 'fp32' or 'bf16'"),
        ({"flags": {"epochs": 0}}, "epochs must be a number above 0"),
        ({"flags": {"epochs": "many"}}, "epochs must be a number above 0"),
        ({"flags": {"epochs": 1, "images": 100}}, "--images and --epochs both set the budget"),
        ({"options": ["noise"]}, "-o takes key=value"),
        ({"options": ["nois=3"]}, "-o nois=3: there is no option of gan 'nois'; did you mean 'noise'"),
        ({"options": {"noise": 0}}, "the call: option of gan, noise: .*greater than or equal to 1"),
        ({"options": ["noise=3", "latent=z: normal(3)"]}, "noise and latent say the same thing twice"),
        ({"options": {"adversarial": "wasserstein"}}, "needs a Lipschitz critic; add gradient_penalty"),
        ({"data_options": ["label=3"]}, "there is no option of data set mnist 'label'; did you mean 'labels'"),
        ({"data_options": {"labels": 3}}, "labels=3 is impossible"),
        ({"config": Path("nowhere.toml")}, "cannot read nowhere.toml"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(changes, match):
    request = {"model": "gan", **changes}
    with pytest.raises(UsageError, match=match) as error:
        api.configure(request.pop("model"), **request)
    assert "\n" not in str(error.value)


def test_a_malformed_settings_file_in_the_working_directory_is_named():
    Path("ganzoo.toml").write_text("[train\n")
    with pytest.raises(UsageError, match=r"^ganzoo.toml is not valid TOML: .*line 1"):
        api.configure("gan")
    Path("ganzoo.toml").write_text("[train]\nbatches = 3\n")
    with pytest.raises(UsageError, match=r"there is no setting in \[train\] of ganzoo.toml 'batches'.*'batch'"):
        api.configure("gan")


def test_the_settings_file_may_choose_the_data_and_its_options():
    Path("ganzoo.toml").write_text('[train]\ndata = "toys"\n[data_options]\nsize = 12\n')
    made = api.configure("gan", zoo=zoo_of())
    assert (made.config.data, made.config.data_options) == ("toys", {"size": 12})
    assert made.dataset.spec.size == 12
    over = api.configure("gan", data="toys", data_options=["size=13"], zoo=zoo_of())
    assert over.dataset.spec.size == 13
    assert over.origins["data_options.size"] == "-d size=13"


@pytest.mark.parametrize(("epochs", "images"), [(2, 192), ("0.5", 48), (1.5, 144)])
def test_epochs_are_turned_into_images(epochs, images):
    made = configured(flags={"images": None, "epochs": epochs})
    assert (made.config.images, made.origins["images"]) == (images, "--epochs")
    assert made.config.schedule == images


def test_epochs_cover_the_images_of_files_and_recipes():
    Path("ganzoo.toml").write_text("[train]\nimages = 7\n")
    made = api.configure("gan", data="toys", flags={"epochs": 1}, zoo=zoo_of())
    assert made.config.images == 96


def test_options_by_name_and_as_text_mean_the_same():
    text = api.configure("infogan", options=["categories=[10, 5]", "r1=0.5", "critic_norm=none", "spectral_norm=true"])
    named = api.configure(
        "infogan", options={"categories": (10, 5), "r1": 0.5, "critic_norm": "none", "spectral_norm": True}
    )
    assert text.config == named.config
    assert text.model.options == named.model.options


def test_a_latent_space_as_text_takes_the_place_of_the_codes():
    made = api.configure("infogan", options=["latent=z: normal(3), digit: categorical(10) code"])
    assert made.config.options["latent"] == "z: normal(3), digit: categorical(10) code"
    assert not {"noise", "categories", "style_weight"} & set(made.config.options)


def test_a_folder_option_that_names_the_path_again_is_refused():
    grey_folder(Path("pics"))
    with pytest.raises(UsageError):
        api.configure("gan", data="./pics", data_options={"path": "./pics"})


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
    with pytest.raises(GanzooError, match="memory"):
        api.plan(configured("gan", noise=10**13))


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


# ---- resume ----


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
