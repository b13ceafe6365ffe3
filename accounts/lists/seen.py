"""Names of related records: shown only where the user may open them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from segmentation_crm.common.access import AnyUser, visibility
from segmentation_crm.common.addresses import address_of
from segmentation_crm.common.lists import Cell, link, text

from ..queries import accounts_seen, contacts_seen, opportunities_seen

HIDDEN = "not visible to you"


class Seen:
    """Which records that rows point to the user may see (0 queries for who sees everything).

    A record can be visible by its own owner while its account is not: the account's name then stays hidden. Each
    kind is read for all rows at once (1 query), when the first cell asks; `with_contacts` is kept for callers.
    """

    def __init__(self, user: AnyUser, rows: Sequence[Any], with_contacts: bool = False) -> None:
        self.user = user
        self.rows = rows

    @cached_property
    def seen(self) -> Any:
        """What the user sees (up to 2 queries)."""
        return visibility(self.user)

    @cached_property
    def accounts(self) -> set[int]:
        """Ids of the rows' accounts that the user sees."""
        return self._visible("account_id", accounts_seen)

    @cached_property
    def contacts(self) -> set[int]:
        """Ids of the rows' contacts that the user sees."""
        return self._visible("contact_id", contacts_seen)

    @cached_property
    def opportunities(self) -> set[int]:
        """Ids of the rows' opportunities that the user sees."""
        return self._visible("opportunity_id", opportunities_seen)

    @cached_property
    def parents(self) -> set[int]:
        """Ids of the rows' parent accounts that the user sees."""
        return self._visible("parent_account_id", accounts_seen)

    def _visible(self, name: str, records: Any) -> set[int]:
        ids = {pk for row in self.rows if (pk := getattr(row, name, None))}
        return set(records(self.seen).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()

    def shows_account(self, row: Any) -> bool:
        """Tell whether the row's account may be named."""
        return bool(row.account_id) and (self.seen.everything or row.account_id in self.accounts)

    def account(self, row: Any) -> Cell:
        """Return the cell of the row's account; its name needs `select_related("account")`."""
        if not row.account_id:
            return text("")
        if not self.shows_account(row):
            return text(HIDDEN)
        if not row.account.is_live:
            return text(row.account.name, "no longer kept")
        return link(row.account.name, address_of("accounts:account_detail", row.account_id))

    def contact(self, row: Any) -> Cell:
        """Return the cell of the row's contact; its name needs `select_related("contact")`."""
        if not row.contact_id:
            return text("")
        if not self.seen.everything and row.contact_id not in self.contacts:
            return text(HIDDEN)
        if not row.contact.is_live:
            return text("no longer kept")
        return link(row.contact.name, address_of("accounts:contact_detail", row.contact_id))

    def opportunity(self, row: Any) -> Cell:
        """Return the cell of the row's opportunity; its name needs `select_related("opportunity")`."""
        if not row.opportunity_id:
            return text("")
        if not self.seen.everything and row.opportunity_id not in self.opportunities:
            return text(HIDDEN)
        if not row.opportunity.is_live:
            return text(row.opportunity.name, "no longer kept")
        return link(row.opportunity.name, address_of("accounts:opportunity_detail", row.opportunity_id))

    def parent(self, row: Any) -> Cell:
        """Return the cell of the account's parent; its name needs `select_related("parent_account")`."""
        parent = row.parent_account
        if parent is None:
            return text("")
        if not self.seen.everything and parent.pk not in self.parents:
            return text(HIDDEN)
        if not parent.is_live:
            return text(parent.name, "no longer kept")
        return link(parent.name, address_of("accounts:account_detail", parent.pk))
