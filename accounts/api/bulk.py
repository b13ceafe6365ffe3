"""Bulk edits over the API: one field of many records, with what came of each."""

from typing import Any

from pyroaring import BitMap
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from segmentation_crm.common import bulk
from segmentation_crm.common.api.serializers import StrictSerializer
from segmentation_crm.common.models import BulkRow, User

from ..forms.bulk import BulkEditForm

MOST = 1000
MAX_ID = 2**32 - 1


class BulkEditSerializer(StrictSerializer):
    """Which records, which field, which value; null empties the field. Keys that come twice count once."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID), min_length=1, max_length=MOST
    )
    field = serializers.CharField(max_length=80, help_text='Such as "lifecycle_stage" or "custom.rank".')
    value = serializers.JSONField(
        allow_null=True, help_text="A token, an id, a figure, a date; a list for a multi field."
    )


class RefusedSerializer(serializers.Serializer):
    """A record that was not changed, and why."""

    id = serializers.IntegerField()
    reason = serializers.CharField()


class BulkResultSerializer(serializers.Serializer):
    """What came of the records; `batch` names the act in the log of changes."""

    batch = serializers.UUIDField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = RefusedSerializer(many=True)


def edit_many(user: Any, record: str, ids: list[int], field: str, value: Any) -> dict[str, Any]:
    """Edit one field of the records, at once and in one transaction; those the user does not see are refused.

    Raises ValidationError naming field or value, by the rules of the record's own form.
    """
    assert isinstance(user, User)
    data: dict[str, Any] = {"field": field}
    if value is None:
        data["clear"] = "on"
    else:
        data["value"] = [str(one) for one in value] if isinstance(value, list) else _text(value)
    form = BulkEditForm(data, user=user, record=record)
    if not form.is_valid():
        named = {"clear": "value", "__all__": "value"}
        raise ValidationError(
            {
                named.get(name, name): [ErrorDetail(str(text), "invalid") for text in texts]
                for name, texts in form.errors.items()
            }
        )
    act = bulk.draft(user, bulk.action_named("edit", record), record, BitMap(ids))
    act = bulk.start(act, form.params(), form.words(), at_once=MOST)
    refused = act.rows.filter(outcome=BulkRow.Outcome.REFUSED).order_by("record_id")
    return {
        "batch": act.public_id,
        "changed": act.changed,
        "unchanged": act.unchanged,
        "refused": [{"id": row.record_id, "reason": row.reason} for row in refused],
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
