"""How figures, dates and people are written on every page."""

import datetime as dt
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone

from segmentation_crm.common.templatetags import crm


@pytest.mark.parametrize(
    ("amount", "currency", "short", "words"),
    [
        (Decimal("1284.5000"), "USD", False, "$1,284.50"),
        (Decimal("2400000.0000"), "EUR", False, "€2,400,000"),
        (Decimal("1300000"), "EUR", True, "€1.3M"),
        (Decimal("-15"), "CHF", False, "−CHF 15"),
        (Decimal("7"), "", False, "£7"),
        (None, "EUR", False, ""),
        (0, "USD", False, "$0"),
    ],
)
def test_money(amount, currency, short, words, monkeypatch):
    monkeypatch.setattr(crm, "own_currency", lambda: "GBP")
    assert crm.money(amount, currency, short) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(1284, "1,284"), (Decimal("0.25"), "0.25"), (None, ""), ("x", ""), (True, ""), (Decimal("NaN"), "")],
)
def test_number(value, words):
    assert crm.number(value) == words


def test_compact_percent_and_fraction():
    assert crm.compact(950) == "950"
    assert crm.compact(1284) == "1.3K"
    assert crm.compact(1_000_000) == "1M"
    assert crm.percent(Decimal("25.00")) == "25 %"
    assert crm.percent(100) == "100 %"
    assert crm.fraction(Decimal("0.125")) == "12.5 %"
    assert crm.fraction(None) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "just now"),
        (40, "40 seconds ago"),
        (90, "1 minute ago"),
        (-7200, "in 2 hours"),
        (86400 * 3, "3 days ago"),
        (86400 * 21, "3 weeks ago"),
        (86400 * 90, "2 months ago"),
        (86400 * 800, "2 years ago"),
    ],
)
def test_relative_words(seconds, words):
    assert crm.relative_words(seconds) == words


def test_ago_shows_the_exact_moment_on_hover():
    moment = timezone.now() - dt.timedelta(hours=3)
    written = crm.ago(moment)
    assert "3 hours ago" in written
    assert f'datetime="{moment.isoformat()}"' in written
    assert crm.ago(timezone.localdate() - dt.timedelta(days=1)).endswith("yesterday</time>")
    assert crm.ago(None) == ""


def test_initials_and_words():
    assert crm.initials("Anna Maria Brandt") == "AB"
    assert crm.initials("Øre") == "Ø"
    assert crm.initials("") == "?"
    assert crm.words("new_business") == "New business"


def test_values_are_escaped_whatever_their_kind():
    template = Template("{% load crm %}{% cell data %}")
    for kind in ("text", "link", "mail", "phone", "web", "badge"):
        data = {"kind": kind, "value": "<b>x</b>", "url": '"><script>', "sub": "<i>", "empty": False}
        written = template.render(Context({"data": data}))
        assert "<b>" not in written, kind
        assert "<script>" not in written, kind
        assert "<i>" not in written, kind
    assert template.render(Context({"data": {"kind": "tags", "value": ["<u>"]}})).count("<u>") == 0


def test_duration():
    assert crm.duration(0.084) == "84 ms"
    assert crm.duration(3.21) == "3.2 s"
    assert crm.duration(125) == "2 min 5 s"
    assert crm.duration(7260) == "2 h 1 min"
