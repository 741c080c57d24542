"""Where downloaded and encoded texts are kept."""

import os
from pathlib import Path

from char_rnn.errors import UsageError


def cache_folder() -> Path:
    """Return the folder for cached files; it may not exist yet.

    The environment variable CHAR_RNN_CACHE wins; without it, it is the platform's cache folder
    for char-rnn. Raises UsageError for the home folder of a user that there is not.
    """
    chosen = os.environ.get("CHAR_RNN_CACHE")
    if chosen:
        try:
            return Path(chosen).expanduser()
        except RuntimeError:
            raise UsageError(
                f"CHAR_RNN_CACHE is {chosen!r}, and there is no such user; name a folder, or leave "
                "it out"
            ) from None
    import platformdirs

    return platformdirs.user_cache_path("char-rnn", appauthor=False)
