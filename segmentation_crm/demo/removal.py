"""Remove the story: exactly its records, nothing that people made.

What people's own records point to stays and is theirs from then on: a contact whom somebody called, the account that
somebody wrote a note on. So no row of theirs is changed or deleted. Words that the story added go unless something
uses them. The audit log keeps its entries, as it keeps all.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models, transaction

from accounts.models import (
    Account,
    AccountCustomValue,
    AccountTechnology,
    AccountValue,
    Activity,
    CampaignRef,
    Consent,
    Contact,
    ContactAccount,
    ContactCustomValue,
    ContactValue,
    ContentItem,
    Contract,
    Evidence,
    ExternalId,
    IndustryMapping,
    Need,
    Note,
    Opportunity,
    OpportunityContact,
    OpportunityCustomValue,
    OpportunityLine,
    OpportunityValue,
    Product,
    Purchase,
    RecordChange,
    RecordMerge,
    SupportCase,
    SurveyAnswer,
    Task,
    TechnologyProduct,
    Term,
    TermAlias,
    Vendor,
)
from segmentation_crm.common.models import (
    AuditEntry,
    Job,
    JobState,
    Notification,
    RecentItem,
    SavedView,
    Territory,
)
from segments.models import MembershipChange, Segment, SegmentMembership, SegmentOverride, SegmentVersion
from segments.queries import SegmentGraph

from . import people
from .catalogue import SOURCE
from .patience import be_patient

# Children before what they point to.
MODELS: tuple[type[models.Model], ...] = (
    Evidence, Note, Task, SurveyAnswer, SupportCase, Purchase, Contract, OpportunityContact, OpportunityLine,
    Opportunity, Consent, Need, AccountTechnology, ContactAccount, Contact, Account, CampaignRef, ContentItem, Product,
    TechnologyProduct, Vendor,
)  # fmt: skip
# Rows that are a part of their record and go with it.
PARTS: dict[type[models.Model], type[models.Model]] = {
    AccountValue: Account,
    AccountCustomValue: Account,
    ContactValue: Contact,
    ContactCustomValue: Contact,
    OpportunityValue: Opportunity,
    OpportunityCustomValue: Opportunity,
    Note.mentions.through: Note,
    ContentItem.topics.through: ContentItem,
}
_OF_SEGMENTS = (SegmentMembership, SegmentOverride, MembershipChange)
_RECORDS: dict[str, type[models.Model]] = {"account": Account, "contact": Contact, "opportunity": Opportunity}
_EVERYTHING: tuple[type[models.Model], ...] = (*MODELS, Activity)
_CHUNK = 20_000


@dataclass
class Removed:
    """What a removal did: rows gone, records of the story that are people's now, words for what stayed."""

    rows: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    stayed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        words = [f"{self.rows:,} demo records removed."]
        if self.kept:
            names = ", ".join(f"{count:,} {name}" for name, count in self.kept.items())
            words.append(f"Kept, because people's own records point to them: {names}.")
        return " ".join([*words, *self.stayed])


def what_would_go() -> dict[str, int]:
    """Return how many records of each main kind a removal would delete, those kept for people's sake counted in."""
    kinds = (Account, Contact, Opportunity, Activity, Task, Note)
    counts = {str(m._meta.verbose_name_plural): m._default_manager.filter(source=SOURCE).count() for m in kinds}
    return counts | {"segments": len(_segments()), "users": people.demo_users().filter(is_active=True).count()}


def remove(after_chunk: Callable[[int], object] | None = None) -> Removed:
    """Remove the story; may be run again after an interruption. after_chunk hears of the rows gone so far.

    Activities go 20,000 at a time, each part in its own transaction, everything else in one.
    """
    done = Removed()
    with transaction.atomic():
        be_patient()
        done.kept = _give_away()
    while gone := _delete_activities():
        done.rows += gone
        if after_chunk:
            after_chunk(done.rows)
    with transaction.atomic():
        be_patient()
        _remove_segments(done)
        _forget_traces()
        for part, owner in PARTS.items():
            _delete_parts(part, owner)
        # A service may have written the tie between two records of the story, without their source.
        _delete_parts(ContactAccount, Contact)
        # Those of accounts that stay would be in the way of the next story.
        _delete(ExternalId, "source = %s", [SOURCE])
        for model in MODELS:
            done.rows += _delete(model, "source = %s", [SOURCE])
        done.rows += people.remove_users()
        _remove_terms()
    return done


def _give_away() -> dict[str, int]:
    """Make records of the story people's own where people's records point to them, until none is left."""
    given: dict[str, int] = {}
    while True:
        before = sum(given.values())
        for model in _EVERYTHING:
            for child, name in _pointing_at(model):
                pointed = _of_people(child).filter(**{f"{name}__isnull": False}).values(name)
                found = model._default_manager.filter(source=SOURCE, pk__in=pointed).update(source="")
                if found:
                    label = str(model._meta.verbose_name_plural)
                    given[label] = given.get(label, 0) + found
        if sum(given.values()) == before:
            return given


def _pointing_at(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    """Yield each model and foreign key that points to a model, the record's own parts left out."""
    relation: Any
    for relation in model._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or not (relation.one_to_many or relation.one_to_one):
            continue
        child = relation.related_model
        if child in PARTS or child in _OF_SEGMENTS or child._meta.proxy:
            continue
        yield child, relation.field.name


def _of_people(child: type[models.Model]) -> "models.QuerySet[models.Model]":
    """Return the rows of a model that people made; a tie between two records of the story is none."""
    rows = child._default_manager.order_by()
    if child is ContactAccount:
        return rows.exclude(contact__source=SOURCE, account__source=SOURCE)
    if any(column.name == "source" for column in child._meta.concrete_fields):
        return rows.exclude(source=SOURCE)
    return rows


def _delete_activities() -> int:
    with transaction.atomic():
        be_patient()
        keys = Activity.objects.filter(source=SOURCE).order_by("pk").values_list("pk", flat=True)[:_CHUNK]
        bounds = list(keys)
        if not bounds:
            return 0
        of_them = "activity_id IN (SELECT id FROM accounts_activity WHERE source = %s AND id <= %s)"
        _delete(Evidence, of_them, [SOURCE, bounds[-1]])
        return _delete(Activity, "source = %s AND id <= %s", [SOURCE, bounds[-1]])


def _delete(model: type[models.Model], condition: str, values: list[Any]) -> int:
    """Delete rows in the database: Django would read every row first to follow its references."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {condition}", values)  # noqa: S608 (names of our own tables)
        return int(cursor.rowcount)


def _delete_parts(part: type[models.Model], owner: type[models.Model]) -> None:
    key = next(f.column for f in part._meta.concrete_fields if f.is_relation and f.related_model is owner)
    _delete(part, f"{key} IN (SELECT id FROM {owner._meta.db_table} WHERE source = %s)", [SOURCE])  # noqa: S608


def _forget_traces() -> None:
    """Delete what names records of the story by type and number: log of changes, merges, recent items; memberships."""
    for kind, model in _RECORDS.items():
        mine = f"(SELECT id FROM {model._meta.db_table} WHERE source = %s)"  # noqa: S608
        _delete(RecordChange, f"record_type = %s AND record_id IN {mine}", [kind, SOURCE])
        _delete(RecordMerge, f"record_type = %s AND gone_id IN {mine}", [kind, SOURCE])
        _delete(RecordMerge, f"record_type = %s AND kept_id IN {mine}", [kind, SOURCE])
        _delete(RecentItem, f"kind = %s AND object_id IN {mine}", [kind, SOURCE])
        if kind != "opportunity":
            for model_of in _OF_SEGMENTS:
                _delete(model_of, f"{kind}_id IN {mine}", [SOURCE])
    Notification.objects.filter(user__in=people.demo_users()).delete()


def _manifests(name: str) -> set[int]:
    """Return the keys that loads noted in the audit log."""
    entries = AuditEntry.objects.filter(action="demo.loaded").values_list("details", flat=True)
    return {key for details in entries for key in details.get(name, [])}


def _segments() -> list[Segment]:
    """Return the story's segments that nobody else changed."""
    own = Segment.objects.filter(pk__in=_manifests("segments"), owner__in=people.demo_users())
    changed = SegmentVersion.objects.filter(segment__in=own).exclude(created_by__in=people.demo_users())
    return list(own.exclude(pk__in=changed.values("segment")))


def _remove_segments(done: Removed) -> None:
    going = {segment.pk: segment for segment in _segments()}
    graph = SegmentGraph()
    while held := [pk for pk in going if set(graph.read_by[pk]) - set(going)]:
        for pk in held:
            done.stayed.append(f"The segment “{going.pop(pk).name}” stays: other segments read it.")
    keys = [f"segment:{pk}" for pk in going]
    Job.objects.filter(kind="segment.rebuild", key__in=keys).exclude(state=JobState.RUNNING).delete()
    for segment in going.values():
        segment.delete()
    done.rows += len(going)


def _remove_terms() -> None:
    """Delete the words that the story added and nothing uses, the lower ones of a tree first."""
    rules = [json.dumps(rule) for rule in Segment.objects.values_list("rules", flat=True)]
    rules += [json.dumps(rule) for rule in SavedView.objects.values_list("rules", flat=True)]
    rules += [json.dumps(slugs) for slugs in Territory.objects.values_list("region_slugs", flat=True)]
    in_rules = "\n".join(rules)
    for term in Term.objects.filter(pk__in=_manifests("terms")).order_by("-path"):
        named = any(f'"{word}"' in in_rules for word in (term.slug, term.name)) or f": {term.pk}" in in_rules
        tied = TermAlias.objects.filter(term=term).exists() or IndustryMapping.objects.filter(term=term).exists()
        hinted = Term.objects.filter(need=term).exclude(pk__in=_manifests("terms")).exists()
        if named or tied or hinted or term.content_items.exists():
            continue
        try:
            with transaction.atomic():
                term.delete()
        except models.ProtectedError:
            continue
