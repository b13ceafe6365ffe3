"""Merging two records: choosing the second, both side by side with a choice for each field, and the way back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.keys import key_of

from ..forms.controls import RecordField
from ..models import RecordMerge
from ..queries.deleted import may_see_merged_away
from ..queries.duplicates import possible_duplicates
from ..services.merge_rows import count_rows
from ..services.merging import GONE, KEPT, field_choices, merge_records, undo_merge
from ..services.undoing import VISIBLE, current_values
from .change_words import ChangeWords, Said
from .changes import changes_url
from .deleting import demand_delete
from .pages import one

_LISTS = {"account": "Accounts", "contact": "Contacts", "opportunity": "Opportunities"}


class OtherForm(forms.Form):
    """Which record to merge with."""

    def __init__(self, *args: Any, record_type: str, user: AnyUser, record: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = RecordField(record_type, "Merge with", required=True)
        field.queryset = VISIBLE[record_type](user).exclude(pk=record.pk)
        self.fields["b"] = field


@login_required
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, record_type: str) -> HttpResponse:
    """Choose the other record, then choose field by field what stays; POST merges."""
    demand_delete(request)
    rows = VISIBLE[record_type](request.user)
    params = request.POST if request.method == "POST" else request.GET
    if not params.get("a"):
        return redirect(f"accounts:{record_type}_list")
    kept = one(rows, key_of(params.get("a")) or 0)
    context: dict[str, Any] = {
        "record_type": record_type, "kept": kept, "list_label": _LISTS[record_type],
        "list_url": reverse(f"accounts:{record_type}_list"),
        "kept_url": reverse(f"accounts:{record_type}_detail", args=[kept.pk]),
        "merge_url": reverse(f"accounts:{record_type}_merge"),
    }  # fmt: skip
    gone = rows.filter(pk=key_of(params.get("b")) or 0).exclude(pk=kept.pk).first()
    if gone is None:
        form = OtherForm(params if params.get("b") else None, record_type=record_type, user=request.user, record=kept)
        context |= {"form": form, "duplicates": possible_duplicates(request.user, kept)}
        return render(request, "accounts/merge_choose.html", context)
    if request.method == "POST":
        choices = {
            name.removeprefix("field."): value
            for name, value in request.POST.items()
            if name.startswith("field.") and value in (KEPT, GONE)
        }
        try:
            merge_records(kept, gone, choices, request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, f"{gone} is merged into {kept}. “Undo merge” stands among the changes.")
            return redirect(changes_url(record_type, kept.pk))
    return render(request, "accounts/merge.html", {**context, **_side_by_side(request, kept, gone)})


def _side_by_side(request: HttpRequest, kept: Any, gone: Any) -> dict[str, Any]:
    """Return the fields of both in words, differing ones first, and what would move."""
    kind = kept._meta.model_name
    choices = field_choices(kept, gone)
    both = [{"field": c.name, "old": c.kept, "new": c.gone} for c in choices]
    multi = sorted({field for one in (kept, gone) for field in one.values_multi.values_list("field", flat=True)})
    ours, theirs = current_values(kept, multi), current_values(gone, multi)
    joined = [{"field": name, "old": ours[name], "new": theirs[name]} for name in multi]
    left = ChangeWords(request.user, [Said(kind, [*both, *joined])], kept)
    right = ChangeWords(request.user, [Said(kind, both)], gone)
    lines: list[dict[str, Any]] = []
    for choice in choices:
        lines.append(
            {
                "choice": choice,
                "label": left.label(kind, choice.name),
                "kept": left.value(kind, choice.name, choice.kept),
                "gone": right.value(kind, choice.name, choice.gone),
                "chosen": request.POST.get(f"field.{choice.name}", choice.proposed),
            }
        )
    return {
        "gone": gone,
        "differing": [line for line in lines if line["choice"].differs],
        "same": [line for line in lines if not line["choice"].differs],
        "joined": left.lines_of(kind, joined),
        "moves": list(count_rows(gone).items()),
        "swap_url": f"{reverse(f'accounts:{kind}_merge')}?a={gone.pk}&b={kept.pk}",
    }


@login_required
@require_POST
def merge_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a merge back."""
    merge = get_object_or_404(RecordMerge, pk=pk)
    kept = one(VISIBLE[merge.record_type](request.user), merge.kept_id)
    demand_delete(request)
    if not may_see_merged_away(request.user, kept, merge.gone_id):
        raise PermissionDenied("The other record of this merge is not visible to you. Ask who sees both to undo it.")
    try:
        left = undo_merge(merge, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(changes_url(merge.record_type, kept.pk))
    messages.success(request, "The merge is undone: both records are back.")
    if left:
        names = [name.removesuffix("_id") for name in left]
        words = ChangeWords(request.user, [])
        labels = ", ".join(words.label(merge.record_type, name) for name in names)
        messages.warning(request, f"Left as they are, because they were changed since: {labels}.")
    return redirect(changes_url(merge.record_type, kept.pk))
