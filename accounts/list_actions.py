"""What one can do to many accounts, contacts, opportunities and tasks at once."""

from segmentation_crm.common.bulk import ListAction

from .forms.bulk import AddTagsForm, BulkEditForm, OwnerForm, PostponeForm, RemoveTagsForm
from .services import bulk_editing, bulk_tasks

RECORDS = ("account", "contact", "opportunity")


def list_actions() -> list[ListAction]:
    """Return the acts in the order in which lists offer them."""
    return [
        ListAction(
            key="edit",
            label="Edit",
            icon="pencil",
            records=RECORDS,
            capability="records.write",
            apply=bulk_editing.edit,
            undo=bulk_editing.undo_edit,
            finish=bulk_editing.after_act,
            form_class=BulkEditForm,
            verb="Change",
            sentence="Each of them gets the value below, by the same rules as on its own page.",
        ),
        ListAction(
            key="add_tags",
            label="Add tags",
            icon="tag",
            records=("account", "contact"),
            capability="records.write",
            apply=bulk_editing.change_tags,
            undo=bulk_editing.undo_tags,
            finish=bulk_editing.after_act,
            form_class=AddTagsForm,
            verb="Tag",
            sentence="Each of them gets these tags and keeps those it has.",
        ),
        ListAction(
            key="remove_tags",
            label="Remove tags",
            icon="tag",
            records=("account", "contact"),
            capability="records.write",
            apply=bulk_editing.change_tags,
            undo=bulk_editing.undo_tags,
            finish=bulk_editing.after_act,
            form_class=RemoveTagsForm,
            verb="Change",
            sentence="These tags are taken away; other tags stay.",
        ),
        ListAction(
            key="assign",
            label="Assign",
            icon="user",
            records=RECORDS,
            capability="records.assign",
            apply=bulk_editing.assign,
            undo=bulk_editing.undo_assign,
            finish=bulk_editing.after_act,
            form_class=OwnerForm,
            verb="Assign",
            sentence="Each of them gets this owner. Who sees a record by owning it sees it from then on.",
        ),
        ListAction(
            key="complete",
            label="Complete",
            icon="check",
            records=("task",),
            capability="records.write",
            apply=bulk_tasks.complete,
            undo=bulk_tasks.undo_complete,
            verb="Complete",
            sentence="They are marked as done now.",
        ),
        ListAction(
            key="postpone",
            label="Postpone",
            icon="clock",
            records=("task",),
            capability="records.write",
            apply=bulk_tasks.postpone,
            undo=bulk_tasks.undo_postpone,
            form_class=PostponeForm,
            verb="Postpone",
            sentence="Those that are open move to this day; reminders move along.",
        ),
        ListAction(
            key="assign",
            label="Assign",
            icon="user",
            records=("task",),
            capability="records.assign",
            apply=bulk_tasks.assign,
            undo=bulk_tasks.undo_assign,
            form_class=OwnerForm,
            verb="Assign",
            sentence="Each of them gets this owner, who is told.",
        ),
        ListAction(
            key="delete",
            label="Delete",
            icon="trash",
            records=RECORDS,
            capability="records.delete",
            apply=bulk_editing.delete,
            undo=bulk_editing.undo_delete,
            finish=bulk_editing.after_act,
            verb="Delete",
            sentence=(
                "They leave every list, segment and figure. What hangs on them (activities, notes, purchases …) stays "
                "and comes back with them."
            ),
            is_danger=True,
        ),
    ]
