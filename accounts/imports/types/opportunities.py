"""Opportunities, the people in them and the history of their stages, from files."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time

from ...choices import BuyingRole, CatalogueKind, Vocabulary
from ...models import (
    Opportunity,
    OpportunityContact,
    OpportunityCustomValue,
    OpportunityValue,
    Pipeline,
    Stage,
)
from ...services.money import RateBook
from ...services.opportunities import follow_up
from ..drafts import Draft
from ..resolvers import Entry, Lookup, OpenTerm, OpenTerms, StageTarget, add_stage, default_pipeline
from ..targets import Choice, CloseDate, Currency, Target
from .base import ImportType
from .contacts import ROLE_NAMES
from .links import account_link, campaign_link, contact_link, opportunity_link, product_link, user_link


class Opportunities(ImportType):
    """Deals; by external id, or name and account."""

    key, label, model, record_type = "opportunities", "Opportunities", Opportunity, "opportunity"
    keys = (("external_id",), ("name", "account"))
    value_model, custom_model = OpportunityValue, OpportunityCustomValue

    def declare(self) -> Iterable[Target]:
        yield from self.plain("name", name=("opportunity", "opportunity_name", "deal", "deal_name"))
        yield account_link("account")
        yield user_link("owner")
        yield Entry("pipeline", Pipeline, CatalogueKind.PIPELINE)
        yield StageTarget("stage", aliases=("deal_stage", "stage_name", "stagename", "status"))
        yield from self.plain(
            "type", "amount", "probability", "forecast_category", "next_step", "opened_on", "expected_close",
            "closed_at", "stage_entered_at",
            amount=("value", "deal_value", "close_value", "deal_amount"),
            opened_on=("engage_date", "created_date", "open_date", "opened"),
            expected_close=("expected_close_date",),
            closed_at=("closed_date", "closed_on"),
            next_step=("nextstep",),
            forecast_category=("forecastcategory",),
        )  # fmt: skip
        yield CloseDate("close_date", "Close date (closed, or expected while open)", aliases=("closedate",))
        yield Currency("amount_currency", aliases=("currency",))
        yield OpenTerm("lost_reason", Vocabulary.LOST_REASON, aliases=("loss_reason",))
        yield OpenTerm("primary_need", Vocabulary.NEED)
        yield OpenTerm("lead_source", Vocabulary.LEAD_SOURCE, aliases=("leadsource",))
        yield OpenTerms("objections", Vocabulary.OBJECTION)
        yield OpenTerms("competitors", Vocabulary.COMPETITOR, aliases=("competitor",))
        yield campaign_link("campaign_first")
        yield campaign_link("campaign_last", aliases=("campaign",))
        yield product_link("product", text_column="product_text")

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        default, closed = None, set(Stage.objects.filter(is_open=False).values_list("pk", flat=True))
        for draft in drafts:
            columns = draft.columns
            if columns.get("pipeline_id") and columns.get("stage_id"):
                self._stage_of_pipeline(columns, draft, lookup)
            elif columns.get("stage_id"):
                default = default or default_pipeline().pk
                columns.setdefault("pipeline_id", default)
            is_closed = columns["_is_closed"] = columns.get("stage_id") in closed
            moment = columns.pop("close_date", None)
            if moment is not None:
                columns["closed_at"] = moment if is_closed else None
                columns["expected_close"] = None if is_closed else moment.date()

    def _stage_of_pipeline(self, columns: dict, draft: Draft, lookup: Lookup) -> None:
        """Take the stage of the row's own pipeline, added there where it is new."""
        known = lookup.known["stage of pipeline"]
        key = f"{columns['pipeline_id']}:{columns['stage_id']}"
        if key not in known:
            stage = Stage.objects.get(pk=columns["stage_id"])
            if stage.pipeline_id != columns["pipeline_id"]:
                pipeline = Pipeline.objects.get(pk=columns["pipeline_id"])
                own = Stage.objects.filter(pipeline=pipeline, name_folded=stage.name_folded).first()
                stage = own or add_stage(pipeline, stage.name)
            known[key] = stage.pk
        columns["stage_id"] = known[key]

    def new_record(self, draft: Draft, book: RateBook) -> Opportunity:
        # A file without names: the deal goes by its number, or what is sold.
        name = draft.external_id or draft.columns.get("product_text") or "Opportunity"
        entered = draft.columns.get("closed_at") if draft.columns.get("_is_closed") else None
        opened = draft.columns.get("opened_on")
        if entered is None and opened is not None:
            entered = datetime.combine(opened, time(), book.time_zone)
        return Opportunity(name=name, stage_entered_at=entered)

    def after_batch(self, drafts: Sequence[Draft]) -> None:
        """Accounts and people follow their deals: a prospect with a won one is a customer."""
        follow_up(draft.record.pk for draft in drafts if draft.outcome != "unchanged")


class ContactRoles(ImportType):
    """The part a person plays in an opportunity."""

    key, label, model, record_type = "contact_roles", "Contact roles", OpportunityContact, "contact_role"
    keys = (("opportunity", "contact", "role"), ("opportunity", "contact"))
    required = ("opportunity_id", "contact_id")

    def declare(self) -> Iterable[Target]:
        yield opportunity_link()
        yield contact_link()
        yield Choice("role", BuyingRole.choices, names=ROLE_NAMES,
                     aliases=("buying_role", "contact_role"))  # fmt: skip
        yield from self.plain("stance", "influence")
