"""The public API: what ``import ganzoo`` offers, and what it does not load; and a model from outside."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pydantic import Field
from training_helpers import zoo_of

import ganzoo
from ganzoo import api

SOURCE = Path(ganzoo.__file__).read_text(encoding="utf-8")
HOMES: dict[str, tuple[str, ...]] = ganzoo._HOMES


def checked() -> list[tuple[str, str, str | None]]:
    """Module, name and alias of each import that type checkers see."""
    (block,) = (
        node
        for node in ast.parse(SOURCE).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return [(str(node.module), name.name, name.asname) for node in imports for name in node.names]


def test_type_checkers_see_what_can_be_imported() -> None:
    seen = checked()
    assert all(alias == name for _, name, alias in seen), "a re-export is spelt `X as X`"
    assert len(set(seen)) == len(seen)
    assert {(module, name) for module, name, _ in seen} == {(home, name) for home in HOMES for name in HOMES[home]}


def test_all_names_are_those_that_resolve() -> None:
    assert ganzoo.__all__ == sorted({"__version__", *(name for names in HOMES.values() for name in names)})
    assert len(set(ganzoo.__all__)) == len(ganzoo.__all__)
    assert dir(ganzoo) == ganzoo.__all__


@pytest.mark.parametrize("home", HOMES)
def test_a_public_name_is_public_at_home(home: str) -> None:
    module = importlib.import_module(home)
    for name in HOMES[home]:
        assert getattr(ganzoo, name) is getattr(module, name)
        assert name in module.__all__


def test_everything_public_is_documented() -> None:
    for name in ganzoo.__all__:
        if name not in ("__version__", "hookimpl"):
            assert getattr(ganzoo, name).__doc__, name


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="module 'ganzoo' has no attribute 'trian'"):
        _ = ganzoo.trian


def test_the_version_is_the_distributions() -> None:
    assert ganzoo.__version__[0].isdigit()


def test_importing_ganzoo_imports_neither_torch_nor_plugins() -> None:
    program = """
import sys
before = set(sys.modules)
import ganzoo
names = {name.partition(".")[0] for name in set(sys.modules) - before}
names |= {name for name in sys.modules if name.startswith("ganzoo.")}
print(*sorted(names - set(sys.stdlib_module_names)))
ganzoo.UsageError, ganzoo.hookimpl
print(*sorted({"torch", "pydantic", "rich", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["ganzoo", ""]


class Fifth(ganzoo.Model):
    """A model that the zoo has never heard of: a hinged GAN with a label, a code and a prior of its own."""

    name = "fifth"

    class Options(ganzoo.Model.Options):
        """One more than every model has."""

        flags: int = Field(3, ge=1, description="number of binary codes")

    def latent(self, data: ganzoo.DataSpec) -> ganzoo.LatentSpec:
        """Uniform noise, the labels, and binary codes."""
        flags = ganzoo.Bernoulli(self.options.flags, role="code")
        return ganzoo.LatentSpec(noise=ganzoo.Uniform(8), **ganzoo.label_conditions(data), flags=flags)

    def objective(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        """Hinge, and the information of the flags."""
        return ganzoo.Hinge() + 0.5 * ganzoo.MutualInformation(latent.codes)


def test_a_fifth_model_needs_no_change_in_ganzoo() -> None:
    flags = {"images": 64, "batch": 16, "device": "cpu", "precision": "fp32"}
    configured = api.configure("fifth", data="toys", flags=flags, options=["width=0.125", "flags=2"], zoo=zoo_of(Fifth))
    assert configured.origins["options.flags"] == "-o flags=2"
    plan = api.plan(configured)
    assert plan.game.latent.names == ("noise", "label", "flags")
    assert "Hinge() + 0.5 * MutualInformation(flags)" in str(plan)
    _, trainer = api.prepare(configured)
    before = [parameter.detach().clone() for parameter in trainer.game.networks["generator"].parameters()]
    trainer.play_round()
    trainer.check_finite()
    assert trainer.images == 16
    after = list(trainer.game.networks["generator"].parameters())
    assert not any(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert {
        "critic/adversarial",
        "critic/information/flags",
        "generator/information/flags",
        "information/flags",
    } <= set(trainer.statistics.read())
