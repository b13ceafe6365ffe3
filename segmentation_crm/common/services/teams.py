"""Teams: their members, and taking a team away."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from ..models import Team, User


@transaction.atomic
def set_members(team: Team, members: Iterable[User]) -> int:
    """Let exactly these people be the team's; returns how many moved (1 query, and 2 for each who moves)."""
    wanted = {person.pk: person for person in members}
    moved = 0
    for person in User.objects.filter(team=team).exclude(pk__in=wanted):
        person.team = None
        person.save(update_fields=["team"])
        moved += 1
    for person in wanted.values():
        if person.team_id != team.pk:
            person.team = team
            person.save(update_fields=["team"])
            moved += 1
    return moved


def delete_team(team: Team) -> None:
    """Delete a team without members or territories.

    Raises ValidationError saying what it still has.
    """
    members, territories = team.members.count(), team.territories.count()
    if members or territories:
        raise ValidationError(
            {"team": f"{team} still has {members} members and {territories} territories: give them elsewhere first."}
        )
    team.delete()
