"""Addresses that must not be written to stay so, whatever a file says of them (RELIABILITY R21)."""

from collections.abc import Iterable, Sequence

from django.db.models import F, Q

from segmentation_crm.common.folding import fold

from ..choices import ConsentStatus
from ..models import Consent, Contact
from .drafts import Draft

_REFUSED = (ConsentStatus.WITHDRAWN, ConsentStatus.DENIED)


def keep_suppressed(drafts: Sequence[Draft]) -> None:
    """Mark and report rows whose address is suppressed, erased or without consent any more (2 queries).

    Records that are deleted, merged away or erased count too: their address comes back as "do not contact".
    """
    by_address: dict[str, list[Draft]] = {}
    for draft in drafts:
        if address := fold(draft.columns.get("email") or ""):
            by_address.setdefault(address, []).append(draft)
    if not by_address:
        return
    rows = Contact.objects.filter(email_folded__in=by_address).filter(
        Q(do_not_contact=True) | Q(erased_at__isnull=False)
    )
    erased: dict[str, bool] = {}
    for address, moment in rows.order_by().values_list("email_folded", "erased_at"):
        erased[address] = erased.get(address, False) or moment is not None
    for address, is_erased in erased.items():
        for draft in by_address[address]:
            if is_erased:
                words = "This address was erased on request; the record is marked as do not contact."
                draft.warn("email", "erased_address", words, address)
            elif not draft.columns.get("do_not_contact"):
                draft.warn("email", "suppressed_address", "This person must not be contacted; that stays.", address)
            draft.columns["do_not_contact"] = True
    for address in _without_consent(by_address):
        for draft in by_address[address]:
            draft.warn(
                "email", "consent_withdrawn", "This person has withdrawn or denied consent; that stays.", address
            )


def _without_consent(addresses: Iterable[str]) -> list[str]:
    """Return the addresses whose latest word on some topic and channel is a no (1 query)."""
    latest: dict[tuple[str, int | None, str], str] = {}
    rows = Consent.objects.filter(contact__email_folded__in=addresses).order_by(F("at").asc(nulls_first=True), "id")
    for address, topic, channel, status in rows.values_list("contact__email_folded", "topic_id", "channel", "status"):
        latest[(address, topic, channel)] = status
    return sorted({address for (address, _, _), status in latest.items() if status in _REFUSED})
