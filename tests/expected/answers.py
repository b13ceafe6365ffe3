"""What the tests of real data sets share: the cases, the API as an integration calls it, the members of a rule."""

import json

from django.test import Client
from django.utils import timezone

from segmentation_crm.common.models import User
from segmentation_crm.common.services.tokens import create_token
from segments.rules.evaluate import member_queryset
from segments.rules.validate import validate
from tests.support.shared_data import shared_data


def cases(folder: str, kind: str = "segment") -> list[dict]:
    """Return the cases of one kind, or none where the data is absent (the skip is said by the fixture)."""
    path = shared_data(folder) / "expected.json"
    if not path.exists():
        return []
    return [c for c in json.loads(path.read_text(encoding="utf-8"))["cases"] if c["kind"] == kind]


def figure(folder: str, case_id: str):
    """Return the expected figure of a case."""
    return next(c["expected"] for c in cases(folder, "figure") if c["id"] == case_id)


class Api:
    """The REST API as an integration calls it: a token, JSON in and out."""

    def __init__(self) -> None:
        user = User.objects.create(username="expected", role="admin")
        _, self.token = create_token(user, name="expected")
        self.client = Client()

    def preview(self, member_type: str, rules: dict) -> dict:
        """Post a preview and return the answer; anything but 200 fails with the body."""
        response = self.client.post(
            "/api/v1/segments/preview/",
            data=json.dumps({"member_type": member_type, "rules": rules}),
            content_type="application/json",
            headers={"authorization": f"Token {self.token}"},
        )
        assert response.status_code == 200, response.content
        return response.json()


def member_keys(rules: dict, member_type: str) -> set[int]:
    """Return the ids that the stored query selects (the API's sample holds ten)."""
    return set(member_queryset(validate(rules, member_type), timezone.now()).values_list("pk", flat=True))
