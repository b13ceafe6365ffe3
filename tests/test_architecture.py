"""The layout shows the architecture: who may import whom, and what no module may reach for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Lower apps first: an app imports itself and what stands before it.
LAYERS = ["segmentation_crm.common", "accounts", "segments", "campaigns", "scoring", "segmentation_crm"]
# What another app must not reach into: the outer shell of each app.
OUTER = {"views", "forms", "api", "admin", "urls", "tasks"}
ALLOWED_BASES = {"segmentation_crm.common.api", "segmentation_crm.common.admin"}
# Settings are read by everybody through django.conf; only these may import the project package from below.
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py"}


def app_of(module: str) -> str | None:
    """Return the layer that a dotted module belongs to, or None for a library."""
    if module == "segmentation_crm.common" or module.startswith("segmentation_crm.common."):
        return "segmentation_crm.common"
    top = module.split(".", 1)[0]
    return top if top in LAYERS else None


def module_of(path: Path) -> str:
    """Return the dotted name of a file."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def source_files() -> list[Path]:
    """Return every Python file of the product, migrations left out."""
    found = []
    for top in ["segmentation_crm", "accounts", "segments", "campaigns", "scoring"]:
        found += [p for p in (ROOT / top).rglob("*.py") if "migrations" not in p.parts]
    return found


def imports_of(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (line, module, name) of each import, relative ones resolved."""
    module = module_of(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                stem = package.split(".")
                stem = stem[: len(stem) - (node.level - 1)]
                base = ".".join([*stem, base] if base else stem)
            for alias in node.names:
                yield node.lineno, base, alias.name


def violations(path: Path) -> list[str]:
    """Return what the file imports against the rules, in words."""
    own = app_of(module_of(path))
    assert own is not None
    found = []
    for line, module, name in imports_of(path):
        target = app_of(f"{module}.{name}") if module == "segmentation_crm" else app_of(module)
        if target is None or target == own:
            continue
        where = f"{path.relative_to(ROOT)}:{line}"
        if LAYERS.index(target) > LAYERS.index(own):
            found.append(f"{where}: {own} imports {module} ({name}), which lies above it")
        inside = module.removeprefix(target).strip(".").split(".") if module != target else []
        reached = {*inside, name}
        if reached & OUTER and own != "segmentation_crm" and not any(module.startswith(b) for b in ALLOWED_BASES):
            found.append(f"{where}: {own} reaches into the views, forms or API of {target}: {module} ({name})")
        if name.startswith("_") or any(part.startswith("_") for part in inside):
            found.append(f"{where}: {own} imports the private name {module}.{name}")
    return found


@pytest.mark.parametrize("path", source_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_direction(path):
    assert violations(path) == []


def test_the_checker_sees_a_violation(tmp_path, monkeypatch):
    """The guard itself can fail: an upward import, a reach into views and a private name are each found."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    bad = tmp_path / "accounts" / "queries.py"
    bad.parent.mkdir()
    bad.write_text(
        "from segments.models import Segment\n"
        "from segmentation_crm.common.views import jobs\n"
        "from segmentation_crm.common.folding import _fold\n"
        "from segmentation_crm import urls\n"
    )
    found = violations(bad)
    assert [v.split(":")[1] for v in found] == ["1", "2", "3", "4", "4"]


def test_no_module_is_named_for_nothing_in_particular():
    assert [p for p in source_files() if p.name in FORBIDDEN_NAMES] == []


def test_source_files_stay_readable():
    """A file past 450 lines is split by noun."""
    long = {str(p.relative_to(ROOT)): n for p in source_files() if (n := len(p.read_text().splitlines())) > 450}
    assert long == {}
