"""A run as a small directory: written, opened by its path, and refused where it has changed or is not enough."""

import json
from pathlib import Path

import pytest
import torch
from cli_helpers import Ganzoo, Trained, contents, one_sentence, refused

import ganzoo.api as api
import ganzoo.comparison.export as exporting
import ganzoo.runs.model as sizes
from ganzoo.core.errors import RunError
from ganzoo.runs.checkpoint import Checkpoint, latest
from ganzoo.runs.directory import RunDirectory
from ganzoo.zoo.manager import default_zoo


@pytest.fixture
def exported(trained: Trained, ganzoo: Ganzoo) -> Path:
    """The trained run's export, in the folder that commands are called in."""
    ganzoo("export", trained.run, "digits")
    return Path("digits")


def checkpoint_of(exported: Path) -> Checkpoint:
    return latest(RunDirectory.open(exported))


def test_it_is_small_and_holds_what_sampling_needs(trained: Trained, exported: Path) -> None:
    files = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    point = "checkpoints/000000256"
    assert files == {"run.json", "README.md", f"{point}/averaged.safetensors", f"{point}/manifest.json"}
    assert (exported / "run.json").read_bytes() == (trained.run / "run.json").read_bytes()
    stored, whole = checkpoint_of(exported), latest(RunDirectory.open(trained.run))
    types = {kind for kind, _ in stored.shapes("averaged").values()}
    assert types == {"F16", "I64"}
    ratio = stored.manifest.files["averaged.safetensors"].bytes / whole.manifest.files["averaged.safetensors"].bytes
    assert ratio < 0.65


def test_its_samples_are_those_of_the_run_but_for_half_precision(trained: Trained, exported: Path) -> None:
    ours, theirs = api.open(trained.run), api.open(exported)
    given = {"category": [index % 10 for index in range(70)]}
    first, second = ours.sample(70, seed=3, **given), theirs.sample(70, seed=3, **given)
    assert second.dtype == torch.float32
    assert not first.equal(second)
    assert float((first - second).abs().max()) < 0.01
    weights = {key: each.dtype for key, each in theirs.sampler.generator.state_dict().items()}
    assert torch.float16 not in weights.values()


def test_commands_that_draw_use_it_like_any_run(exported: Path, ganzoo: Ganzoo) -> None:
    assert ganzoo("sample", "./digits").stdout.strip() == "digits/samples/sheet-seed0.png"
    assert "digits/traversals/style-0.png" in ganzoo("traverse", "digits").stdout
    assert ganzoo("report", "digits").stdout.strip() == "digits/report.html"
    assert "ganzoo eval" not in (exported / "report.html").read_text()
    assert "000000256" in ganzoo("show", "./digits").stdout


def test_exported_once_more_it_is_the_same(exported: Path, ganzoo: Ganzoo) -> None:
    assert "SHA-256" in ganzoo("export", "./digits", "again").stdout
    again = checkpoint_of(Path("again"))
    assert again.manifest == checkpoint_of(exported).manifest


def test_names_and_scores_come_along(runs: Path, ganzoo: Ganzoo) -> None:
    words = [f"word{index}" for index in range(10)]
    ganzoo("name", 1, "--set", f"category={','.join(words)}")
    ganzoo("eval", 1, "--metric", "information", "--samples", 1000)
    ganzoo("export", 1, "deep/digits")
    assert api.open("deep/digits").latent["category"].names == tuple(words)
    card = Path("deep/digits/README.md").read_text()
    assert card.startswith("# digits\n")
    assert all(text in card for text in ("word3", "(by hand)", "| `information/category` |", "ganzoo train infogan"))


@pytest.mark.parametrize(
    "command",
    [
        ("eval", "digits"),
        ("name", "digits", "--labels", 10),
        ("train", "--resume", "digits", "--images", 512),
        ("compare", "digits", "gan"),
    ],
    ids=lambda command: command[0],
)
def test_what_needs_the_critic_is_one_sentence(command: tuple[object, ...], exported: Path, ganzoo: Ganzoo) -> None:
    said = one_sentence(ganzoo(*command, code=1))
    assert said.startswith("digits ships its generator alone, and this takes its critic")


def test_a_changed_byte_is_one_sentence(exported: Path, ganzoo: Ganzoo) -> None:
    (file,) = exported.rglob("averaged.safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert "averaged.safetensors has changed since it was saved" in one_sentence(ganzoo("sample", "digits", code=1))


def test_half_precision_is_taken_only_where_the_manifest_says_so(exported: Path) -> None:
    (file,) = exported.rglob("manifest.json")
    manifest = json.loads(file.read_text())
    assert manifest["files"]["averaged.safetensors"].pop("half") is True
    file.write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="is of type F16 there and F32 here"):
        api.open(exported).sample(1)


def test_networks_that_are_left_out_cannot_be_of_any_size(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_UNSEEN", 0.1)
    with pytest.raises(RunError, match=r"leaves out networks of .* values, far more than it holds"):
        api.open(exported).sample(1)


def test_a_directory_that_is_there_is_left_alone(exported: Path, trained: Trained, ganzoo: Ganzoo) -> None:
    assert "digits exists already" in refused(ganzoo, Path(), "export", trained.run, "digits")


def test_an_export_that_fails_leaves_nothing(trained: Trained, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_card", lambda *_: [1 / 0])
    before = contents(trained.run)
    with pytest.raises(ZeroDivisionError):
        exporting.export(RunDirectory.open(trained.run), "digits", default_zoo())
    assert not list(Path().iterdir())
    assert contents(trained.run) == before


def test_weights_beyond_half_precision_are_refused(
    trained: Trained, ganzoo: Ganzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "state_of", lambda networks: {"generator.weight": torch.tensor([7e4])})
    with pytest.raises(RunError, match=r"generator\.weight has values above 65,504"):
        exporting.export(RunDirectory.open(trained.run), "digits", default_zoo())
