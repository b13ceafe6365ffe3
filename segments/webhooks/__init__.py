"""Telling other systems who entered and left segments: Standard Webhooks, retried, logged. docs/webhooks.md."""
