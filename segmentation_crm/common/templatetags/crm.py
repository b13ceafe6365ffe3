"""Template tags for figures, dates, people and icons, so that every page writes them the same way."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from asgiref.local import Local
from babel.numbers import UnknownCurrencyError, format_compact_decimal, format_currency, format_decimal
from django import forms, template
from django.core.signals import request_started
from django.http import QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..models import Organisation

register = template.Library()

LOCALE = "en_US"
_STEPS = (
    (60, 1, "second"),
    (3600, 60, "minute"),
    (86400, 3600, "hour"),
    (86400 * 14, 86400, "day"),
    (86400 * 61, 86400 * 7, "week"),
    (86400 * 730, 86400 * 30.4375, "month"),
    (float("inf"), 86400 * 365.25, "year"),
)


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """Draw an icon of the sprite; with a label it speaks to screen readers, without one it is decoration."""
    return _icon(name, label, css)


@lru_cache(maxsize=1024)
def _icon(name: str, label: str, css: str) -> SafeString:
    """A page shows hundreds, always the same."""
    href = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="ico {}" role="img" aria-label="{}"><use href="{}"></use></svg>', css, label, href
        )
    return format_html('<svg class="ico {}" aria-hidden="true"><use href="{}"></use></svg>', css, href)


@register.filter
def number(value: Any) -> str:
    """Write a number with thousands separators: 1284 -> 1,284; empty for no number."""
    amount = _decimal(value)
    if amount is None:
        return ""
    # What Babel writes for a whole number, at a tenth of the cost.
    return f"{int(amount):,}" if _is_whole(amount) else str(format_decimal(amount, locale=LOCALE))


@register.filter
def compact(value: Any) -> str:
    """Write a number short: 1284 -> 1.3K, 1000000 -> 1M; empty for no number."""
    amount = _decimal(value)
    if amount is None:
        return ""
    return number(amount) if abs(amount) < 1000 else _compact(amount)


@lru_cache(maxsize=4096)
def _compact(amount: Decimal) -> str:
    return str(format_compact_decimal(amount, fraction_digits=1, locale=LOCALE))


def _is_whole(amount: Decimal) -> bool:
    return amount == amount.to_integral_value()


@register.filter
def percent(value: Any, digits: int = 1) -> str:
    """Write a value that is already in per cent: 25 -> 25 %; empty for no number."""
    amount = _decimal(value)
    if amount is None:
        return ""
    return f"{format_decimal(round(amount, int(digits)).normalize() + 0, locale=LOCALE)} %"


@register.filter
def fraction(value: Any, digits: int = 1) -> str:
    """Write a fraction as per cent: 0.25 -> 25 %; empty for no number."""
    amount = _decimal(value)
    return "" if amount is None else percent(amount * 100, digits)


_asked = Local()


@request_started.connect
def _forget_currency(**kwargs: Any) -> None:
    _asked.currency = ""


def own_currency() -> str:
    """Return the organisation's currency; a list of amounts asks for it once a request (1 query)."""
    if not getattr(_asked, "currency", ""):
        _asked.currency = Organisation.current().currency
    return str(_asked.currency)


@register.simple_tag
def money(amount: Any, currency: str = "", short: bool = False) -> str:
    """Write an amount: $1,284.50, or $1.3M when short; no currency means the organisation's."""
    value = _decimal(amount)
    if value is None:
        return ""
    symbol = _symbol(currency or own_currency())
    sign = "−" if value < 0 else ""
    if short:
        return f"{sign}{symbol}{compact(abs(value))}"
    return f"{sign}{symbol}{abs(value):,.0f}" if _is_whole(value) else f"{sign}{symbol}{abs(value):,.2f}"


@lru_cache(maxsize=512)
def _symbol(currency: str) -> str:
    """Return a currency's sign as it stands before the figure, with a space after letters."""
    try:
        whole = format_currency(0, currency, locale=LOCALE, format="¤0", currency_digits=False)
    except UnknownCurrencyError:
        whole = f"{currency} 0"
    symbol = whole.rstrip("0").strip()
    return f"{symbol} " if symbol[-1:].isalpha() else symbol


def _moment(value: Any) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    return None


def relative_words(seconds: float) -> str:
    """Say how far a moment lies back (positive) or ahead (negative): '3 days ago', 'in 2 hours', 'just now'."""
    distance = abs(seconds)
    if distance < 5:
        return "just now"
    for limit, unit, name in _STEPS:
        if distance < limit:
            count = max(1, int(distance / unit))
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return ""


def relative_day(value: dt.date, today: dt.date) -> str:
    """Say how far a day lies from today: 'today', 'yesterday', 'in 3 days', '2 months ago'."""
    days = (today - value).days
    near = {0: "today", 1: "yesterday", -1: "tomorrow"}
    return near.get(days) or relative_words(days * 86400)


@register.simple_tag
def ago(value: Any) -> str | SafeString:
    """Write a date or moment relative to now, the exact one on hover; empty for none."""
    moment = _moment(value)
    if moment is not None:
        local = timezone.localtime(moment)
        exact = f"{local:%a %-d %b %Y, %H:%M:%S} {local:%Z}"
        words = relative_words((timezone.now() - moment).total_seconds())
        return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, words)
    if isinstance(value, dt.date):
        words = relative_day(value, timezone.localdate())
        return format_html(
            '<time datetime="{}" title="{}">{}</time>', value.isoformat(), f"{value:%a %-d %b %Y}", words
        )
    return ""


@register.filter
def exact_date(value: Any) -> str:
    """Write a date in full: 3 Mar 2026; empty for none."""
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{value:%-d %b %Y}" if isinstance(value, dt.date) else ""


@register.filter
def duration(seconds: Any) -> str:
    """Write a length of time: 0.084 -> 84 ms, 3.21 -> 3.2 s, 125 -> 2 min 5 s; empty for none."""
    value = _decimal(seconds)
    if value is None:
        return ""
    length = float(value)
    if length < 1:
        return f"{length * 1000:.0f} ms"
    if length < 60:
        return f"{length:.1f} s"
    minutes, rest = divmod(round(length), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@register.filter
def initials(name: Any) -> str:
    """Return up to two capital initials of a name, for an avatar: 'Anna Brandt' -> 'AB'."""
    words = [word for word in str(name or "").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


@register.filter
def words(token: Any) -> str:
    """Turn a closed list's token into words: 'new_business' -> 'New business'."""
    text = str(token or "").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


@register.simple_tag
def count_of(count: Any, singular: str, plural: str = "") -> str:
    """Write a count with its unit: 1 account, 1,284 accounts."""
    unit = singular if count == 1 else (plural or f"{singular}s")
    return f"{number(count)} {unit}"


@register.simple_tag(takes_context=True)
def query_with(context: template.Context, **changes: Any) -> str:
    """Return the page's query string with changes; None or '' drops a key, and paging restarts."""
    request = context.get("request")
    query = request.GET.copy() if request is not None else QueryDict(mutable=True)
    query.pop("cursor", None)
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = str(value)
    return "?" + urlencode(sorted(query.lists()), doseq=True) if query else "?"


@register.filter
def widget_kind(bound_field: Any) -> str:
    """Name the kind of a form field's control: checkbox, group (of boxes), select or input."""
    widget = bound_field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox"
    if isinstance(widget, forms.RadioSelect):
        return "group"
    return "select" if isinstance(widget, forms.Select) else "input"


@register.filter
def styled(bound_field: Any) -> Any:
    """Render a form field's control in the product's look, tied to its help and error for screen readers."""
    kind = widget_kind(bound_field)
    css = {"checkbox": "form-check-input", "select": "form-select", "group": "form-check-input"}
    attrs = {"class": css.get(kind, "form-control")}
    described = []
    if bound_field.errors:
        attrs["aria-invalid"] = "true"
        described.append(f"{bound_field.auto_id}_error")
    if bound_field.help_text:
        described.append(f"{bound_field.auto_id}_help")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    own = bound_field.field.widget.attrs.get("class", "")
    if own:
        attrs["class"] = f"{attrs['class']} {own}"
    return bound_field.as_widget(attrs=attrs)


def _plain(fact: dict[str, Any]) -> Any:
    return fact["value"]


def _linked(fact: dict[str, Any]) -> SafeString:
    return format_html('<a href="{}">{}</a>', fact["url"], fact["value"])


def _figure(text: str) -> SafeString:
    return format_html('<span class="tabular">{}</span>', text)


_SHOWN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "tags": lambda f: format_html(
        '<span class="tags">{}</span>', format_html_join("", '<span class="tag">{}</span>', ((v,) for v in f["value"]))
    ),
    "money": lambda f: _figure(money(f["value"], f.get("currency", ""))),
    "percent": lambda f: _figure(percent(f["value"])),
    "fraction": lambda f: _figure(fraction(f["value"])),
    "number": lambda f: _figure(number(f["value"])),
    "date": lambda f: ago(f["value"]),
    "flag": lambda f: "Yes" if f["value"] else "No",
    "mail": lambda f: format_html('<a href="mailto:{0}">{0}</a>', f["value"]),
    "phone": lambda f: format_html('<a href="tel:{0}">{0}</a>', f["value"]),
    "web": lambda f: format_html('<a href="{0}" rel="noopener noreferrer" target="_blank">{0}</a>', f["value"]),
    "badge": lambda f: format_html(
        '<span class="bdg{}">{}</span>', f" bdg-{f['tone']}" if f.get("tone") else "", f["value"]
    ),
}


@register.simple_tag
def shown(fact: dict[str, Any]) -> Any:
    """Write a value by its kind: {kind, value, url, currency, tone}; kinds are those of `_SHOWN`, text and link.

    In Python and not as a template: a list shows hundreds of them.
    """
    draw = _SHOWN.get(fact["kind"])
    if draw is not None:
        return draw(fact)
    return _linked(fact) if fact.get("url") else _plain(fact)


@register.simple_tag
def cell(data: dict[str, Any]) -> Any:
    """Write a table's cell: its value, a line below it, initials before it; a dash where it is empty."""
    if data.get("empty"):
        return "–"
    value, below = shown(data), data.get("sub")
    if data.get("avatar"):
        square = " square" if data["avatar"] == "company" else ""
        small = format_html("<small>{}</small>", below) if below else ""
        return format_html(
            '<span class="cell-main"><span class="avatar-i{}" aria-hidden="true">{}</span><span>{}{}</span></span>',
            square,
            initials(data["value"]),
            value,
            small,
        )
    if below:
        return format_html('<span>{}<span class="cell-sub">{}</span></span>', value, below)
    return value
