"""What a table's cell holds: a small dictionary that the `cell` template tag draws."""

from typing import Any

Cell = dict[str, Any]


def text(value: Any, sub: str = "") -> Cell:
    """Return a cell of words."""
    return {"kind": "text", "value": value if value is not None else "", "sub": sub}


def link(value: Any, url: str, sub: str = "", avatar: str = "") -> Cell:
    """Return a cell that leads to a record; avatar "person" or "company" draws initials before it."""
    return {"kind": "link", "value": value, "url": url, "sub": sub, "avatar": avatar}


def mail(value: str) -> Cell:
    """Return a cell of an e-mail address."""
    return {"kind": "mail", "value": value}


def figure(value: Any, kind: str = "number") -> Cell:
    """Return a cell of a figure: kind number, percent or fraction."""
    return {"kind": kind, "value": value}


def amount(value: Any, currency: str) -> Cell:
    """Return a cell of an amount in its own currency."""
    return {"kind": "money", "value": value, "currency": currency}


def when(value: Any) -> Cell:
    """Return a cell of a date or moment, relative with the exact one on hover."""
    return {"kind": "date", "value": value}


def badge(value: Any, tone: str = "") -> Cell:
    """Return a cell with a word on a coloured ground."""
    return {"kind": "badge", "value": value, "tone": tone}
