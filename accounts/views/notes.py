"""Notes on the page of a record: the text with its people, changed and taken back by who wrote it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from ..models import Note
from ..queries import notes_visible_to
from ..queries.at_record import rows_at
from ..queries.work import notes_taken_back_by
from ..services.notes import bring_back_note, edit_note, owns_note, take_back_note
from ..services.work import record_url
from .lists import keyset_page
from .pages import demand_write, one

TAB = "?tab=notes"


def notes_context(request: HttpRequest, record: Any) -> dict[str, Any]:
    """Return what _notes.html needs (2 queries)."""
    owner = {record._meta.model_name: record}
    rows = rows_at(request.user, record, Note).select_related("author").order_by("-created_at")
    page = keyset_page(request, rows, 20)
    return {
        "notes_page": page,
        "notes": [{"row": row, "is_own": owns_note(row, request.user)} for row in page.rows],
        "gone_notes": list(notes_taken_back_by(request.user).filter(**owner)[:20]),
    }


@login_required
@require_http_methods(["GET", "POST"])
def note_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one's own note; nothing typed is lost where it is refused."""
    demand_write(request)
    note = _own(request, notes_visible_to(request.user), pk)
    text, problem = note.text, ""
    if request.method == "POST":
        text = request.POST.get("text", "").replace("\x00", "")
        try:
            edit_note(note, text)
        except ValidationError as error:
            problem = " ".join(error.messages)
        else:
            _tell_unheard(request, note)
            messages.success(request, "The note is changed.")
            return redirect(record_url(_record(note)) + TAB)
    context = {"note": note, "text": text, "problem": problem, "back_url": record_url(_record(note)) + TAB}
    return render(request, "accounts/note_form.html", {**context, "record": _record(note)})


@login_required
@require_POST
def note_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back one's own note."""
    demand_write(request)
    note = _own(request, notes_visible_to(request.user), pk)
    take_back_note(note)
    messages.success(request, "The note is taken back. It stands below, for you alone, to show it again.")
    return redirect(record_url(_record(note)) + TAB)


@login_required
@require_POST
def note_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a note again that was taken back."""
    demand_write(request)
    note = _own(request, notes_taken_back_by(request.user), pk)
    bring_back_note(note)
    messages.success(request, "The note is shown again.")
    return redirect(record_url(_record(note)) + TAB)


def _own(request: HttpRequest, rows: Any, pk: int) -> Note:
    note: Note = one(rows.select_related("account", "contact", "opportunity", "author"), pk)
    if not owns_note(note, request.user):
        raise PermissionDenied("Only who wrote a note may change it or take it back.")
    return note


def _record(note: Note) -> Any:
    return note.account or note.contact or note.opportunity


def _tell_unheard(request: HttpRequest, note: Note) -> None:
    people = [person.display_name for person in getattr(note, "not_told", [])]
    if people:
        messages.warning(request, f"{', '.join(people)} cannot see this record and were not told.")
