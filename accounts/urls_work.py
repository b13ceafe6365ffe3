"""Routes of everyday work: my day, the log dialog, tasks, evidence."""

from django.urls import path

from .views import evidence, my_day, quick_log, tasks

urlpatterns = [
    path("my-day/", my_day.my_day, name="my_day"),
    path("log/", quick_log.quick_log, name="quick_log"),
    path("log/records/", quick_log.quick_log_records, name="quick_log_records"),
    path("log/terms/<slug:kind>/", quick_log.quick_log_terms, name="quick_log_terms"),
    path("log/<uuid:token>/undo/", quick_log.quick_log_undo, name="quick_log_undo"),
    path("tasks/new/", tasks.task_edit, name="task_new"),
    path("tasks/<int:pk>/", tasks.task_edit, name="task_edit"),
    path("tasks/<int:pk>/complete/", tasks.task_act, {"act": "complete"}, name="task_complete"),
    path("tasks/<int:pk>/reopen/", tasks.task_act, {"act": "reopen"}, name="task_reopen"),
    path("tasks/<int:pk>/postpone/", tasks.task_act, {"act": "postpone"}, name="task_postpone"),
    path("tasks/<int:pk>/delete/", tasks.task_act, {"act": "delete"}, name="task_delete"),
    path("evidence/", evidence.evidence_list, name="evidence"),
    path("evidence/<slug:kind>/<int:term>/", evidence.evidence_rows, name="evidence_rows"),
]
