"""Real processes for tests: broker, worker, web server, browser."""
