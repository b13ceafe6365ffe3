"""Start-up checks of the accounts app."""

from accounts import checks


def test_r13_defusedxml_is_there():
    assert checks.check_xml_guard() == []


def test_r13_without_defusedxml_nothing_starts(monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    (message,) = checks.check_xml_guard()
    assert message.id == "accounts.E002"
    assert message.is_serious()
    assert "defusedxml" in message.msg


def test_the_check_runs_with_the_others(monkeypatch):
    from django.core.checks import run_checks

    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert "accounts.E002" in {message.id for message in run_checks(tags=["security"])}
