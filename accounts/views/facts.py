"""What is known of a record, from the declarations of its fields: grouped, with sources, the empty ones named."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from babel import Locale, UnknownLocaleError
from django.urls import reverse
from django.utils import timezone

from segmentation_crm.common.access import AnyUser, visibility
from segmentation_crm.common.fields import Column, FieldDef, ValueRows, registry

from ..fields.making import DEAL, GROUPS, KNOW, PLACE
from ..forms import AccountForm, ContactForm, OpportunityForm
from ..models import CustomField, Provenance
from ..queries import accounts_visible_to

Fact = dict[str, Any]
# The last group is the record's own panel: where it came from and when it changed.
OWN_PANEL = "Record and sources"
# What a kind of record is about stands first.
FIRST = {"opportunity": (DEAL,), "contact": (PLACE, KNOW)}
# What one looks for first on the page of an account or a contact, in this order; the rest folds.
GLANCE = "At a glance"
AT_A_GLANCE: dict[str, tuple[str, ...]] = {
    "account": (
        "industry", "employee_count", "annual_revenue", "country", "city", "website", "account_type", "lifecycle_stage",
        "tier", "owner", "customer_since", "growth_stage",
    ),
    "contact": (
        "email", "phone", "mobile", "job_title", "department", "seniority", "account", "country", "language",
        "lifecycle_stage", "owner",
    ),
}  # fmt: skip
FRACTIONS = frozenset({"probability", "discount", "confidence"})
ADDRESSES = frozenset({"website", "linkedin_url"})
PLAIN_TYPES = {"percent": "percent", "boolean": "flag", "date": "date", "datetime": "date"}
FORMS: dict[str, Any] = {"account": AccountForm, "contact": ContactForm, "opportunity": OpportunityForm}
# Fields that make sense only together: they are edited in one go.
TOGETHER: tuple[tuple[str, ...], ...] = (
    ("annual_revenue", "annual_revenue_currency"),
    ("amount", "amount_currency"),
    ("pipeline", "stage", "lost_reason"),
    ("country", "subdivision"),
)
_ANY = "field"
TARGET_PAGES = {"account": "accounts:account_detail", "contact": "accounts:contact_detail"}


@dataclass
class FactGroup:
    """Facts under one heading; `empty` holds the labels of fields without a value, `blank` those one can fill in."""

    title: str
    facts: list[Fact] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    blank: list[Fact] = field(default_factory=list)

    @property
    def rest(self) -> list[str]:
        """Return the labels of empty fields that only files and programs fill."""
        fillable = {fact["label"] for fact in self.blank}
        return [label for label in self.empty if label not in fillable]


def fact_groups(record_type: str, record: Any, hidden: frozenset[str] = frozenset()) -> list[FactGroup]:
    """Return the facts of a record: what one looks for first, then group by group, custom fields last (4 queries).

    `hidden`: names of references whose target the user may not see. Computed fields are not stored and left out.
    """
    multi = _multi_values(record)
    sources = _sources(record_type, record.pk)
    edit_urls = edit_urls_of(record_type, record.pk)
    groups: dict[str, FactGroup] = {}
    for definition in _in_order(record_type):
        if not isinstance(definition.source, Column | ValueRows):
            continue
        title = GLANCE if definition.name in AT_A_GLANCE.get(record_type, ()) else definition.group
        group = groups.setdefault(title, FactGroup(title))
        fact = _fact(definition, record, multi)
        edit_url = edit_urls(definition.name)
        if fact is None:
            group.empty.append(definition.label)
            if edit_url:
                group.blank.append({"label": definition.label, "name": definition.name, "edit_url": edit_url})
        elif definition.name in hidden:
            group.facts.append({"label": definition.label, "kind": "text", "value": "not visible to you"})
        else:
            group.facts.append({**fact, **sources.get(definition.name, {}), "edit_url": edit_url})
    custom = _custom_group(record_type, record, sources, edit_urls)
    order = {title: place for place, title in enumerate([GLANCE, *FIRST.get(record_type, ()), *GROUPS][::-1])}
    found = sorted((g for g in groups.values() if g.facts or g.empty), key=lambda g: -order.get(g.title, -1))
    return [*found, custom] if custom.facts or custom.empty else found


def _in_order(record_type: str) -> list[FieldDef]:
    """Return the declared fields, those of the first group in its own order."""
    place = {name: at for at, name in enumerate(AT_A_GLANCE.get(record_type, ()))}
    return sorted(registry.fields(record_type, custom=False), key=lambda found: place.get(found.name, len(place)))


def hidden_references(user: AnyUser, record: Any) -> frozenset[str]:
    """Return the names of references to accounts that the user may not see (0 queries for who sees all, else ≤ 3)."""
    names = [n for n in ("parent_account", "ultimate_parent", "account") if getattr(record, f"{n}_id", None)]
    if not names or visibility(user).everything:
        return frozenset()
    ids = {name: getattr(record, f"{name}_id") for name in names}
    seen = set(accounts_visible_to(user).filter(pk__in=ids.values()).values_list("pk", flat=True))
    return frozenset(name for name, pk in ids.items() if pk not in seen)


def _multi_values(record: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in record.values_multi.select_related("term", "code").order_by("pk"):
        found[row.field].append(str(row.term or row.code or row.token))
    return found


def edit_urls_of(record_type: str, pk: int) -> Callable[[str], str]:
    """Return what gives the address where a field is edited in place, "" for one that the form lacks."""
    fields = FORMS[record_type].base_fields
    # A page names fifty of them, which differ in their last part: the address is worked out once.
    base = reverse(f"accounts:{record_type}_fact", args=[pk, _ANY]).removesuffix(f"{_ANY}/")

    def address(name: str) -> str:
        return f"{base}{name}/" if name in fields or name.startswith("custom_") else ""

    return address


def edited_together(record_type: str, name: str) -> list[str]:
    """Return the form's fields that are edited with this one, itself included."""
    group = next((names for names in TOGETHER if name in names), (name,))
    return [one for one in group if one == name or one in FORMS[record_type].base_fields]


def _sources(record_type: str, pk: int) -> dict[str, Fact]:
    """Return of each field what is known of its source: in one line, and in parts for the details."""
    found: dict[str, Fact] = {}
    today = timezone.localdate()
    for row in Provenance.objects.filter(record_type=record_type, record_id=pk):
        parts = [
            ("Source", row.source_system),
            ("Type", row.get_source_type_display() if row.source_type else ""),
            ("Kind", row.get_kind_display() if row.kind else ""),
            ("Observed", f"{row.observed_on:%-d %b %Y}" if row.observed_on else ""),
            ("Age", _age((today - row.observed_on).days) if row.observed_on else ""),
            ("Confidence", f"{row.confidence * 100:.0f} %" if row.confidence is not None else ""),
        ]
        details = [(label, value) for label, value in parts if value]
        found[row.field] = {
            "source": " · ".join(value for label, value in details if label != "Age"),
            "source_details": details,
            "source_type": row.source_type,
        }
    return found


def _age(days: int) -> str:
    return "observed today" if days == 0 else f"{days:,} day{'' if days == 1 else 's'}"


def _fact(definition: FieldDef, record: Any, multi: dict[str, list[str]]) -> Fact | None:
    base = {"label": definition.label, "name": definition.name, "family": definition.family, "help": definition.help}
    if isinstance(definition.source, ValueRows):
        labels = {choice.value: choice.label for choice in definition.choices}
        values = [labels.get(value, value) for value in multi.get(definition.source.field, [])]
        return {**base, "kind": "tags", "value": values} if values else None
    if not isinstance(definition.source, Column):
        return None
    value = getattr(record, definition.source.name, None)
    if value is None or value == "":
        return None
    return {**base, **_shown(definition, record, value)}


def _shown(definition: FieldDef, record: Any, value: Any) -> Fact:
    """Return kind and value of a filled fact."""
    name = definition.name
    if definition.type == "enum":
        labels = {choice.value: choice.label for choice in definition.choices}
        return {"kind": "text", "value": labels.get(value, value)}
    if definition.type == "money":
        return {"kind": "money", "value": value, "currency": getattr(record, f"{name}_currency", "")}
    if definition.type in {"reference", "tree"}:
        return _reference(definition, value)
    if definition.type in PLAIN_TYPES:
        return {"kind": PLAIN_TYPES[definition.type], "value": value}
    if definition.type in {"integer", "decimal"}:
        kind = "fraction" if name in FRACTIONS else "text" if name.endswith("_year") else "number"
        return {"kind": kind, "value": value}
    return _words(name, value)


def _reference(definition: FieldDef, value: Any) -> Fact:
    page = TARGET_PAGES.get(definition.target)
    if page and getattr(value, "is_live", False):
        return {"kind": "text", "value": value.name, "url": reverse(page, args=[value.pk])}
    return {"kind": "text", "value": getattr(value, "display_name", None) or str(value)}


def language_name(tag: str) -> str:
    """Return the English name of a BCP-47 tag ("de-AT" -> "German (Austria)"), the tag itself where it has none."""
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag


def _words(name: str, value: str) -> Fact:
    if name in ADDRESSES and value.startswith(("https://", "http://")):
        return {"kind": "web", "value": value}
    if name == "language":
        return {"kind": "text", "value": language_name(value)}
    kind = "mail" if name == "email" else "phone" if name in {"phone", "mobile"} else "text"
    return {"kind": kind, "value": value}


def _custom_group(
    record_type: str, record: Any, sources: dict[str, Fact], edit_urls: Callable[[str], str]
) -> FactGroup:
    """Return the custom fields: filled ones with their values, the other active ones by label (2 queries)."""
    group = FactGroup("Custom fields")
    rows = defaultdict(list)
    for row in record.custom_values.order_by("pk"):
        rows[row.definition_id].append(row)
    for definition in CustomField.objects.filter(record=record_type, is_active=True).order_by("position", "key"):
        filled = rows.get(definition.pk, [])
        name = f"custom_{definition.key}"
        edit_url = edit_urls(name)
        if not filled:
            group.empty.append(definition.label)
            group.blank.append({"label": definition.label, "name": name, "edit_url": edit_url})
            continue
        shown = _custom(definition, filled)
        about = {"label": definition.label, "name": name, "help": definition.help, "edit_url": edit_url}
        group.facts.append({**about, **sources.get(f"custom.{definition.key}", {}), **shown})
    return group


def _custom(definition: CustomField, rows: list[Any]) -> Fact:
    row = rows[0]
    labels = {
        str(choice["value"]): str(choice.get("label") or choice["value"])
        for choice in definition.choices or []
        if isinstance(choice, dict) and "value" in choice
    }
    if definition.type == "multi":
        return {"kind": "tags", "value": [labels.get(r.text, r.text) for r in rows]}
    if definition.type in {"text", "enum"}:
        return {"kind": "text", "value": labels.get(row.text, row.text)}
    if definition.type in {"date", "datetime"}:
        return {"kind": "date", "value": row.moment if definition.type == "datetime" else row.date}
    if definition.type == "boolean":
        return {"kind": "flag", "value": row.boolean}
    number = row.number.normalize() if row.number is not None else None
    return {"kind": "percent" if definition.type == "percent" else "number", "value": number}
