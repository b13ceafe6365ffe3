"""Settings of vocabularies: all of them, one level of a tree at a time, a term, its merging and deletion."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.folding import fold
from segmentation_crm.common.paging import keyset_page
from segmentation_crm.common.settings_area import carry_out, cell, settings_page, settings_view

from ..choices import TREE_VOCABULARIES, Vocabulary
from ..forms.settings import MergeForm, TermForm, lines_of
from ..models import Term, TermAlias
from ..queries import terms_visible_to
from ..services.uses import uses_of
from ..services.vocabularies import add_term, delete_term, merge_terms, move_term, rename_term, set_aliases

CAPABILITY = "vocabularies.write"
PAGE = 100


@settings_view(CAPABILITY)
@require_GET
def vocabulary_list(request: HttpRequest) -> HttpResponse:
    """List the vocabularies with how many words each has (1 query)."""
    counted = terms_visible_to(request.user).order_by().values_list("vocabulary").annotate(words=Count("pk"))
    counts = dict(counted)
    search = request.GET.get("q", "")[:100]
    rows = [
        [
            cell(label, url=reverse("accounts:settings_vocabulary", args=[value])),
            cell("Tree" if value in TREE_VOCABULARIES else "List", label="Kind"),
            cell(counts.get(value, 0), "number", label="Words"),
        ]
        for value, label in Vocabulary.choices
        if fold(search) in fold(label)
    ]
    context = {
        "title": "Vocabularies",
        "intro": "The words your organisation keeps. A renamed or merged word is still found by its old name.",
        "search": search,
        "search_label": "Name of a vocabulary",
        "heads": ["Vocabulary", "Kind", "Words"],
        "rows": rows,
    }
    return settings_page(request, "settings/list.html", context)


@settings_view(CAPABILITY)
@require_GET
def vocabulary(request: HttpRequest, vocabulary: str) -> HttpResponse:
    """Show one level of a vocabulary, or what ?q= finds in all of it, a page at a time (4 queries at most)."""
    label = _label(vocabulary)
    search = request.GET.get("q", "")[:100].replace("\x00", "")
    under = _under(request, vocabulary)
    terms = terms_visible_to(request.user).filter(vocabulary=vocabulary).select_related("parent")
    if search:
        aliased = TermAlias.objects.filter(vocabulary=vocabulary, text_folded__contains=fold(search)).values("term")
        terms = terms.filter(Q(name_folded__contains=fold(search)) | Q(pk__in=aliased)).order_by("name_folded", "pk")
    else:
        terms = terms.filter(parent=under).order_by("position", "name_folded", "pk")
    below = Exists(Term.objects.filter(parent=OuterRef("pk")))
    page = keyset_page(request, terms.annotate(has_below=below).prefetch_related("aliases"), PAGE)
    ids = [int(part) for part in under.path.strip("/").split("/")] if under else []
    trail = sorted(Term.objects.filter(pk__in=ids), key=lambda term: ids.index(term.pk)) if ids else []
    context = {
        "vocabulary": vocabulary,
        "label": label,
        "is_tree": vocabulary in TREE_VOCABULARIES,
        "page": page,
        "search": search,
        "under": under,
        "trail": trail,
    }
    return settings_page(request, "settings/vocabulary.html", context)


def _label(vocabulary: str) -> str:
    if vocabulary not in Vocabulary.values:
        raise Http404("no such vocabulary")
    return str(Vocabulary(vocabulary).label)


def _under(request: HttpRequest, vocabulary: str) -> Term | None:
    text = request.GET.get("under", "")
    if not text or vocabulary not in TREE_VOCABULARIES:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404("no such term")
    return get_object_or_404(Term, vocabulary=vocabulary, pk=int(text))


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def term_new(request: HttpRequest, vocabulary: str) -> HttpResponse:
    """Add a word, under ?under= where the vocabulary is a tree."""
    label, under = _label(vocabulary), _under(request, vocabulary)
    initial = {"parent": under.pk if under else None}
    form = TermForm(request.POST or None, vocabulary=vocabulary, initial=initial)
    if request.method == "POST" and form.is_valid() and carry_out(form, lambda: _add(form, vocabulary)):
        messages.success(request, f"“{form.cleaned_data['name']}” is added.")
        return redirect(_level(vocabulary, form.cleaned_data.get("parent")))
    context = {
        "title": "New word",
        "intro": label,
        "form": form,
        "back_url": _level(vocabulary, under),
        "back_label": label,
        "submit_label": "Add",
    }
    return settings_page(request, "settings/form.html", context)


def _add(form: TermForm, vocabulary: str) -> None:
    data = form.cleaned_data
    term = add_term(vocabulary, data["name"], parent=data.get("parent"))
    _write_rest(form, term)


def _write_rest(form: TermForm, term: Term) -> None:
    data = form.cleaned_data
    changed = term.is_active != data["is_active"]
    term.is_active = data["is_active"]
    if "need" in form.fields and term.need != data["need"]:
        term.need, changed = data["need"], True
    if changed:
        term.save()
    set_aliases(term, lines_of(data["aliases"]))


def _level(vocabulary: str, parent: Term | None) -> str:
    address = reverse("accounts:settings_vocabulary", args=[vocabulary])
    return f"{address}?under={parent.pk}" if parent else address


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def term_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename, move, deactivate a word, or change its other spellings."""
    term = get_object_or_404(terms_visible_to(request.user).select_related("parent", "need"), pk=pk)
    vocabulary, label, name = term.vocabulary, _label(term.vocabulary), term.name
    aliases = "\n".join(term.aliases.values_list("text", flat=True))
    initial = {
        "name": term.name,
        "parent": term.parent_id,
        "need": term.need_id,
        "is_active": term.is_active,
        "aliases": aliases,
    }
    form = TermForm(request.POST or None, vocabulary=vocabulary, term=term, initial=initial)
    if request.method == "POST" and form.is_valid() and carry_out(form, lambda: _change(form, term)):
        messages.success(request, f"“{form.cleaned_data['name']}” is saved.")
        return redirect(_level(vocabulary, form.cleaned_data.get("parent")))
    context = {
        "title": name,
        "intro": f"{label} · stays {term.slug!r} in rules and the API, whatever it is called",
        "form": form,
        "back_url": _level(vocabulary, term.parent if vocabulary in TREE_VOCABULARIES else None),
        "back_label": label,
        "acts": [
            {"url": reverse("accounts:settings_term_merge", args=[pk]), "label": "Merge into another"},
            {"url": reverse("accounts:settings_term_delete", args=[pk]), "label": "Delete"},
        ],
    }
    return settings_page(request, "settings/form.html", context)


def _change(form: TermForm, term: Term) -> None:
    data = form.cleaned_data
    _write_rest(form, term)
    if data["name"] != term.name:
        rename_term(term, data["name"])
    parent = data.get("parent")
    if "parent" in form.fields and term.parent_id != (parent.pk if parent else None):
        move_term(term, parent)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def term_merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask into which word this one goes, show what that touches, then merge."""
    term = get_object_or_404(terms_visible_to(request.user), pk=pk)
    others = Term.objects.filter(vocabulary=term.vocabulary).exclude(pk=pk)
    form = MergeForm(request.POST or request.GET or None, rows=others, kind=f"term-{term.vocabulary}")
    into = form.cleaned_data["into"] if form.is_bound and form.is_valid() else None
    if request.method == "POST" and into is not None:
        moved: list[int] = []
        if carry_out(form, lambda: moved.append(merge_terms(term, into, request.user))):
            messages.success(request, f"“{term.name}” is now “{into.name}”; {moved[0]:,} references moved.")
            return redirect("accounts:settings_term", into.pk)
    context = merge_context(term, into, form, reverse("accounts:settings_term", args=[pk]))
    return settings_page(request, "settings/merge.html", context)


def merge_context(gone: Any, into: Any, form: MergeForm, back_url: str) -> dict[str, Any]:
    """Return what the page of a merge shows: the uses that would move, once the target is chosen."""
    return {
        "title": f"Merge “{gone}”",
        "gone": gone,
        "into": into,
        "form": form,
        "uses": uses_of(gone) if into is not None else [],
        "back_url": back_url,
        "back_label": str(gone),
    }


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def term_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a word that nothing uses; say what uses it otherwise."""
    term = get_object_or_404(terms_visible_to(request.user).select_related("parent"), pk=pk)
    uses = uses_of(term)
    if request.method == "POST" and not uses:
        with transaction.atomic():
            delete_term(term)
        messages.success(request, f"“{term.name}” is deleted.")
        return redirect(_level(term.vocabulary, term.parent))
    context = {
        "title": f"Delete “{term.name}”",
        "name": term.name,
        "uses": uses,
        "advice": "Merge it into another word: whatever uses it moves along. Or switch off “In use”: it stays where it "
        "is and is offered no more.",
        "text": f"Nothing uses “{term.name}”. It is deleted with its other spellings, for good.",
        "back_url": reverse("accounts:settings_term", args=[pk]),
        "back_label": term.name,
        "other_acts": [{"url": reverse("accounts:settings_term_merge", args=[pk]), "label": "Merge into another"}],
    }
    return settings_page(request, "settings/remove.html", context)
