"""The fifteen kinds of files that can be imported."""

from ..problems import MappingRefused
from .accounts import Accounts
from .base import ROW_KEY, ImportType
from .catalogue import Needs, Products, Technologies
from .contacts import Contacts
from .dealings import Contracts, Purchases, SupportCases
from .events import Activities, Consents, SurveyAnswers
from .history import StageHistory
from .opportunities import ContactRoles, Opportunities
from .people import Users

IMPORT_TYPES: dict[str, ImportType] = {
    type_.key: type_()
    for type_ in (
        Accounts,
        Contacts,
        Opportunities,
        Products,
        Purchases,
        Contracts,
        SupportCases,
        Activities,
        Technologies,
        Needs,
        ContactRoles,
        SurveyAnswers,
        Consents,
        StageHistory,
        Users,
    )
}


def import_type(key: str) -> ImportType:
    """Return the import type of the key.

    Raises MappingRefused naming all types.
    """
    found = IMPORT_TYPES.get(key)
    if found is None:
        raise MappingRefused(f"Unknown type {key!r}; use one of {', '.join(IMPORT_TYPES)}.", code="unknown_type")
    return found


__all__ = ["IMPORT_TYPES", "ROW_KEY", "ImportType", "import_type"]
