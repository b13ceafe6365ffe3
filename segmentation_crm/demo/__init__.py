"""The demo story: eighteen months of an invented company that sells planning software, played from one seed."""

from .catalogue import SOURCE, NoPipeline
from .load import Loaded, is_loaded, load
from .people import log_in_lines
from .removal import Removed, remove, what_would_go

__all__ = ["SOURCE", "Loaded", "NoPipeline", "Removed", "is_loaded", "load", "log_in_lines", "remove", "what_would_go"]
