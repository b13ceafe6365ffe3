"""Names of related records on pages: shown only where the user may open them."""

from ..lists.seen import HIDDEN, Seen

__all__ = ["HIDDEN", "Seen"]
