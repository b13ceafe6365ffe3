"""Refresh the vendored front-end files from npm; for maintainers, never needed to install, run or test.

    python scripts/refresh_vendored_assets.py

For each package: fetch the pinned tarball with `npm pack`, copy the few files the pages use into
`segmentation_crm/static/vendor/<name>-<version>/` with the licence and a `vendor.json` (name, version, licence,
sha256 of each file), and strip `sourceMappingURL` comments (the maps are not shipped, and a dangling reference
makes `collectstatic` with the manifest storage fail). The icon sprite is drawn from the icons listed here.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "segmentation_crm" / "static"
SOURCE_MAP = re.compile(rb"\s*(?://[#@]\s*sourceMappingURL=[^\s]*|/\*[#@]\s*sourceMappingURL=[^*]*\*/)\s*")
SUBSETS = ("latin", "latin-ext", "vietnamese", "greek", "greek-ext", "cyrillic", "cyrillic-ext")


@dataclass(frozen=True)
class Package:
    """One npm package: `files` maps a path in the tarball to the file's name here."""

    npm: str
    version: str
    folder: str
    licence: str
    files: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Path:
        """Return the folder the files are copied to."""
        return STATIC / "vendor" / f"{self.folder}-{self.version}"


PACKAGES = [
    Package(
        "@tabler/core",
        "1.6.1",
        "tabler",
        "MIT",
        # Only the style sheet: menus and dialogs are the browser's own <details> and <dialog>.
        {"dist/css/tabler.min.css": "tabler.min.css"},
    ),
    # Dragging deals over the board.
    Package("sortablejs", "1.15.7", "sortablejs", "MIT", {"Sortable.min.js": "sortable.min.js"}),
    Package("@alpinejs/csp", "3.17.4", "alpinejs-csp", "MIT", {"dist/cdn.min.js": "alpine.min.js"}),
    Package(
        "tom-select",
        "2.6.2",
        "tom-select",
        "Apache-2.0",
        {
            "dist/js/tom-select.complete.min.js": "tom-select.min.js",
            "dist/css/tom-select.bootstrap5.min.css": "tom-select.min.css",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "inter",
        "OFL-1.1",
        {f"files/inter-{s}-wght-normal.woff2": f"inter-{s}.woff2" for s in SUBSETS} | {"LICENSE": "LICENSE"},
    ),
]
ICONS = Package("@tabler/icons", "3.51.0", "tabler-icons", "MIT", {"LICENSE": "LICENSE"})
# One name a line: only what a template draws; https://tabler.io/icons shows them all.
ICON_NAMES = (Path(__file__).parent / "icons.txt").read_text().split()

# Licence texts of packages whose tarball carries none.
MIT_TEXT = """MIT License

Copyright (c) {holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.
"""
MIT_HOLDERS = {
    "sortablejs": "2019 All contributors to Sortable",
    "@tabler/core": "2018-2026 The Tabler Authors",
    "@alpinejs/csp": "2019-2026 Caleb Porzio and contributors",
}


def fetch(package: Package, workplace: Path) -> Path:
    """Unpack the package's tarball and return its folder; raises CalledProcessError where npm fails."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", f"{package.npm}@{package.version}"],
        cwd=workplace,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    folder = workplace / package.folder
    with tarfile.open(workplace / packed.splitlines()[-1]) as tarball:
        tarball.extractall(folder, filter="data")
    return folder / "package"


def cleaned(path: Path) -> bytes:
    """Return the file without source-map references."""
    data = path.read_bytes()
    return SOURCE_MAP.sub(b"\n", data) if path.suffix in {".js", ".css"} else data


def write_manifest(package: Package) -> None:
    """Write vendor.json with the digest of every vendored file."""
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(package.target.iterdir())
        if path.name != "vendor.json"
    }
    manifest = {
        "name": package.npm,
        "version": package.version,
        "licence": package.licence,
        "source": f"npm:{package.npm}@{package.version}",
        "sha256": digests,
    }
    (package.target / "vendor.json").write_text(json.dumps(manifest, indent=2) + "\n")


def vendor(package: Package, source: Path) -> None:
    """Copy the package's files, add its licence, write its manifest; older versions are removed."""
    for old in package.target.parent.glob(f"{package.folder}-[0-9]*"):
        shutil.rmtree(old)
    package.target.mkdir(parents=True)
    for inside, name in package.files.items():
        (package.target / name).write_bytes(cleaned(source / inside))
    if "LICENSE" not in package.files:
        (package.target / "LICENSE").write_text(MIT_TEXT.format(holder=MIT_HOLDERS[package.npm]))


def write_font_css(package: Package, source: Path) -> None:
    """Write the @font-face rules, one per script, so that a page loads only the scripts it shows."""
    ranges = json.loads((source / "unicode.json").read_text())
    rules = [
        f'@font-face{{font-family:"Inter";font-style:normal;font-display:swap;font-weight:100 900;'
        f'src:url("inter-{subset}.woff2") format("woff2");unicode-range:{ranges[subset]}}}'
        for subset in SUBSETS
    ]
    (package.target / "inter.css").write_text("\n".join(rules) + "\n")


def write_sprite(source: Path) -> None:
    """Write img/icons.svg: one symbol per used icon, coloured by the text around it."""
    symbols = []
    for name in sorted(ICON_NAMES):
        svg = (source / "icons" / "outline" / f"{name}.svg").read_text()
        paths = re.findall(r"<(?:path|circle|rect|line|polyline)\b[^>]*/>", svg)
        shapes = "".join(path for path in paths if "M0 0h24v24H0z" not in path)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    comment = f"<!-- Tabler Icons {ICONS.version}, MIT; vendor/{ICONS.folder}-{ICONS.version}/LICENSE -->"
    (STATIC / "img" / "icons.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg">{comment}\n' + "\n".join(symbols) + "\n</svg>\n"
    )


def main() -> None:
    """Refresh every package and the sprite."""
    with tempfile.TemporaryDirectory() as place:
        for package in [*PACKAGES, ICONS]:
            source = fetch(package, Path(place))
            vendor(package, source)
            if package.folder == "inter":
                write_font_css(package, source)
            if package is ICONS:
                write_sprite(source)
            write_manifest(package)
            sys.stdout.write(f"{package.npm} {package.version}\n")


if __name__ == "__main__":
    main()
