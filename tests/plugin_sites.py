"""Folders of installed distributions, as an installer leaves them: a dist-info folder beside the modules it names."""

from pathlib import Path

__all__ = ["HOSTILE", "install_into", "model_source"]


def install_into(
    site: Path,
    distribution: str,
    *,
    entry_points: str | None = None,
    fragment: str | bytes | None = None,
    **modules: str,
) -> Path:
    """Write a distribution of version 1.2 with an entry point for each module, of the same name.

    Args:
        site: the folder, which is to be on the path.
        distribution: its name.
        entry_points: the text of ``entry_points.txt``, instead of a plugin for each module.
        fragment: the content of a ``registry.toml``; each module is then a package that has it.
        **modules: source by name.

    Returns:
        A path that each of the modules creates when it is imported.
    """
    info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    points = "\n".join(f"{module} = {module}" for module in modules)
    (info / "entry_points.txt").write_text(f"[ganzoo]\n{points}\n" if entry_points is None else entry_points)
    witness = site / f"{distribution} was imported"
    for module, source in modules.items():
        leaves_a_trace = f"from pathlib import Path\nPath({str(witness)!r}).touch()\n"
        file = site / f"{module}.py"
        if fragment is not None:
            file = site / module / "__init__.py"
            file.parent.mkdir()
            content = fragment.encode() if isinstance(fragment, str) else fragment
            file.with_name("registry.toml").write_bytes(content)
        file.write_text(leaves_a_trace + source)
    return witness


def model_source(*names: str) -> str:
    """Source of a plugin module with one model for each name."""
    classes = "".join(
        f"class Model{index}(ganzoo.Model):\n"
        f"    '''A model of no use.'''\n"
        f"    name = {name!r}\n"
        f"    def latent(self, data):\n"
        f"        raise NotImplementedError\n"
        for index, name in enumerate(names)
    )
    offered = ", ".join(f"Model{index}" for index in range(len(names)))
    return f"import ganzoo\n{classes}@ganzoo.hookimpl\ndef ganzoo_register_models():\n    return [{offered}]\n"


HOOK = "import ganzoo\n@ganzoo.hookimpl\n"

HOSTILE = {
    "import-error": ("import no_such_module\n", "failed", "ModuleNotFoundError: No module named 'no_such_module'"),
    "exit-at-import": ("raise SystemExit(3)\n", "failed", "its import raised SystemExit: 3"),
    "wrong-signature": (
        f"{HOOK}def ganzoo_tick(run, loss): pass\n",
        "failed",
        "hook ganzoo_tick has no argument 'loss'; expected def ganzoo_tick(run, tick)",
    ),
    "misspelt-hook": (
        f"{HOOK}def ganzoo_register_model(): return []\n",
        "failed",
        "there is no hook 'ganzoo_register_model'; did you mean 'ganzoo_register_models'",
    ),
    "duplicate-name": (model_source("gan"), "loaded", "others offer the same name; ask for duplicate-name:gan"),
    "no-name": (
        "import ganzoo\nclass Nameless(ganzoo.Model):\n    def latent(self, data): return None\n"
        "@ganzoo.hookimpl\ndef ganzoo_register_models(): return [Nameless]\n",
        "failed",
        "the class Nameless, which has no name; expected name = 'nameless' in it",
    ),
    "api-99": (
        f"GANZOO_API = 99\n{HOOK}def ganzoo_dream(): return []\n",
        "incompatible",
        "needs plugin API 99, this ganzoo has 1",
    ),
}
"""Plugins that must harm nobody: by distribution the source, and the state and reason that it gets."""
