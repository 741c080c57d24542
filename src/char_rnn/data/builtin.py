"""The built-in texts: two that every Python has with it, and one that is downloaded once."""

import hashlib
import sysconfig
from pathlib import Path

from char_rnn.data.cache import cache_folder
from char_rnn.errors import DownloadFailed, TextNotFound

BUILTIN = ("python-code", "python-docs", "shakespeare")

SHAKESPEARE = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
DOWNLOAD_SECONDS = 20


def python_docs() -> str:
    """Return the language reference that comes with CPython, about 460,000 characters."""
    try:
        from pydoc_data.topics import topics  # noqa: PLC0415
    except ImportError as error:
        raise TextNotFound(
            "this Python comes without its language reference (pydoc_data); "
            "train on python-code or on a file of your own"
        ) from error
    return "\n\n".join(topics[name] for name in sorted(topics))


def python_code() -> list[Path]:
    """Return the standard library's own source files, without its tests; 12 million characters."""
    root = Path(sysconfig.get_paths()["stdlib"])
    left_out = {"site-packages", "dist-packages", "test", "tests", "idle_test"}
    files = [
        path
        for path in sorted(root.rglob("*.py"))
        if not left_out & set(path.relative_to(root).parts)
    ]
    if not files:
        raise TextNotFound(
            f"{root} holds no source files; train on python-docs or on a file of your own"
        )
    return files


def shakespeare_file(address: str = SHAKESPEARE, sha256: str = SHAKESPEARE_SHA256) -> Path:
    """Return the file of tiny-shakespeare, downloading it the first time.

    Raises DownloadFailed, and leaves nothing behind, if the right file does not arrive.
    """
    path = cache_folder() / "shakespeare.txt"
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
        return path
    import pooch  # noqa: PLC0415

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("CRITICAL")
    try:
        path.unlink(missing_ok=True)
        fetched = pooch.retrieve(
            address,
            known_hash=f"sha256:{sha256}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=DOWNLOAD_SECONDS),
        )
    except Exception as error:
        reason = str(error).split("\n", maxsplit=1)[0][:160]
        raise DownloadFailed(
            f"cannot download shakespeare ({type(error).__name__}: {reason}); "
            "train on python-docs, python-code or a file of your own"
        ) from error
    finally:
        logger.setLevel(level)
    return Path(fetched)
