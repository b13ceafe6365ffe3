"""The tags that write lists in Python: what they write is escaped, and the same as a template would."""

import pytest
from django.template import Context, engines
from django.urls import reverse

from segmentation_crm.common import lists
from segmentation_crm.common.paging import Page
from segmentation_crm.common.templatetags.tables import options

BAD = '<script>"&'


def render(text, **context):
    return engines["django"].engine.from_string("{% load tables %}" + text).render(Context(context))


def test_an_address_is_what_url_gives():
    for route in ("accounts:account_detail", "accounts:task_postpone"):
        assert render("{% address route key %}", route=route, key=12) == reverse(route, args=[12])


def test_rows_are_escaped_and_say_what_is_empty():
    columns = [
        lists.column("Name", lambda row: lists.link(row, "/x/?a=1&b=2")),
        lists.column("None", lambda row: lists.text("")),
        lists.column("Figure", lambda row: lists.figure(1234), numeric=True),
    ]
    table = lists.table(columns, Page([BAD]), "thing")
    text = render("{% table_rows table True %}", table=table)
    assert "<script>" not in text
    assert 'aria-label="Select &lt;script&gt;&quot;&amp;"' in text
    assert '<td data-label="None" class="text is-none">–</td>' in text
    assert '<td data-label="Figure" class="num"><span class="tabular">1,234</span></td>' in text
    assert "row-pick" not in render("{% table_rows table %}", table=table)


@pytest.mark.parametrize(("value", "several", "chosen"), [("", [], 0), ("b", [], 1), ("a", ["a", "b"], 2)])
def test_options_mark_what_is_chosen(value, several, chosen):
    text = options([("a", BAD), ("b", "B")], value, several)
    assert text.count(" selected") == chosen
    assert "&lt;script&gt;&quot;&amp;" in text


def test_a_stamped_template_is_drawn_once_and_holds_each_rows_own_values():
    text = render(
        "{% for title in titles %}{% stamped 'accounts/_day_done.html' key=forloop.counter title=title %}{% endfor %}",
        titles=["First", BAD],
    )
    assert text.count(reverse("accounts:task_complete", args=[1])) == 2
    assert text.count(reverse("accounts:task_complete", args=[2])) == 2
    assert 'aria-label="Done: First"' in text
    assert 'aria-label="Done: &lt;script&gt;&quot;&amp;"' in text
