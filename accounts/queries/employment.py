"""At which account a contact was when something happened."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from segmentation_crm.common.among import KeyAmong

from ..choices import ContactRelation
from ..models import Contact, ContactAccount


class Employments:
    """The accounts of some contacts, today's and earlier ones (2 queries, however many contacts)."""

    def __init__(self, contact_ids: Iterable[int]) -> None:
        keys = sorted(set(contact_ids))
        self._today: dict[int, int | None] = {}
        self._earlier: dict[int, list[tuple[dt.date | None, dt.date, int]]] = defaultdict(list)
        self._since: dict[int, dt.date] = {}
        if not keys:
            return
        self._today = dict(Contact.objects.filter(KeyAmong("pk", keys)).order_by().values_list("pk", "account_id"))
        jobs = ContactAccount.objects.filter(KeyAmong("contact_id", keys), relation=ContactRelation.EMPLOYEE)
        rows = jobs.order_by("ended_on", "pk").values_list("contact_id", "account_id", "started_on", "ended_on")
        for contact, account, started, ended in rows:
            if ended is not None:
                self._earlier[contact].append((started, ended, account))
            elif account == self._today.get(contact) and started is not None:
                self._since[contact] = started

    def account_at(self, contact: int, moment: dt.datetime) -> int | None:
        """Return the account the contact worked for at the moment; today's where no earlier job is known."""
        day = moment.date()
        since = self._since.get(contact)
        if since is not None and day < since:
            for started, ended, account in self._earlier.get(contact, ()):
                if day < ended and (started is None or started <= day):
                    return account
        return self._today.get(contact)
