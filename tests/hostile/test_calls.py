"""What no file of ganzoo's may call, since a file of a stranger's could then run code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(file for folder in ("ganzoo", "plugins") for file in (ROOT / folder).rglob("*.py"))
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_ENDINGS = ("torch.load", "torch.hub.load", "os.system", "os.popen", "yaml.load", "load_state_dict_from_url")
FORBIDDEN_KEYWORDS = {"shell", "allow_pickle"}


def complaints(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"imports {each.name}" for each in node.names if each.name.split(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            yield f"imports {node.module}"
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{each.name}" for each in node.names]
            # Safetensors' own load reads tensors and nothing else.
            ours = (name for name in names if not name.startswith("safetensors."))
            yield from (f"imports {name}" for name in ours if name.endswith(FORBIDDEN_ENDINGS))
        elif isinstance(node, ast.Attribute) and ast.unparse(node).endswith(FORBIDDEN_ENDINGS):
            yield f"uses {ast.unparse(node)}"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in FORBIDDEN_CALLS or called.removeprefix("builtins.") in FORBIDDEN_CALLS:
                yield f"calls {called}"
            for keyword in node.keywords:
                constant = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                if keyword.arg in FORBIDDEN_KEYWORDS and not constant:
                    yield f"calls {called} with {keyword.arg}"


def test_there_are_files() -> None:
    assert len(FILES) > 150


@pytest.mark.parametrize("folder", ["ganzoo", "plugins"])
def test_no_file_calls_what_could_run_a_strangers_code(folder: str) -> None:
    found = [
        f"{file.relative_to(ROOT)} {complaint}"
        for file in FILES
        if file.is_relative_to(ROOT / folder)
        for complaint in complaints(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib as j",
        "torch.load(file)",
        "from torch import load",
        "read = torch.load",
        "torch.hub.load('a/b', 'c')",
        "eval('1')",
        "builtins.exec(text)",
        "yaml.load(text)",
        "os.system('ls')",
        "subprocess.run(line, shell=True)",
        "subprocess.run(line, shell=flag)",
        "np.load(file, allow_pickle=True)",
    ],
)
def test_each_of_them_would_be_found(line: str) -> None:
    assert list(complaints(ast.parse(line)))


def test_what_only_looks_like_them_is_not() -> None:
    assert not list(complaints(ast.parse("model.eval()\nnp.load(f, allow_pickle=False)\nre.compile(x)\nx.load(y)")))
