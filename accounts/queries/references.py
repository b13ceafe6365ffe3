"""The records that a loaded record points to, read by their keys."""

from collections import defaultdict
from typing import Any

from segmentation_crm.common.models import User

from ..models import Account, Contact

# Of wide tables only what a name needs, and whether it is still kept.
_NAMED: dict[type[Any], tuple[str, ...]] = {
    Account: ("name", "deleted_at", "merged_into_id"),
    Contact: ("first_name", "last_name", "email", "deleted_at", "merged_into_id", "erased_at"),
    User: ("username", "first_name", "last_name"),
}


def fill_references(record: Any, *names: str) -> None:
    """Load what these references of a record point to, by name (1 query for each model that is pointed to).

    A join of ten wide tables takes the database longer to plan, and Django longer to write, than these few rows by
    their keys; most references of a record are empty.
    """
    keys: dict[type[Any], set[int]] = defaultdict(set)
    fields = {name: record._meta.get_field(name) for name in names}
    for field in fields.values():
        key = getattr(record, field.attname)
        if key is not None:
            keys[field.related_model].add(key)
    found = {
        model: model._base_manager.only(*_NAMED.get(model, ())).in_bulk(list(wanted)) for model, wanted in keys.items()
    }
    for name, field in fields.items():
        target = found.get(field.related_model, {}).get(getattr(record, field.attname))
        if target is not None:
            setattr(record, name, target)
