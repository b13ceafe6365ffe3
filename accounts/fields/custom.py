"""Custom fields as rule fields: `account.custom.<key>`."""

from segmentation_crm.common.fields import Choice, CustomValue, FieldDef

GROUP = "Custom fields"


def custom_fields() -> list[FieldDef]:
    """Return the active custom fields as they are now (1 query)."""
    from accounts.models import CustomField

    found = []
    for custom in CustomField.objects.filter(is_active=True).order_by("record", "pk"):
        found.append(
            FieldDef(
                key=f"{custom.record}.custom.{custom.key}",
                label=custom.label,
                type=custom.type,
                source=CustomValue(custom.pk),
                group=GROUP,
                family="opportunity" if custom.record == "opportunity" else "firmographic",
                item="enum" if custom.type == "multi" else "",
                choices=_choices(custom.choices),
            )
        )
    return found


def _choices(raw: object) -> tuple[Choice, ...]:
    """Return the choices of a definition: tokens, or {"value", "label"} objects."""
    found = []
    for entry in raw if isinstance(raw, list) else []:
        if isinstance(entry, dict):
            value = str(entry.get("value", ""))
            found.append(Choice(value, str(entry.get("label") or value)))
        else:
            found.append(Choice(str(entry), str(entry)))
    return tuple(found)


__all__ = ["GROUP", "custom_fields"]
