"""Names of related records: shown only where the user may open them."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from segmentation_crm.common.access import AnyUser, visibility

from ..queries import accounts_seen, contacts_seen
from .tables import Cell, link, text

HIDDEN = "not visible to you"


class Seen:
    """Which accounts and contacts that rows point to the user may see (0 queries for who sees everything).

    A record can be visible by its own owner while its account is not: the account's name then stays hidden.
    """

    def __init__(self, user: AnyUser, rows: Iterable[Any], with_contacts: bool = False) -> None:
        self.seen = visibility(user)
        self.accounts: set[int] = set()
        self.contacts: set[int] = set()
        if self.seen.everything:
            return
        rows = list(rows)
        account_ids = {pk for row in rows if (pk := getattr(row, "account_id", None))}
        if account_ids:
            self.accounts = set(accounts_seen(self.seen).filter(pk__in=account_ids).values_list("pk", flat=True))
        contact_ids = {pk for row in rows if (pk := getattr(row, "contact_id", None))} if with_contacts else set()
        if contact_ids:
            self.contacts = set(contacts_seen(self.seen).filter(pk__in=contact_ids).values_list("pk", flat=True))

    def account(self, row: Any) -> Cell:
        """Return the cell of the row's account; its name needs `select_related("account")`."""
        if not row.account_id:
            return text("")
        if not self.seen.everything and row.account_id not in self.accounts:
            return text(HIDDEN)
        if not row.account.is_live:
            return text(row.account.name, "no longer kept")
        return link(row.account.name, reverse("accounts:account_detail", args=[row.account_id]))

    def contact(self, row: Any) -> Cell:
        """Return the cell of the row's contact; its name needs `select_related("contact")`."""
        if not row.contact_id:
            return text("")
        if not self.seen.everything and row.contact_id not in self.contacts:
            return text(HIDDEN)
        if not row.contact.is_live:
            return text("no longer kept")
        return link(row.contact.name, reverse("accounts:contact_detail", args=[row.contact_id]))
