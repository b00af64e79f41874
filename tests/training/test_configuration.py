from pathlib import Path

import pytest
from training_helpers import configured, grey_folder, start, zoo_of

from ganzoo import api
from ganzoo.core.errors import UsageError
from ganzoo.zoo.catalogue import Catalogue

pytestmark = pytest.mark.usefixtures("folder")


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
    if recipe.half_life is not None:
        assert (made.config.half_life, made.origins["half_life"]) == (recipe.half_life, f"recipe infogan@{name}")


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


def test_none_unsets_an_option_of_a_recipe_and_goes_on_as_such(folder):
    Path("ganzoo.toml").write_text('[options]\nrecognition_lr = "none"\n')
    made = api.configure("infogan")
    assert (made.config.options["recognition_lr"], made.origins["options.recognition_lr"]) == (None, "ganzoo.toml")
    run = start(folder, "infogan", flags={"images": 16}, recognition_lr="none")
    assert run.config.options["recognition_lr"] is None
    assert api.resume(1, out=folder, flags={"images": 32}, options=["recognition_lr=none"], zoo=zoo_of()).record.images


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
