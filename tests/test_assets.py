"""Vendored files are what was vendored, nothing is fetched from outside, and every icon drawn exists."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "segmentation_crm" / "static"
VENDORED = sorted((STATIC / "vendor").iterdir())
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# What makes a browser fetch or send something.
FETCHING = re.compile(r"""(?:src|href|action|poster|data|hx-\w+)\s*=\s*["'](?:https?:)?//([^"'/{\s]*)""", re.IGNORECASE)
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", re.IGNORECASE)
HANDLER = re.compile(r"\son(?:click|change|submit|input|load|error|key\w+)\s*=", re.IGNORECASE)
ICON = re.compile(r"""\{%\s*icon\s+"([\w-]+)\"""")
ICON_NAME = re.compile(r"""(?:icon_name|action_icon|empty_icon)="([\w-]+)\"""")


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_vendored_files_match_their_manifest(folder):
    manifest = json.loads((folder / "vendor.json").read_text())
    assert {"name", "version", "licence", "sha256"} <= set(manifest)
    assert folder.name.endswith(f"-{manifest['version']}")
    assert (folder / "LICENSE").exists()
    files = {path.name for path in folder.iterdir()} - {"vendor.json"}
    assert files == set(manifest["sha256"])
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_no_style_sheet_or_script_refers_to_a_source_map_or_another_host():
    for path in [*STATIC.rglob("*.css"), *STATIC.rglob("*.js")]:
        text = path.read_text()
        assert "sourceMappingURL" not in text, path
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//", text), path
        assert not re.search(r"@import\s+(?:url\()?[\"'](?:https?:)?//", text), path


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_names_an_outside_host_or_runs_inline_code(path):
    text = path.read_text()
    # A link a person may follow to a company's own site is no fetch; its host comes from the record.
    hosts = [host for host in FETCHING.findall(text) if host]
    assert not hosts, hosts
    assert not INLINE_SCRIPT.search(text)
    assert not HANDLER.search(text)
    assert "<style" not in text


def test_every_icon_a_template_draws_is_in_the_sprite():
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "img" / "icons.svg").read_text()))
    used = {name for path in TEMPLATES for pattern in (ICON, ICON_NAME) for name in pattern.findall(path.read_text())}
    assert used <= symbols, used - symbols


def test_icons_of_the_menu_and_the_timeline_are_in_the_sprite():
    from accounts.queries.timeline import ACTIVITY_ICONS
    from segmentation_crm.context import MENU

    symbols = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "img" / "icons.svg").read_text()))
    assert {entry.icon for group in MENU for entry in group.entries} <= symbols
    assert set(ACTIVITY_ICONS.values()) <= symbols
