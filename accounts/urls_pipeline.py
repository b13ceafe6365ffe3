"""Routes of the pipeline: board, forecast, what is edited on a deal's page, a contact's new job."""

from django.urls import path

from .views import board, deal_lines, deal_people, forecast, job_change, opportunities

urlpatterns = [
    path("opportunities/board/", board.board, name="board"),
    path("opportunities/board/column/", board.board_column, name="board_column"),
    path("opportunities/forecast/", forecast.forecast_page, name="forecast"),
    path("opportunities/<int:pk>/move/", board.opportunity_move, name="opportunity_move"),
    path("opportunities/<int:pk>/next-step/", opportunities.next_step, name="opportunity_next_step"),
    path("opportunities/<int:pk>/said/", opportunities.said, name="opportunity_said"),
    path("opportunities/<int:pk>/lines/", deal_lines.save_line, name="deal_line_new"),
    path("opportunities/<int:pk>/lines/amount/", deal_lines.set_amount, name="deal_amount_from_lines"),
    path("opportunities/<int:pk>/lines/<int:line>/", deal_lines.save_line, name="deal_line"),
    path("opportunities/<int:pk>/lines/<int:line>/remove/", deal_lines.remove_line, name="deal_line_remove"),
    path("opportunities/<int:pk>/people/", deal_people.save_person, name="deal_person_new"),
    path("opportunities/<int:pk>/people/<int:role>/", deal_people.save_person, name="deal_person"),
    path("opportunities/<int:pk>/people/<int:role>/remove/", deal_people.remove_person, name="deal_person_remove"),
    path("contacts/<int:pk>/job/", job_change.job_change, name="contact_job_edit"),
]
