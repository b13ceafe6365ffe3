"""Cells that several lists of records show."""

from typing import Any

from segmentation_crm.common.addresses import address_of
from segmentation_crm.common.lists import Cell, badge, link, text

from ..fields.places import COUNTRIES
from ..models import Account, Activity, Contact, Opportunity

COUNTRY_NAMES = {choice.value: choice.label for choice in COUNTRIES}
LIFECYCLE_TONES = {"customer": "ok", "former": "bad", "opportunity": "info", "mqa": "info", "sql": "info"}


def country(code: str) -> str:
    """Return the country's name for an ISO code."""
    return COUNTRY_NAMES.get(code, code)


def person(user: Any) -> Cell:
    """Return the cell of one of us."""
    return text(user.display_name if user else "")


def term_name(term: Any) -> Cell:
    """Return the cell of a word kept by users, "" for none."""
    return text(term.name if term else "")


def flag(value: bool) -> Cell:
    """Return the cell of yes; no stays empty, so that the yes stands out."""
    return text("Yes" if value else "")


def account_cell(account: Account) -> Cell:
    """Return the cell that leads to an account."""
    url = address_of("accounts:account_detail", account.pk)
    return link(account.name, url, account.domain or account.city, "company")


def contact_cell(contact: Contact) -> Cell:
    """Return the cell that leads to a contact."""
    url = address_of("accounts:contact_detail", contact.pk)
    return link(contact.name, url, contact.job_title, "person")


def opportunity_cell(opportunity: Opportunity) -> Cell:
    """Return the cell that leads to an opportunity."""
    url = address_of("accounts:opportunity_detail", opportunity.pk)
    return link(opportunity.name, url, opportunity.next_step)


def stage_badge(opportunity: Opportunity) -> Cell:
    """Return the stage, toned by won and lost."""
    stage = opportunity.stage
    if stage is None:
        return badge("")
    return badge(stage.name, "ok" if stage.is_won else "bad" if stage.is_lost else "info")


def lifecycle(record: Any) -> Cell:
    """Return the lifecycle stage."""
    tone = LIFECYCLE_TONES.get(record.lifecycle_stage, "")
    return badge(record.get_lifecycle_stage_display() if record.lifecycle_stage else "", tone)


def activity_about(activity: Activity) -> str:
    """Return what an activity was about: subject, content, page or campaign."""
    content = activity.content.title if activity.content else ""
    campaign = activity.campaign.name if activity.campaign else ""
    return activity.subject or content or activity.url_path or campaign
