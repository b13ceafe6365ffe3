"""Files of the embedded run: the generated secret, kept in the git-ignored var directory with mode 0600."""

import os
import secrets
from pathlib import Path


def write_private_file(path: Path, text: str) -> bool:
    """Write `text` to a new file of mode 0600; return False where the file exists already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def ensure_secret_key(var_dir: Path) -> str:
    """Return the embedded run's secret key, generated once (64 random characters)."""
    path = var_dir / "secret_key"
    write_private_file(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()
