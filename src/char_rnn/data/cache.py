"""Where downloaded and encoded texts are kept."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for cached files; it may not exist yet.

    The environment variable CHAR_RNN_CACHE wins; without it, it is the platform's cache folder
    for char-rnn.
    """
    chosen = os.environ.get("CHAR_RNN_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # noqa: PLC0415 - kept out of the import time

    return platformdirs.user_cache_path("char-rnn", appauthor=False)
