"""A short survey recorded by hand, from the page of an account or contact."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.folding import fold

from ..choices import SourceKind
from ..forms.known import DayInput
from ..queries import contacts_visible_to, survey_answers_visible_to
from ..services.surveys import MOST_ANSWERS, Answered, record_survey
from .pages import demand_write
from .records import back_to, page_of, record_or_404

FIRST_ROWS = 3
_KNOWN_SURVEYS = 50
_KNOWN_QUESTIONS = 30
_LATEST_ANSWERS = 2000


class SurveyForm(forms.Form):
    """What is said of the whole survey; the rows of questions and answers are read beside it."""

    survey = forms.CharField(
        max_length=200,
        label="Survey",
        help_text="The same name each time makes the answers comparable.",
        widget=forms.TextInput(attrs={"list": "known-surveys", "autocomplete": "off"}),
    )
    answered_on = forms.DateField(widget=DayInput(), label="Answered on")
    source_kind = forms.ChoiceField(choices=SourceKind.choices, initial=SourceKind.SURVEY, label="By what means")
    contact: Any = forms.ModelChoiceField(queryset=None, required=False, label="Answered by", empty_label="Not known")
    nps = forms.IntegerField(
        min_value=0, max_value=10, required=False, label="Would recommend us, 0 to 10", help_text="Empty: not asked."
    )

    def __init__(self, *args: Any, people: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if people is None:
            del self.fields["contact"]
        else:
            self.fields["contact"].queryset = people.order_by("full_name_folded", "pk")  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "POST"])
def survey_new(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Record a survey; refused input stays as it was typed."""
    demand_write(request)
    record = record_or_404(request, kind, pk)
    people = contacts_visible_to(request.user).filter(account=record) if kind == "account" else None
    initial = {"answered_on": timezone.localdate(), "source_kind": SourceKind.SURVEY}
    form = SurveyForm(request.POST or None, people=people, initial=initial)
    rows = _typed(request)
    if request.method == "POST" and form.is_valid():
        try:
            _record(request, record, form.cleaned_data, rows)
        except ValidationError as error:
            names = {"answered_at": "answered_on", "answers": None}
            for name, words in error.message_dict.items():
                field = names.get(name, name)
                form.add_error(field if field in form.fields else None, words)
        else:
            messages.success(request, f"The survey “{form.cleaned_data['survey'].strip()}” is recorded.")
            return back_to(record, "tab=surveys")
    while len(rows) < FIRST_ROWS:
        rows.append(Answered("", ""))
    context = {
        "form": form,
        "rows": rows,
        "record": record,
        "record_kind": kind,
        "known_surveys": known_surveys(request.user),
        "back_url": page_of(record),
        "most": MOST_ANSWERS,
    }
    return render(request, "accounts/survey_form.html", context)


@login_required
@require_GET
def survey_questions(request: HttpRequest) -> HttpResponse:
    """Answer rows with the questions that a survey asked before."""
    demand_write(request)
    survey = request.GET.get("survey", "").replace("\x00", "")[:200]
    rows = [Answered(question, "") for question in known_questions(request.user, survey)]
    return render(request, "accounts/_survey_rows.html", {"rows": rows, "nothing_known": not rows})


def _typed(request: HttpRequest) -> list[Answered]:
    questions, answers = request.POST.getlist("question"), request.POST.getlist("answer")
    pairs = zip(questions[: MOST_ANSWERS + 1], answers, strict=False)
    return [Answered(question.replace("\x00", ""), answer.replace("\x00", "")) for question, answer in pairs]


def _record(request: HttpRequest, record: Any, data: dict[str, Any], rows: list[Answered]) -> None:
    is_account = record._meta.model_name == "account"
    day = data["answered_on"]
    now = timezone.localtime()
    moment = now if day == now.date() else timezone.make_aware(dt.datetime.combine(day, dt.time(12)))
    record_survey(
        data["survey"],
        rows,
        account=record if is_account else None,
        contact=data.get("contact") if is_account else record,
        answered_at=moment,
        source_kind=data["source_kind"],
        nps=data["nps"],
        by=request.user,
    )


def known_surveys(user: AnyUser) -> list[str]:
    """Return the names of the surveys answered lately at records the user sees (1 query)."""
    rows = survey_answers_visible_to(user).exclude(survey="").order_by("-pk").values_list("survey", flat=True)
    return list(dict.fromkeys(rows[:_LATEST_ANSWERS]))[:_KNOWN_SURVEYS]


def known_questions(user: AnyUser, survey: str) -> list[str]:
    """Return the questions that a survey asked lately, in the order they were put (1 query)."""
    if not fold(survey):
        return []
    rows = survey_answers_visible_to(user).filter(survey_folded=fold(survey)).exclude(question="")
    latest = list(rows.order_by("-pk").values_list("question", flat=True)[:_LATEST_ANSWERS])
    return list(dict.fromkeys(reversed(latest)))[:_KNOWN_QUESTIONS]
