"""Fixtures of the rule tests."""

from tests.worlds.fixture import judged

__all__ = ["judged"]
