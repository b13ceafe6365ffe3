"""Forms that make and change records."""

from .records import AccountForm, ContactForm, OpportunityForm

__all__ = ["AccountForm", "ContactForm", "OpportunityForm"]
