"""The built-in texts: Python's own documentation and code, and tiny-shakespeare."""

import os
import sysconfig
from pathlib import Path
from urllib.parse import urlsplit

from char_rnn.data.cache import cache_folder
from char_rnn.errors import DownloadFailed, TextNotFound

BUILTIN = ("python-code", "python-docs", "shakespeare")
"""The names of the built-in texts."""

ADDRESS = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
"""Where `shakespeare` is downloaded from."""

SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
"""The SHA-256 of `shakespeare`."""

TIMEOUT = 20.0
"""Seconds without an answer after which a download is given up."""

_NOT_CODE = {"site-packages", "dist-packages", "test", "tests", "idle_test"}


def python_docs() -> str:
    """Return Python's documentation of its topics, as `help()` shows it.

    The topics are in the order of their sorted names, with an empty line between two of them.
    """
    try:
        from pydoc_data.topics import topics  # large, and not always installed
    except ImportError:
        raise TextNotFound(
            "python-docs: this Python lacks the module pydoc_data.topics; "
            "use python-code, shakespeare or a file of your own"
        ) from None
    return "\n\n".join(topics[name] for name in sorted(topics))


def python_code() -> list[Path]:
    """Return the paths of the standard library's modules, sorted by their relative paths.

    Installed packages, tests and files that are not UTF-8 text are left out.
    """
    root = Path(sysconfig.get_path("stdlib"))
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _NOT_CODE]
        found += [Path(folder, name) for name in files if name.endswith(".py")]
    paths = [path for path in found if path.is_file() and _is_utf8(path)]
    if not paths:
        raise TextNotFound(
            "python-code: this Python's standard library has no readable *.py files; "
            "use python-docs, shakespeare or a file of your own"
        )
    return sorted(paths, key=lambda path: path.relative_to(root).as_posix())


def shakespeare_file(address: str = ADDRESS, sha256: str = SHA256) -> Path:
    """Return the path of tiny-shakespeare, downloading it to the cache folder if it is not there.

    Its checksum is verified every time. A download that fails raises DownloadFailed and leaves
    no half-written file.
    """
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        return Path(
            pooch.retrieve(
                address,
                known_hash=f"sha256:{sha256}",
                fname="shakespeare.txt",
                path=cache_folder(),
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=False),
            )
        )
    except Exception as error:
        raise DownloadFailed(
            f"shakespeare: could not be downloaded: {_reason(error, address)}; "
            "use python-docs, python-code or a file of your own instead"
        ) from error
    finally:
        logger.setLevel(level)


def _is_utf8(path: Path) -> bool:
    """Tell whether the whole of a file is text in UTF-8."""
    try:
        data = path.read_bytes()
        data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return b"\0" not in data


def _reason(error: Exception, address: str) -> str:  # noqa: PLR0911 - a table of reasons
    """Say in one line why a download failed."""
    import requests  # type: ignore[import-untyped,unused-ignore]

    host = urlsplit(address).netloc
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{host} answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"{host} gave no answer within {TIMEOUT:g} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{host} closed the connection half way"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {host}"
    if isinstance(error, ValueError) and "hash" in str(error):
        return f"what {host} sent is damaged or cut off (its SHA-256 is not the expected one)"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} in the cache folder {cache_folder()}"
    return " ".join(str(error).split()) or type(error).__name__
