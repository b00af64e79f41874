from pathlib import Path

from cli_helpers import Ganzoo, one_sentence


def test_it_says_what_it_has_written_and_what_to_type(ganzoo: Ganzoo) -> None:
    lines = ganzoo("plugins", "new", "hello-gan").stdout.splitlines()
    assert lines[0] == "ganzoo-hello-gan"
    assert {"  pyproject.toml", "  README.md", "  .github/workflows/test.yml"} <= set(lines)
    assert all(Path("ganzoo-hello-gan", line.strip()).is_file() for line in lines[1 : lines.index("")])
    assert lines[lines.index("type next") + 1 :] == [
        "  pip install -e ganzoo-hello-gan",
        "  pytest ganzoo-hello-gan",
        "  ganzoo train hello-gan --data mnist --images 20k",
    ]


def test_another_folder_is_named_in_what_to_type(ganzoo: Ganzoo, tmp_path: Path) -> None:
    (tmp_path / "my projects").mkdir()
    printed = ganzoo("plugins", "new", "hello-gan", "--dir", "my projects").stdout
    assert "  pip install -e 'my projects/ganzoo-hello-gan'\n" in printed
    assert (tmp_path / "my projects" / "ganzoo-hello-gan" / "pyproject.toml").is_file()


def test_a_refusal_is_one_sentence(ganzoo: Ganzoo, tmp_path: Path) -> None:
    assert "'Hello' cannot name a plugin" in one_sentence(ganzoo("plugins", "new", "Hello", code=2))
    assert "there is no folder nowhere" in one_sentence(ganzoo("plugins", "new", "x", "--dir", "nowhere", code=2))
    ganzoo("plugins", "new", "hello-gan")
    assert "is there already" in one_sentence(ganzoo("plugins", "new", "hello-gan", code=2))
    assert [path.name for path in tmp_path.iterdir()] == ["ganzoo-hello-gan"]
