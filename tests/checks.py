"""The fast checks: format, lint, types, templates, Django's own. All run; the exit code says whether one failed."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
APPS = ["segmentation_crm", "accounts", "segments", "campaigns", "scoring"]
# What a deployment sets; `check --deploy` looks at these.
DEPLOYMENT = {"DEBUG": "0", "ALLOWED_HOSTS": "crm.example.com", "SITE_URL": "https://crm.example.com"}


def checks() -> dict[str, list[str]]:
    """Return the commands by name."""
    manage = [sys.executable, "manage.py"]
    return {
        "format": [str(BIN / "ruff"), "format", "--check", "."],
        "lint": [str(BIN / "ruff"), "check", "."],
        "templates": [str(BIN / "djlint"), "templates", "--lint", "--quiet"],
        "types": [str(BIN / "mypy"), *APPS],
        "settings for production": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "architecture": [sys.executable, "-m", "pytest", "tests/test_architecture.py"],
    }


def main() -> int:
    """Run each check, show the output of those that fail."""
    failed = []
    with tempfile.TemporaryDirectory() as var_dir:
        env = {**os.environ, **DEPLOYMENT, "VAR_DIR": var_dir}
        env.pop("LOOPBACK_HTTP", None)
        for name, command in checks().items():
            began = time.monotonic()
            done = subprocess.run(
                command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            state = "ok" if done.returncode == 0 else "FAILED"
            print(f"{name:25}{state:8}{time.monotonic() - began:5.1f} s", flush=True)
            if done.returncode:
                failed.append(name)
                print(done.stdout + done.stderr, flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
