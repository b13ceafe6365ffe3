"""What every part of the REST API shares: log-in by token, permission, parsing, paging, throttling, errors."""
