"""What must stand before the first request: schema, administrator, demo records."""

import secrets
from importlib.util import find_spec
from pathlib import Path

from django.core.management import call_command
from django.db import transaction

from segmentation_crm.common.models import Heartbeat, Role, ScheduleSlot, User
from segmentation_crm.embedded import write_private_file

ADMIN_NAME = "admin"


def migrate() -> None:
    """Bring the database to the program's schema."""
    call_command("migrate", interactive=False, verbosity=0)
    # What was alive before this start is not; the parts write their own anew.
    Heartbeat.objects.all().delete()


def administrator_password(var_dir: Path) -> str | None:
    """Create the administrator where there is none; return the generated password as long as it is valid.

    It is kept in `admin_password` (mode 0600) until the person has changed it, when the file is removed.
    """
    path = var_dir / "admin_password"
    if not User.objects.filter(is_superuser=True).exists():
        password = secrets.token_urlsafe(12)
        path.unlink(missing_ok=True)
        write_private_file(path, password + "\n")
        user = User.objects.filter(username=ADMIN_NAME).first() or User(username=ADMIN_NAME)
        user.role, user.is_superuser, user.is_active = Role.ADMIN, True, True
        user.set_password(password)
        user.save()
        return password
    if not path.exists():
        return None
    password = path.read_text(encoding="utf-8").strip()
    admin = User.objects.filter(username=ADMIN_NAME, is_active=True).first()
    if admin is not None and admin.check_password(password):
        return password
    path.unlink(missing_ok=True)
    return None


def load_demo_once() -> bool:
    """Load the demo records unless that was done before; return whether it was done now."""
    if find_spec("segmentation_crm.demo") is None:
        return False
    from segmentation_crm import demo

    if ScheduleSlot.objects.filter(task="demo", slot="loaded").exists():
        return False
    with transaction.atomic():
        demo.load()
        ScheduleSlot.objects.create(task="demo", slot="loaded")
    return True


def demo_log_ins() -> list[str]:
    """Return a line for each demo user whose generated password still holds."""
    if find_spec("segmentation_crm.demo") is None:
        return []
    from segmentation_crm import demo

    return [line.rstrip() for line in demo.log_in_lines()]
