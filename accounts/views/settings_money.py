"""Settings of exchange rates and of the free-mail list; both start a job that brings the records in line."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.models import Job, Organisation
from segmentation_crm.common.paging import keyset_page
from segmentation_crm.common.services.organisation import change_organisation
from segmentation_crm.common.settings_area import carry_out, cell, settings_page, settings_view

from ..forms.settings_process import FreeMailForm, PasteForm, RateForm
from ..models import ExchangeRate
from ..queries import exchange_rates_visible_to
from ..services.free_mail import delivered, domains_of
from ..services.rates import rates_of, save_rates
from ..services.recomputing import queue_recomputing

CAPABILITY = "settings.write"


def _say(request: HttpRequest, words: str, job: Job | None) -> None:
    if job is None:
        messages.success(request, words)
        return
    address = reverse("jobs:detail", args=[job.public_id])
    messages.success(request, format_html('{} <a href="{}">{}</a> runs in the background.', words, address, job))


@settings_view(CAPABILITY)
@require_GET
def rate_list(request: HttpRequest) -> HttpResponse:
    """List the rates, the newest first, a page at a time (2 queries)."""
    search = request.GET.get("q", "")[:20].strip().upper()
    rates = exchange_rates_visible_to(request.user).order_by("-on_date", "base", "quote", "pk")
    if search:
        rates = rates.filter(base=search) | rates.filter(quote=search)
    page = keyset_page(request, rates, 100)
    own = Organisation.current().currency
    context = {
        "title": "Exchange rates",
        "intro": f"Amounts are converted into {own} by the rate of the record's own day, or the last one before it.",
        "more_acts": [{"url": reverse("accounts:settings_rates_paste"), "label": "Paste rates"}],
        "new_url": reverse("accounts:settings_rate_new"),
        "new_label": "New rate",
        "search": search,
        "search_label": "Currency, such as EUR",
        "heads": ["Day", "One", "costs", "in"],
        "rows": [
            [
                cell(rate.on_date.isoformat(), url=reverse("accounts:settings_rate", args=[rate.pk])),
                cell(rate.base, label="One"),
                cell(format(rate.rate.normalize(), "f"), label="costs"),
                cell(rate.quote, label="in"),
            ]
            for rate in page.rows
        ],
        "page": page,
        "unit": "rate",
        "units": "rates",
        "empty_icon": "receipt",
        "empty_title": "No rates yet",
        "empty_text": f"Amounts in other currencies than {own} count only once a rate is known. Add or paste some.",
    }
    return settings_page(request, "settings/list.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def rate_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a rate; all amounts are computed anew as a job."""
    rate = get_object_or_404(exchange_rates_visible_to(request.user), pk=pk) if pk is not None else ExchangeRate()
    title = str(rate) if pk else "New rate"
    initial = {} if pk else {"quote": Organisation.current().currency}
    form = RateForm(request.POST or None, instance=rate, initial=initial)
    jobs: list[Job] = []

    def save() -> None:
        form.save()
        jobs.append(queue_recomputing(request.user))

    if request.method == "POST" and form.is_valid() and carry_out(form, save):
        _say(request, "The rate is saved.", jobs[0])
        return redirect("accounts:settings_rates")
    context = {
        "title": title,
        "form": form,
        "back_url": reverse("accounts:settings_rates"),
        "back_label": "Exchange rates",
        "acts": [{"url": reverse("accounts:settings_rate_delete", args=[pk]), "label": "Delete"}] if pk else [],
    }
    return settings_page(request, "settings/form.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def rate_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a rate; all amounts are computed anew as a job."""
    rate = get_object_or_404(exchange_rates_visible_to(request.user), pk=pk)
    if request.method == "POST":
        rate.delete()
        _say(request, "The rate is deleted.", queue_recomputing(request.user))
        return redirect("accounts:settings_rates")
    context = {
        "title": "Delete a rate",
        "name": str(rate),
        "uses": [],
        "text": f"{rate}: amounts of that day and later fall back to the rate before it, or stay without an amount in "
        "the reporting currency where there is none.",
        "back_url": reverse("accounts:settings_rate", args=[pk]),
        "back_label": str(rate),
    }
    return settings_page(request, "settings/remove.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def rate_paste(request: HttpRequest) -> HttpResponse:
    """Add many rates as lines; nothing is saved while one line is wrong."""
    form = PasteForm(request.POST or None)
    done: dict[str, Any] = {}

    def save() -> None:
        done.update(save_rates(rates_of(form.cleaned_data["lines"])))
        done["job"] = queue_recomputing(request.user)

    if request.method == "POST" and form.is_valid() and carry_out(form, save):
        words = f"{done['added']} rates added, {done['changed']} replaced, {done['same']} were there."
        _say(request, words, done["job"])
        return redirect("accounts:settings_rates")
    context = {
        "title": "Paste rates",
        "form": form,
        "back_url": reverse("accounts:settings_rates"),
        "back_label": "Exchange rates",
        "submit_label": "Add rates",
    }
    return settings_page(request, "settings/form.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def free_mail(request: HttpRequest) -> HttpResponse:
    """Show and change the free-mail list; waiting contacts are matched anew as a job."""
    organisation = Organisation.current()
    in_force = organisation.free_mail_domains or delivered()
    initial = {"domains": "\n".join(in_force), "version": organisation.version}
    form = FreeMailForm(request.POST or None, initial=initial)

    def save() -> None:
        domains = domains_of(form.cleaned_data["domains"])
        own = [] if domains == delivered() else domains
        _change(request, own, form.cleaned_data["version"])

    if request.method == "POST" and form.is_valid() and carry_out(form, save):
        return redirect("accounts:settings_free_mail")
    if form.is_bound and form.errors:
        typed: Any = form.data
        form.data = {**typed.dict(), "version": str(organisation.version)}
    acts = []
    if organisation.free_mail_domains:
        reset = reverse("accounts:settings_free_mail_reset")
        acts = [{"url": reset, "label": "Take back the delivered list", "post": True}]
    context = {
        "title": "Free-mail list",
        "intro": f"{len(in_force):,} domains. A contact with such an address is not matched to an account by it.",
        "form": form,
        "acts": acts,
    }
    return settings_page(request, "settings/form.html", context)


def _change(request: HttpRequest, domains: list[str], version: int | None) -> None:
    _, jobs = change_organisation({"free_mail_domains": domains}, actor=request.user, version=version)
    _say(request, "The free-mail list is saved.", jobs[0] if jobs else None)


@require_POST
@settings_view(CAPABILITY)
def free_mail_reset(request: HttpRequest) -> HttpResponse:
    """Take the delivered list back."""
    _change(request, [], None)
    return redirect("accounts:settings_free_mail")
