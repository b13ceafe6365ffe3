"""Tags that write the long parts of lists in Python: rows, choices, addresses; as templates they are most of a page."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe

from ..addresses import address_of
from .crm import cell as draw_cell

register = template.Library()


@register.simple_tag
def address(route: str, key: Any) -> str:
    """Return the address of a record's page or act, like `url` with one key, at a tenth of the cost."""
    return address_of(route, key)


@register.simple_tag(takes_context=True)
def table_rows(context: template.Context, table: Any, pick: bool = False, row_acts: str = "") -> SafeString:
    """Write the rows of a common.lists.Table.

    pick: a box before each row. row_acts: a template of what can be done to a `record`, drawn in each row's last cell.
    """
    acts = _template(context, row_acts) if row_acts else None
    written: list[str] = []
    for row in table.rows:
        written.append("<tr>")
        if pick:
            name = escape(row.cells[0]["value"])
            written.append(
                '<td class="row-pick"><input type="checkbox" class="form-check-input" name="pk" '
                f'value="{escape(row.pk)}" form="bulk-form" aria-label="Select {name}"></td>'
            )
        for number, found in enumerate(row.cells):
            written.append(_cell(found, is_first=number == 0))
        if acts is not None:
            with context.push(record=row.record):
                written.append(f'<td class="row-acts">{acts.render(context)}</td>')
        written.append("</tr>\n")
    return mark_safe("".join(written))  # noqa: S308 (every part is escaped where it is written)


def _cell(found: dict[str, Any], is_first: bool) -> str:
    css = "num" if found["numeric"] else "text" if found["kind"] == "text" else ""
    if found["empty"]:
        css += " is-none"
    label = "" if is_first else f' data-label="{escape(found["label"])}"'
    return f'<td{label} class="{css}">{conditional_escape(draw_cell(found))}</td>'


@register.simple_tag
def options(choices: Sequence[tuple[Any, Any]], value: Any = "", several: Sequence[Any] = ()) -> SafeString:
    """Write the options of a select; those of `value` and `several` are chosen."""
    parts = _options(tuple(choices))
    chosen = {value, *several}
    written = (f"{start} selected{end}" if token in chosen else f"{start}{end}" for token, start, end in parts)
    return mark_safe("".join(written))  # noqa: S308 (escaped in _options)


@lru_cache(maxsize=512)
def _options(choices: tuple[tuple[Any, Any], ...]) -> tuple[tuple[Any, str, str], ...]:
    """Return value, start and end of each option, escaped; lists of countries and closed lists are always the same."""
    return tuple((value, f'<option value="{escape(value)}"', f">{escape(label)}</option>") for value, label in choices)


@register.simple_tag(takes_context=True)
def stamped(context: template.Context, name: str, variant: Any = "", **values: Any) -> SafeString:
    """Draw a template that differs from row to row in these values alone: once a page for each variant, then stamped.

    The template must show the values as they are, as text or in an attribute: it is drawn with marks in their place.
    """
    layers: list[Any] = context.render_context.dicts
    drawn: dict[Any, str] = layers[0].setdefault("stamped", {})
    if (name, variant) not in drawn:
        with context.push(variant=variant, **{key: _mark(key) for key in values}):
            drawn[name, variant] = _template(context, name).render(context)
    text = drawn[name, variant]
    for key, value in values.items():
        text = text.replace(_mark(key), str(conditional_escape(value)))
    return mark_safe(text)  # noqa: S308 (a drawn template, with escaped values put in)


def _mark(name: str) -> str:
    """Return what stands for a value: signs of private use, which no escaping changes."""
    return f"\ue000{name}\ue001"


def _template(context: template.Context, name: str) -> template.base.Template:
    assert context.template is not None  # it is being drawn
    return context.template.engine.get_template(name)
