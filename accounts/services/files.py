"""Files on records: stored under a number of their own, their names only data; taken away and brought back."""

import datetime as dt
import mimetypes
import shutil
import uuid
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import User

from ..models import Account, Attachment, Contact, Opportunity

_FOLDER = "attachments"
KEPT_DAYS = 30
_LONGEST_NAME = 200
# What has to stay free on the disk after an upload.
_SPARE_BYTES = 256 * 1024 * 1024


class TooLarge(Exception):
    """The file is over the limit; the message says so in words."""


class NoRoom(Exception):
    """The disk is nearly full."""


def attachment_path(attachment: Attachment) -> Path:
    """Return where a file lies."""
    return Path(settings.MEDIA_ROOT) / _FOLDER / Path(attachment.path).name


def too_large_words() -> str:
    """Return what to say of a file over the limit."""
    return f"The file is larger than {settings.ATTACHMENT_MAX_BYTES // 2**20} MiB. Keep it elsewhere and note its link."


def store_file(record: Account | Contact | Opportunity, upload: UploadedFile, user: AnyUser | None) -> Attachment:
    """Keep an uploaded file on a record (1 query).

    What the browser says of its type is kept as data and never trusted: downloads are plain bytes. Raises TooLarge,
    and NoRoom where the disk is nearly full; no file stays then.
    """
    size = upload.size or 0
    if size > settings.ATTACHMENT_MAX_BYTES:
        raise TooLarge(too_large_words())
    folder = Path(settings.MEDIA_ROOT) / _FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder).free < size + _SPARE_BYTES:
        raise NoRoom
    stored = uuid.uuid4().hex
    path = folder / stored
    name = shown_name(upload.name or "")
    try:
        with path.open("xb") as out:
            path.chmod(0o600)
            for chunk in upload.chunks():
                out.write(chunk)
        return Attachment.objects.create(
            name=name,
            path=stored,
            size=path.stat().st_size,
            content_type=(mimetypes.guess_type(name)[0] or "")[:120],
            uploaded_by=user if isinstance(user, User) else None,
            **{str(record._meta.model_name): record},
        )
    except OSError as error:
        path.unlink(missing_ok=True)
        raise NoRoom from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def shown_name(name: str) -> str:
    """Return a file's name as it may be shown: no folders, control or direction characters, at most 200 long."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in name if char.isprintable()).strip().lstrip(".")
    if len(kept) > _LONGEST_NAME:
        stem, dot, ending = kept.rpartition(".")
        kept = f"{stem[:170]}…{dot}{ending[:20]}" if dot else kept[:_LONGEST_NAME]
    return kept or "file"


def take_away(attachment: Attachment) -> None:
    """Take a file off its record; it can be brought back for 30 days (1 query)."""
    attachment.deleted_at = effective_now()
    attachment.save(update_fields=["deleted_at"])


def bring_back(attachment: Attachment) -> None:
    """Put a file that was taken away on its record again (1 query)."""
    attachment.deleted_at = None
    attachment.save(update_fields=["deleted_at"])


def remove_old_files(limit: int = 500) -> int:
    """Remove for good what was taken away 30 days ago, and files without a row; returns how many went."""
    before = effective_now() - dt.timedelta(days=KEPT_DAYS)
    removed = 0
    for attachment in Attachment.objects.filter(deleted_at__lt=before).order_by("pk")[:limit]:
        path = attachment_path(attachment)
        with transaction.atomic():
            attachment.delete()
            transaction.on_commit(lambda path=path: path.unlink(missing_ok=True))  # type: ignore[misc]
        removed += 1
    return removed + _remove_orphans()


def _remove_orphans() -> int:
    """Remove files whose row is gone (a deleted record takes its rows along), once they are a day old."""
    folder = Path(settings.MEDIA_ROOT) / _FOLDER
    if not folder.is_dir():
        return 0
    day_ago = effective_now().timestamp() - 86_400
    names = [entry.name for entry in folder.iterdir() if entry.is_file() and entry.stat().st_mtime < day_ago]
    removed = 0
    for start in range(0, len(names), 500):
        part = names[start : start + 500]
        known = set(Attachment.objects.filter(path__in=part).values_list("path", flat=True))
        for name in part:
            if name not in known:
                (folder / name).unlink(missing_ok=True)
                removed += 1
    return removed
