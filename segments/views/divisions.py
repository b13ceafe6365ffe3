"""Pages of partitions and splits: what there is, one of them with its parts, making and changing."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.access import can

from ..choices import MemberType
from ..forms import PartitionForm, SplitForm, rows_of
from ..models import Partition, Segment, Split
from ..queries import (
    partitions_visible_to,
    records_visible_to,
    sees_every_record,
    splits_visible_to,
    visible_member_count,
)
from ..services import partitions, splits
from ..services.dividing import StaleDivision
from ..services.saving import SegmentInUse
from .common import in_use, require_write

KINDS: dict[str, dict[str, str]] = {
    "partition": {"one": "partition", "new": "New partition", "field": "parts"},
    "split": {"one": "split", "new": "New split", "field": "groups"},
}


@login_required
@require_GET
def division_list(request: HttpRequest) -> HttpResponse:
    """List partitions and splits."""
    context = {
        "partitions": partitions_visible_to(request.user).prefetch_related("parts"),
        "splits": splits_visible_to(request.user).prefetch_related("groups"),
        "can_write": can(request.user, "segments.write"),
    }
    return render(request, "segments/division_list.html", context)


# --- partitions ---
def _partition_or_404(request: HttpRequest, slug: str) -> Partition:
    found = partitions_visible_to(request.user).filter(slug=slug).first()
    if found is None:
        raise Http404("There is no such partition.")
    return found


@login_required
@require_GET
def partition_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the parts in their order: who fills each, how many won, how many lost to those before."""
    partition = _partition_or_404(request, slug)
    rows = []
    for part in partition.parts.select_related("source", "segment"):
        count = visible_member_count(part.segment, request.user)
        of = None if part.source is None else visible_member_count(part.source, request.user)
        rows.append({"part": part, "segment": part.segment, "count": count, "of": of})
    return _detail(request, partition, "partition", rows)


@login_required
@require_http_methods(["GET", "POST"])
def partition_new(request: HttpRequest) -> HttpResponse:
    """Show the empty form, or make the partition."""
    require_write(request)
    return _partition_form(request, None)


@login_required
@require_http_methods(["GET", "POST"])
def partition_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form, or change the partition."""
    require_write(request)
    return _partition_form(request, _partition_or_404(request, slug))


def _partition_form(request: HttpRequest, partition: Partition | None) -> HttpResponse:
    member_type = partition.member_type if partition else request.GET.get("member_type", MemberType.ACCOUNT)
    if member_type not in MemberType.values:
        member_type = MemberType.ACCOUNT
    form = PartitionForm(request.POST or None, user=request.user, member_type=member_type, partition=partition)
    if request.method == "POST" and form.is_valid():
        try:
            values = form.values()
            if partition is None:
                saved = partitions.create_partition(request.user, member_type=member_type, **values)
            else:
                saved = partitions.update_partition(request.user, partition, values, form.cleaned_data["version"])
        except StaleDivision as stale:
            form.add_error(None, _stale_words(stale))
            form.start_anew(stale.current.version)
        except SegmentInUse as used:
            form.add_error(None, f"A part cannot go: {used}")
        except ValidationError as error:
            form.take(error)
        else:
            messages.success(request, f"“{saved.name}” is saved; the members of its parts are being computed.")
            return redirect(saved)
    rows = rows_of(request.POST, "part_name", "part_segment") if request.method == "POST" else form.stored_rows()
    return _form(request, form, partition, "partition", rows, member_type)


@login_required
@require_POST
def partition_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete the partition, or say who uses its parts."""
    require_write(request)
    partition = _partition_or_404(request, slug)
    try:
        partitions.delete_partition(request.user, partition)
    except SegmentInUse as used:
        return in_use(request, f"“{partition.name}” cannot be deleted", used, partition.get_absolute_url())
    messages.success(request, f"“{partition.name}” is deleted; its parts are archived with members and history.")
    return redirect("segments:divisions")


# --- splits ---
def _split_or_404(request: HttpRequest, slug: str) -> Split:
    found = splits_visible_to(request.user).filter(slug=slug).first()
    if found is None:
        raise Http404("There is no such split.")
    return found


@login_required
@require_GET
def split_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the groups with their shares and how many fell to each."""
    split = _split_or_404(request, slug)
    rows = [
        {"part": group, "segment": group.segment, "count": visible_member_count(group.segment, request.user)}
        for group in split.groups.select_related("segment")
    ]
    return _detail(request, split, "split", rows)


@login_required
@require_http_methods(["GET", "POST"])
def split_new(request: HttpRequest) -> HttpResponse:
    """Show the empty form, or make the split."""
    require_write(request)
    return _split_form(request, None)


@login_required
@require_http_methods(["GET", "POST"])
def split_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form, or change the split."""
    require_write(request)
    return _split_form(request, _split_or_404(request, slug))


def _split_form(request: HttpRequest, split: Split | None) -> HttpResponse:
    form = SplitForm(request.POST or None, user=request.user, split=split, asked=request.GET.get("base", ""))
    if request.method == "POST" and form.is_valid():
        try:
            values = form.values()
            if split is None:
                saved = splits.create_split(request.user, **values)
            else:
                saved = splits.update_split(request.user, split, values, form.cleaned_data["version"])
        except StaleDivision as stale:
            form.add_error(None, _stale_words(stale))
            form.start_anew(stale.current.version)
        except SegmentInUse as used:
            form.add_error(None, f"A group cannot go: {used}")
        except ValidationError as error:
            form.take(error)
        else:
            messages.success(request, f"“{saved.name}” is saved; the members of its groups are being computed.")
            return redirect(saved)
    rows = rows_of(request.POST, "group_name", "group_share") if request.method == "POST" else form.stored_rows()
    return _form(request, form, split, "split", rows, split.member_type if split else "")


@login_required
@require_POST
def split_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete the split, or say who uses its groups."""
    require_write(request)
    split = _split_or_404(request, slug)
    try:
        splits.delete_split(request.user, split)
    except SegmentInUse as used:
        return in_use(request, f"“{split.name}” cannot be deleted", used, split.get_absolute_url())
    messages.success(request, f"“{split.name}” is deleted; its groups are archived with members and history.")
    return redirect("segments:divisions")


# --- both ---
def _detail(request: HttpRequest, division: Partition | Split, kind: str, rows: list[dict[str, Any]]) -> HttpResponse:
    counted: int = sum(row["count"] for row in rows)
    base: Segment | None = division.base
    if base is not None:
        whole = visible_member_count(base, request.user)
    else:
        whole = records_visible_to(division.member_type, request.user).count()
    for row in rows:
        row["share"] = row["count"] / counted if counted else None
    context = {
        "division": division,
        "kind": kind,
        "rows": rows,
        "counted": counted,
        "whole": whole,
        "is_stale": any(row["segment"].is_stale for row in rows),
        "unit": division.member_type,
        "sees_a_part": not sees_every_record(request.user),
        "can_write": can(request.user, "segments.write"),
        "edit_url": reverse(f"segments:{kind}_edit", args=[division.slug]),
        "delete_url": reverse(f"segments:{kind}_delete", args=[division.slug]),
    }
    return render(request, "segments/division_detail.html", context)


def _form(
    request: HttpRequest, form: Any, division: Any, kind: str, rows: list[tuple[str, str]], member_type: str
) -> HttpResponse:
    context = {
        "form": form,
        "division": division,
        "kind": kind,
        "words": KINDS[kind],
        "rows": rows + [("", "")] * max(0, 2 - len(rows)),
        "row_errors": form.errors.get(KINDS[kind]["field"], []),
        "choices": form.segment_choices(),
        "member_type": member_type,
        "member_types": MemberType.choices,
    }
    return render(request, f"segments/{kind}_form.html", context, status=400 if form.errors else 200)


def _stale_words(stale: StaleDivision) -> str:
    at = stale.current.updated_at
    return (
        f"Somebody saved it at {at:%H:%M} UTC, while you were editing. Nothing of yours is lost: look at how it stands "
        f"in another tab, then save again; this form now holds version {stale.current.version}."
    )
