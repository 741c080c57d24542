"""Where downloads and encoded texts are kept."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the cache folder: CHAR_RNN_CACHE if it is set, else the user's own."""
    if os.environ.get("CHAR_RNN_CACHE"):
        return Path(os.environ["CHAR_RNN_CACHE"])
    from platformdirs import user_cache_path  # noqa: PLC0415

    return user_cache_path("char-rnn")
