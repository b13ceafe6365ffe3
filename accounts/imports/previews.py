"""The first rows of an import as they would be, for people."""

from typing import Any

from .drafts import Draft
from .resolvers import Deferred
from .service import Result
from .targets import Custom, Target

_WARNINGS = {
    "added": "New in “{}”: added to its list",
    "unknown": "Not known for “{}”: left empty",
    "ambiguous": "Several records fit “{}”: left empty",
}
_OWN_WORDS = {
    "duplicate_key": "Same record as an earlier row",
    "erased_address": "Address of an erased person",
    "suppressed_address": "Person who must not be contacted",
}


def warning_words(code: str) -> str:
    """Say a warning's code in words: unknown_country -> Not known for “country”: left empty."""
    kind, _, field = code.partition("_")
    if code in _OWN_WORDS or kind not in _WARNINGS or not field:
        return _OWN_WORDS.get(code) or code.replace("_", " ").capitalize()
    return _WARNINGS[kind].format(field.replace("_", " "))


def preview_rows(result: Result) -> dict[str, Any]:
    """Return the mapped columns and, for each of the first rows, its cells as read, outcome and problems."""
    plan = result.plan
    targets = [target for _, target in sorted(plan.mapping.targets.items())]
    rows = []
    for draft in result.drafts:
        cells = [_shown(draft, index, target) for index, target in sorted(plan.mapping.targets.items())]
        rows.append(
            {
                "number": draft.row.number,
                "line": draft.row.line,
                "cells": cells,
                "outcome": "invalid" if draft.is_rejected else draft.outcome,
                "findings": draft.findings,
            }
        )
    return {
        "heads": [{"label": target.label, "key": target.key} for target in targets],
        "preview": rows,
        "total": plan.scan.rows,
        "unmapped": plan.unmapped,
    }


def _shown(draft: Draft, index: int, target: Target) -> dict[str, Any]:
    """Return a cell: the text as it stands, the value as it was read, whether it stays empty."""
    text = draft.row.cells[index].strip() if index < len(draft.row.cells) else ""
    if isinstance(target, Deferred):
        known = bool(draft.columns.get(f"{target.key}_id")) or any(name == target.key for name, _ in draft.multi)
        known = known or target in draft.later
        return {"text": text, "value": text if known else "", "is_lost": bool(text) and not known}
    value: Any
    if isinstance(target, Custom):
        value = ", ".join(map(str, draft.custom.get(target.definition.pk, [])))
    elif target.key == "external_id":
        value = draft.external_id
    elif target.key == "name" and "first_name" in draft.columns:
        value = f"{draft.columns['first_name']} {draft.columns['last_name']}".strip()
    elif (target.key, "token") in draft.multi:
        value = ", ".join(map(str, draft.multi[(target.key, "token")]))
    else:
        value = draft.columns.get(target.key)
    return {"text": text, "value": "" if value is None else value, "is_lost": bool(text) and value in (None, "")}
