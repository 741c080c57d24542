"""What the extra `serve` brings."""

from char_rnn.errors import MissingExtra


def check_extra() -> None:
    """Raise MissingExtra where what serving needs is not installed."""
    try:
        import jinja2
        import starlette
        import uvicorn
    except ImportError as error:
        raise MissingExtra(
            "serving needs starlette, uvicorn and jinja2: pip install 'char-rnn[serve]'"
        ) from error
    del jinja2, starlette, uvicorn
