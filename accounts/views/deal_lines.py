"""The lines of a deal, edited in place on its page: every answer is the lines' part of the page anew."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from segmentation_crm.common.access import can

from ..forms.pipeline import LineForm
from ..models import Opportunity, OpportunityLine, Product
from ..queries import opportunities_visible_to, opportunity_lines_visible_to
from ..queries.at_record import rows_at
from ..services.money import RateBook
from .pages import demand_write, one

MOST_LINES = 200


def lines_context(request: HttpRequest, opportunity: Opportunity, **more: Any) -> dict[str, Any]:
    """Return what templates/accounts/opportunity_lines.html needs (4 queries)."""
    rows = list(
        rows_at(request.user, opportunity, OpportunityLine).select_related("product").order_by("pk")[:MOST_LINES]
    )
    shown: Any = more.pop("line_form", None)
    forms = [shown if shown and shown.instance.pk == row.pk else line_form(row) for row in rows]
    currencies = {row.amount_currency or "" for row in rows if row.amount is not None}
    same = len(currencies) <= 1
    field = "amount" if same else "amount_reporting"
    total = _total(opportunity, rows, field)
    currency = next(iter(currencies), "") if same else ""
    new_form = shown if shown and not shown.instance.pk else LineForm(auto_id="line_new_%s")
    own = RateBook.load().currency
    return {
        "opportunity": opportunity,
        "can_write": can(request.user, "records.write"),
        "line_forms": forms,
        "products": list(Product.objects.filter(is_active=True).order_by("name").only("pk", "name")),
        "new_line_form": new_form,
        "lines_total": total,
        "lines_currency": currency,
        "total_is_converted": not same,
        "differs": total is not None
        and (total, currency or own) != (opportunity.amount, opportunity.amount_currency or own),
        **more,
    }


def _total(opportunity: Opportunity, rows: list[OpportunityLine], field: str) -> Any:
    """Return the sum of the lines' amounts, None where none has one (0 queries, 1 where not all lines are read)."""
    if len(rows) >= MOST_LINES:
        return opportunity.line_items.aggregate(total=Sum(field))["total"]
    amounts = [amount for row in rows if (amount := getattr(row, field)) is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def line_form(line: OpportunityLine, data: Any = None) -> LineForm:
    """Return the form of a line as it stands."""
    pct = None if line.discount is None else (Decimal(line.discount) * 100).normalize()
    initial = {"discount_pct": None if pct is None else format(pct, "f")}
    for name in ("quantity", "unit_price"):
        value = getattr(line, name)
        if value is not None:
            initial[name] = format(Decimal(value).normalize(), "f")
    return LineForm(data, instance=line, initial=initial, auto_id=f"line_{line.pk}_%s")


@login_required
@require_POST
def save_line(request: HttpRequest, pk: int, line: int | None = None) -> HttpResponse:
    """Add a line or change one; a wrong value is told beside its field."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user), pk)
    if line is None:
        form = LineForm(request.POST, instance=OpportunityLine(opportunity=opportunity), auto_id="line_new_%s")
    else:
        form = line_form(_line(request, opportunity, line), request.POST)
    if not form.is_valid():
        return _answer(request, opportunity, status=422, line_form=form)
    form.save()
    return _answer(request, opportunity)


@login_required
@require_POST
def remove_line(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """Remove a line; the answer offers to bring it back."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user), pk)
    row = _line(request, opportunity, line)
    kept = {
        "product": row.product_id or "",
        "product_text": row.product_text,
        "quantity": _plain(row.quantity),
        "unit_price": _plain(row.unit_price),
        "unit_price_currency": row.unit_price_currency,
        "discount_pct": "" if row.discount is None else _plain(Decimal(row.discount) * 100),
    }
    words = str(row)
    row.delete()
    return _answer(request, opportunity, removed_line={"words": words, "values": kept})


@login_required
@require_POST
def set_amount(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the sum of the lines the amount of the deal."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user).select_related("stage"), pk)
    context = lines_context(request, opportunity)
    if context["lines_total"] is None:
        return _answer(request, opportunity, status=422, lines_problem="No line has an amount yet.")
    opportunity.amount, opportunity.amount_currency = context["lines_total"], context["lines_currency"]
    opportunity.save()
    return _answer(request, opportunity, amount_set=True)


def _line(request: HttpRequest, opportunity: Opportunity, pk: int) -> OpportunityLine:
    found = opportunity_lines_visible_to(request.user).filter(opportunity=opportunity, pk=pk).first()
    if found is None:
        raise Http404("no such line in this deal")
    return found


def _plain(value: Any) -> str:
    return "" if value is None else format(Decimal(value).normalize(), "f")


def _answer(request: HttpRequest, opportunity: Opportunity, status: int = 200, **more: Any) -> HttpResponse:
    # htmx swaps what is answered with 422 too: see js/pipeline/deal.js.
    context = lines_context(request, opportunity, **more)
    return render(request, "accounts/opportunity_lines.html", context, status=status)
