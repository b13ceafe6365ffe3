"""Changing and taking back notes: their own author's right."""

from django.db import transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now

from ..models import Note
from .work import clean_note_text, mentioned_in, tell_mentioned


def owns_note(note: Note, user: AnyUser) -> bool:
    """Tell whether the user wrote the note (0 queries)."""
    return note.author_id is not None and note.author_id == user.pk


@transaction.atomic
def edit_note(note: Note, text: str) -> Note:
    """Change the text of a note; who is mentioned anew hears of it (3 queries, more for each person mentioned).

    Raises ValidationError for no text, or too long a text.
    """
    note.text = clean_note_text(text)
    note.save(update_fields=["text", "updated_at"])
    record = note.account or note.contact or note.opportunity
    assert record is not None
    note.not_told = tell_mentioned(note, record, mentioned_in(note.text))  # type: ignore[attr-defined]
    return note


@transaction.atomic
def take_back_note(note: Note) -> None:
    """Take a note out of sight; what was heard in it no longer counts. `bring_back_note` undoes it (1 query)."""
    note.deleted_at = effective_now()
    note.save(update_fields=["deleted_at", "updated_at"])


@transaction.atomic
def bring_back_note(note: Note) -> None:
    """Show a note again that was taken back (1 query)."""
    note.deleted_at = None
    note.save(update_fields=["deleted_at", "updated_at"])
