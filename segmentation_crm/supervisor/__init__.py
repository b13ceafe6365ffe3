"""The embedded installation: one command that runs web server, worker, scheduler and broker as its children."""
