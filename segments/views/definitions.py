"""Pages of definitions: download them, take them in after a look at what would happen."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.access import can

from ..definitions import FORMATS, BadDocument, CannotExport, Imported, document_of, dumped, import_document, loaded
from ..definitions.documents import MAX_BYTES
from .common import require_write

CHOICES = [
    ("skip", "Leave the segment that is here as it is"),
    ("update", "Change the segment that is here"),
    ("new", "Make another one beside it"),
]


class DefinitionsForm(forms.Form):
    """A file or a text, and what to do about segments that are here already."""

    file = forms.FileField(required=False, label="File", help_text="JSON or YAML, as it is exported here.")
    text = forms.CharField(
        required=False,
        label="Or its text",
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea({"rows": 8, "spellcheck": "false"}),
    )
    on_conflict = forms.ChoiceField(choices=CHOICES, initial="skip", label="Where a segment of the same slug is here")

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two, and read it."""
        cleaned = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text") or ""
        if bool(file) == bool(text.strip()):
            self.add_error("text" if file else "file", "Give either a file or its text.")
            return cleaned
        name = "file" if file else "text"
        try:
            raw = file.read(MAX_BYTES + 1) if file else text
            cleaned["document"] = loaded(raw)
            cleaned["text"] = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        except BadDocument as problem:
            self.add_error(name, str(problem))
        return cleaned


@login_required
@require_http_methods(["GET", "POST"])
def definitions(request: HttpRequest) -> HttpResponse:
    """Show what a document would do, then do it: the first button is a dry run, the second takes it in."""
    require_write(request)
    form = DefinitionsForm(request.POST or None, request.FILES or None)
    found: Imported | None = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        found = import_document(
            request.user,
            values["document"],
            on_conflict=values["on_conflict"],
            dry_run="take" not in request.POST,
        )
        if found.ok and not found.dry_run:
            changed = sum(item.action in ("created", "updated") for item in found.items)
            messages.success(request, f"Taken in: {changed} of {len(found.items)} segments were made or changed.")
            return redirect("segments:list")
        # The text goes with the second step, so that a file is not chosen twice.
        form = DefinitionsForm(initial={"text": values["text"], "on_conflict": values["on_conflict"]})
    context = {"form": form, "found": found, "problems": [_words(one) for one in found.all_errors] if found else []}
    return render(request, "segments/definitions.html", context)


def _words(error: dict[str, Any]) -> dict[str, str]:
    path = " › ".join(str(part + 1) if isinstance(part, int) else str(part) for part in error["path"])
    return {"path": path, "message": error["message"]}


@login_required
@require_GET
def definitions_export(request: HttpRequest) -> HttpResponse:
    """Download the definitions of `?segments=` and of what they read, or of every segment in use."""
    chosen = request.GET.get("as", "yaml")
    if chosen not in FORMATS:
        raise Http404("Definitions come as JSON or YAML.")
    named = [text.strip() for text in request.GET.get("segments", "").split(",") if text.strip()]
    try:
        text = dumped(document_of(request.user, named), chosen)
    except CannotExport as problem:
        messages.error(request, str(problem))
        return redirect("segments:definitions" if can(request.user, "segments.write") else "segments:list")
    name = named[0] if len(named) == 1 and named[0].replace("-", "").replace("_", "").isalnum() else "segments"
    response = HttpResponse(text, content_type=f"application/{chosen}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name} {timezone.localdate():%Y-%m-%d}.{chosen}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
