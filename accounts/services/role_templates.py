"""Role templates: which roles and groups a buying committee needs, and how much each weighs."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from ..models import RoleTemplate, RoleTemplateRole


@transaction.atomic
def save_template(template: RoleTemplate, lines: list[dict[str, Any]], is_default: bool) -> RoleTemplate:
    """Write a template with exactly these lines; a new default takes the mark from the other.

    Raises ValidationError for a template without lines or a name that is taken.
    """
    if not lines:
        raise ValidationError("Name at least one role or group.")
    if is_default:
        for other in RoleTemplate.objects.filter(is_default=True).exclude(pk=template.pk):
            other.is_default = False
            other.save()
    template.is_default = is_default
    template.full_clean()
    template.save()
    kept = []
    for values in lines:
        key = {"role": values["role"], "role_group": values["role_group"]}
        row = RoleTemplateRole.objects.filter(template=template, **key).first()
        row = row or RoleTemplateRole(template=template, **key)
        if row.pk is None or (row.minimum, row.weight) != (values["minimum"], values["weight"]):
            row.minimum, row.weight = values["minimum"], values["weight"]
            row.full_clean()
            row.save()
        kept.append(row.pk)
    for row in RoleTemplateRole.objects.filter(template=template).exclude(pk__in=kept):
        row.delete()
    return template


def delete_template(template: RoleTemplate) -> None:
    """Delete a template with its lines.

    Raises ValidationError for the default one.
    """
    if template.is_default:
        raise ValidationError("The default template stays: make another the default first.")
    template.delete()
