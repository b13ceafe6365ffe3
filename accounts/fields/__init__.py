"""The data dictionary: every record, relation and field that rules can read, each declared once.

`declare()` fills the registry in `AccountsConfig.ready()`. What each computation means, for the compiler and for the
oracle alike; "today" is the local day of as_of, "live" is as the record's `live` filters say:

years_since (column)
    The year of today minus the column; empty where the column is.
is_engagement ()
    Of an activity: direction is inbound, type is known and none of `ENGAGED_EXCLUDED_TYPES`, and bot_suspected is
    not true. Never empty: true or false.
last_engaged_at ()
    The greatest `occurred_at` before as_of of the record's activities that are engagements; empty without any. Of an
    account its activities by `account`, of a contact by `contact`.
engaged_within (days)
    Whether an engagement lies in the window `in_last` of that many days. Never empty: false without any.
via (foreign key, column)
    The column of the row that the record's foreign key points to (the stage's is_won, the technology's vendor); empty
    where the foreign key is.
role_groups (multi field)
    The set of `ROLE_GROUPS[token]` over the tokens of that multi field.
count_values (key of a multi field)
    The number of different values of that multi field; 0 where it has none, never empty.
consent_values (column)
    The different known values of `column` ("channel": token, "topic": term) over the contact's consents that stand as
    granted: of each topic and channel (unknown ones are one of their own) the latest row holds, by the greatest `at`
    (unknown counts as the oldest), then the greatest id.
external_ids ()
    The external ids of the record as they are, over all source systems.
through_values (column)
    Inside `contact.opportunities` only: the column over the `OpportunityContact` rows between that contact and that
    opportunity (a person may play two roles). A positive operator holds when it holds for one of them; empty: none has
    a value.
provenance (field, attribute)
    `source_system` (compared by its `_folded` shadow) or `source_type` of the record's Provenance row for that field;
    empty without such a row.
provenance_age (field)
    Days from the `observed_on` of that row to today; empty where unknown.

A Column of an enum, reference, tree, number, boolean or date is compared as it is, "" and NULL being empty; of a text
by its `_folded` shadow; of money by its `_reporting` column. RelatedValues read the live rows of the relation. An enum
without choices (source systems, external ids) holds any token, compared exactly.
"""

from segmentation_crm.common.fields import Registry

from . import account, activity, contact, custom, need, opportunity, provenance, purchases, records, technology


def declare(registry: Registry) -> None:
    """Declare all records, relations and fields of `accounts` (0 queries)."""
    for record in records.RECORDS:
        registry.add_record(record)
    for relation in records.relations():
        registry.add_relation(relation)
    for module in (account, contact, opportunity, activity, technology, need, purchases):
        found = module.fields()
        registry.add_fields(found)
        registry.add_fields(provenance.fields_about(found))
    registry.provide_custom_fields(custom.custom_fields)


__all__ = ["declare"]
