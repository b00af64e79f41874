from ganzoo.data.plugin import ganzoo_register_datasets


def test_built_in_sets_have_their_names_on_the_command_line() -> None:
    names = [dataset.name for dataset in ganzoo_register_datasets()]
    grey_and_colour = ["mnist", "fashion-mnist", "kmnist", "svhn", "cifar10", "celeba"]
    assert names == [*grey_and_colour, "sprites", "dsprites", "folder"]


def test_those_that_need_no_network_say_so() -> None:
    offline = [dataset.name for dataset in ganzoo_register_datasets() if dataset.offline]
    assert offline == ["mnist", "sprites", "folder"]


def test_every_option_is_described() -> None:
    for dataset in ganzoo_register_datasets():
        assert dataset.summary
        for name, field in dataset.Options.model_fields.items():
            assert field.description, (dataset.name, name)
