"""Which account an e-mail domain belongs to."""

from typing import Any

from django import forms

from segmentation_crm.common.access import AnyUser

from ..queries import accounts_visible_to
from ..services.normalisation import normalise_domain
from .controls import RecordField


class DomainForm(forms.Form):
    """A domain and the account it belongs to, one that the user sees."""

    domain = forms.CharField(max_length=253, widget=forms.HiddenInput)
    account = RecordField("account", "Account", required=True)

    def __init__(self, *args: Any, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = accounts_visible_to(user)

    def clean_domain(self) -> str:
        """Return the domain as it is kept."""
        return normalise_domain(self.cleaned_data["domain"])
