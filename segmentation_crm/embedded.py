"""Files of the embedded run: the generated secret, kept in the git-ignored var directory with mode 0600."""

import hashlib
import os
import secrets
import tempfile
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


def broker_socket(var_dir: Path) -> Path:
    """Return where the embedded broker listens; in a deep folder a short path under the temporary directory.

    The system takes at most 107 bytes for the path of a socket.
    """
    path = var_dir / "valkey.sock"
    if len(os.fsencode(path)) <= 100:
        return path
    name = hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"crm-{os.getuid()}-{name}" / "valkey.sock"
