"""Template tags of record pages: people mentioned in texts, sizes of files."""

import re
from typing import Any

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from segmentation_crm.common.models import User

register = template.Library()
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")
_KEY = "mentioned_people"


@register.simple_tag(takes_context=True)
def with_mentions(context: template.Context, text: str) -> SafeString:
    """Write a text with each @username of ours as the person (1 query for all texts of a page that mention anyone)."""
    names = {name.rstrip(".+-@") for name in _MENTION.findall(text)}
    if not names:
        return escape(text)
    known = _people(context, names)

    def person(match: "re.Match[str]") -> str:
        name = match.group(1).rstrip(".+-@")
        found = known.get(name.lower())
        if not found:
            return str(escape(match.group(0)))
        rest = match.group(1)[len(name) :]
        return str(format_html('<span class="mention" title="@{}">{}</span>{}', name, found, rest))

    parts, last = [], 0
    for match in _MENTION.finditer(text):
        parts += [str(escape(text[last : match.start()])), person(match)]
        last = match.end()
    parts.append(str(escape(text[last:])))
    return mark_safe("".join(parts))  # noqa: S308 (every part is escaped above)


def _people(context: template.Context, names: set[str]) -> dict[str, str]:
    """Return folded user name -> display name, remembered for the page."""
    layers: list[Any] = context.render_context.dicts
    kept: dict[str, str] = layers[0].setdefault(_KEY, {}) if layers else {}
    missing = {name for name in names if name.lower() not in kept}
    if missing:
        kept.update({name.lower(): "" for name in missing})
        for user in User.objects.filter(username__in=missing | {name.lower() for name in missing}):
            kept[user.username.lower()] = user.display_name
    return kept


@register.filter
def file_size(size: Any) -> str:
    """Write a number of bytes: 842 B, 12 kB, 3.4 MB; empty for none."""
    if not isinstance(size, int):
        return ""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"


@register.simple_tag
def group_parts(member: Any, group: str) -> list[Any]:
    """Return the parts of a committee member that belong to a role group."""
    return list(member.parts_in(group))
