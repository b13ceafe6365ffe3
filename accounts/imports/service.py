"""Start, preview and run imports: what command, pages and jobs call."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from segmentation_crm.common.access import visibility
from segmentation_crm.common.extensions import after_import, tell

from ..models import (
    Account,
    AccountTechnology,
    Activity,
    Consent,
    Contact,
    Contract,
    Import,
    ImportState,
    Need,
    Opportunity,
    OpportunityContact,
    Purchase,
    SupportCase,
    SurveyAnswer,
)
from ..queries import (
    accounts_visible_to,
    activities_visible_to,
    consents_visible_to,
    contacts_visible_to,
    contracts_visible_to,
    needs_visible_to,
    opportunities_visible_to,
    opportunity_contacts_visible_to,
    purchases_visible_to,
    support_cases_visible_to,
    survey_answers_visible_to,
    technologies_visible_to,
)
from .drafts import Draft
from .options import ImportOptions
from .plan import Plan, make_plan
from .resolvers import Lookup
from .runner import Runner

# Rows that are seen with their record: their keys find only those whose record the user sees.
_FOLLOWING: dict[type[models.Model], Callable[[Any], models.QuerySet[Any]]] = {
    AccountTechnology: technologies_visible_to,
    Activity: activities_visible_to,
    Consent: consents_visible_to,
    Contract: contracts_visible_to,
    Need: needs_visible_to,
    OpportunityContact: opportunity_contacts_visible_to,
    Purchase: purchases_visible_to,
    SupportCase: support_cases_visible_to,
    SurveyAnswer: survey_answers_visible_to,
}


@dataclass
class Result:
    """What an import came to, or would come to."""

    record: Import
    plan: Plan
    seconds: float
    drafts: list[Draft] = field(default_factory=list)
    rejected: list[Any] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the line that the command ends with."""
        table = self.plan.table
        return {
            **self.record.counts,
            "seconds": round(self.seconds, 3),
            "encoding": table.encoding,
            "delimiter": table.delimiter_name,
            "unmapped": self.plan.unmapped,
        }


def lookup_for(source: str, user: Any) -> Lookup:
    """Return the lookup of an import: a user's links and keys find only what the user sees."""
    visible: dict[type[models.Model], models.QuerySet[Any]] = {}
    if user is not None:
        visible = {
            Account: accounts_visible_to(user),
            Contact: contacts_visible_to(user),
            Opportunity: opportunities_visible_to(user),
        }
        if not visibility(user).everything:
            visible |= {model: rows(user) for model, rows in _FOLLOWING.items()}
    return Lookup(source=source, visible=visible)


def new_import(options: ImportOptions, file_name: str, *, user: Any = None, **values: Any) -> Import:
    """Write the row of an import that has not run yet (1 query)."""
    return Import.objects.create(
        type=options.type,
        file_name=file_name[:255],
        source=options.source,
        options=options.as_json(),
        created_by=user,
        **values,
    )


def run_import(
    record: Import,
    path: Path,
    options: ImportOptions,
    *,
    user: Any = None,
    on_batch: Callable[[int, int], None] | None = None,
    check_stop: Callable[[], None] | None = None,
    limit: int | None = None,
) -> Result:
    """Run an import from where it stands to its end.

    `on_batch(done, total)` runs inside each batch's transaction. Raises FileRefused; what `check_stop` raises passes.
    """
    began = time.monotonic()
    with transaction.atomic():
        plan = make_plan(path, record.file_name, options, user=user)
        total = plan.scan.rows
        record.headings, record.mapping, record.unmapped = plan.headings, plan.chosen(), plan.unmapped
        record.encoding, record.delimiter = plan.table.encoding, plan.table.delimiter_name
        record.sheet, record.rows_total = plan.table.sheet, total
        record.state, record.error = ImportState.RUNNING, ""
        record.started_at = record.started_at or timezone.now()
        if not record.rows_done:
            for index, words in plan.scan.withdrawn.items():
                record.warnings = {**record.warnings, "guess_withdrawn": record.warnings.get("guess_withdrawn", 0) + 1}
                record.error = f"{record.error} Column {plan.headings[index]} was left unmapped: {words}.".strip()
        record.save()
    runner = Runner(
        record,
        plan,
        lookup_for(record.source, user),
        create_accounts=options.create_accounts,
        source_type=options.source_type if options.sources else "",
        on_batch=(lambda done: on_batch(done, total)) if on_batch else None,
        check_stop=check_stop,
    )
    runner.run(limit)
    record.state, record.finished_at = ImportState.DONE, timezone.now()
    record.save(update_fields=["state", "finished_at"])
    return Result(record, plan, time.monotonic() - began, runner.drafts)


def import_file(path: Path, options: ImportOptions, *, user: Any = None, dry_run: bool = False) -> Result:
    """Import a file at once; with `dry_run` the same code runs and everything is rolled back.

    Raises FileRefused with words; nothing is written then.
    """
    if dry_run:
        with transaction.atomic():
            record = new_import(options, path.name, user=user)
            result = run_import(record, path, options, user=user)
            result.rejected = list(record.rows.filter(is_rejected=True)[:100])
            transaction.set_rollback(True)
        return result
    record = new_import(options, path.name, user=user, size_bytes=path.stat().st_size)
    try:
        result = run_import(record, path, options, user=user)
    except Exception:
        Import.objects.filter(pk=record.pk, rows_done=0).delete()
        raise
    result.rejected = list(record.rows.filter(is_rejected=True)[:100])
    notify()
    return result


def notify() -> None:
    """Tell the other apps that an import has written its last row."""
    tell(after_import)
