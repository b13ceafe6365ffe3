"""Acts on many records of a list: chosen and frozen, previewed with their number, run, shown and undone.

An app contributes its acts to `extensions.list_actions` as `ListAction`s; a page, the API or a job calls `draft`, then
`start`, and an owner who thinks better of it `start_undo`. How they run: docs/bulk-and-exports.md.
"""

from .actions import ActionForm, Doing, ListAction, Outcome, UnknownAction, action_named, actions_for
from .drafts import NothingChosen, draft, keys_of
from .running import AT_ONCE, UNDO_DAYS, may_undo, start, start_undo

__all__ = [
    "AT_ONCE",
    "UNDO_DAYS",
    "ActionForm",
    "Doing",
    "ListAction",
    "NothingChosen",
    "Outcome",
    "UnknownAction",
    "action_named",
    "actions_for",
    "draft",
    "keys_of",
    "may_undo",
    "start",
    "start_undo",
]
