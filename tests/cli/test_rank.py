import json
import shutil
from pathlib import Path

import pytest
from cli_helpers import TINY, Ganzoo, called, one_sentence

SMALL = [*TINY, "--images", "64", "-o", "networks=mlp"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tiny InfoGANs, a GAN, and an InfoGAN on few labelled samples; nothing here changes them."""
    folder = tmp_path_factory.mktemp("rank")
    for seed in (0, 1, 0):
        called("train", "infogan", *SMALL, "--seed", str(seed), cwd=folder)
    called("train", "gan", *SMALL, cwd=folder)
    called("train", "infogan", *SMALL, "-d", "labels=100", cwd=folder)
    return folder / "runs"


def test_it_prints_a_table_with_the_best_run_first(ganzoo: Ganzoo, root: Path) -> None:
    printed = ganzoo("rank", 1, 2, 3, "--samples", 500, "--runs", root).stdout.splitlines()
    assert printed[0].split() == ["run", "seed", "mean", "agreement", "rank"]
    rows = [line.split() for line in printed[2:5]]
    assert [row[0] for row in rows] == ["00001-infogan-mnist", "00003-infogan-mnist", "00002-infogan-mnist"]
    assert [(row[1], row[-1]) for row in rows] == [("0", "1"), ("0", "2"), ("1", "3")]
    assert printed[-1] == (
        "share of 500 real training samples that two runs put into the same category, matched one to one; "
        "no label was read."
    )


def test_runs_of_one_name_are_told_apart_by_their_folders(ganzoo: Ganzoo, root: Path, tmp_path: Path) -> None:
    paths = []
    for number in (1, 2, 3):
        [run] = root.glob(f"0000{number}-*")
        paths.append(shutil.copytree(run, tmp_path / f"seed-{number}" / "00001-infogan-mnist"))
    printed = ganzoo("rank", *paths, "--samples", 500).stdout
    assert all(str(path) in printed.replace("\n", "") for path in paths)


def test_json_has_every_pair(ganzoo: Ganzoo, root: Path) -> None:
    line = ["rank", 1, 2, 3, "--by", "factors", "--samples", 512, "--seed", 1, "--json", "--runs", root]
    found = json.loads(ganzoo(*line).stdout)
    assert (found["by"], found["samples"], found["seed"]) == ("factors", 512, 1)
    assert [run["rank"] for run in found["runs"]] == [1, 2, 3]
    assert {Path(run["run"]).name for run in found["runs"]} == {f"0000{k}-infogan-mnist" for k in (1, 2, 3)}
    pairs = found["agreements"]["pairs"]
    assert [pairs[k][k] for k in range(3)] == [None] * 3
    assert pairs[0][1] == pairs[1][0] == pairs[2][1]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ((1, 2), "ranking takes at least three runs, each once: of two, nobody can say which one is odd"),
        ((1, 2, 2), "ranking takes at least three runs, each once: of two, nobody can say which one is odd"),
        (
            (1, 2, 4),
            "00004-gan-mnist cannot be ranked: needs at least two code dimensions to tell apart, and the latent space "
            "has 0",
        ),
        (
            (1, 2, 4, "--by", "categories"),
            "00004-gan-mnist cannot be ranked: the latent space has no categorical code",
        ),
        ((1, 2, 3, "--by", "factors", "--samples", 9), "--samples 9 is too few for this many code dimensions; take"),
        ((1, 2, 5), "00005-infogan-mnist was trained on other data than 00001-infogan-mnist"),
        ((1, 2, 77), "77"),
    ],
)
def test_what_cannot_be_ranked_is_refused_in_a_sentence(
    line: tuple[object, ...], sentence: str, ganzoo: Ganzoo, root: Path
) -> None:
    assert sentence in one_sentence(ganzoo("rank", *line, "--runs", root, code=2))
