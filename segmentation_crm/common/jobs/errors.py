"""What may end a job before its handler returns."""


class UnknownKind(LookupError):
    """No handler is registered for the kind: a typing error, or work written by a newer version."""


class JobStopped(Exception):
    """The handler must stop now; the runner knows what to write. Never catch it inside a handler."""


class JobCancelled(JobStopped):
    """Somebody pressed cancel."""


class JobHandedBack(JobStopped):
    """The worker is shutting down, or has had its minute: the job goes on later from its checkpoint."""


class LeaseLost(JobStopped):
    """Another worker has taken the job over; nothing of this run may be committed any more."""


class JobFailed(Exception):
    """The job cannot succeed; the message is shown to its owner as it stands, and there is no other attempt."""
