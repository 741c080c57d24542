"""What the extra `music` brings."""

from types import ModuleType

from char_rnn.errors import MissingExtra


def import_mido() -> ModuleType:
    """Return mido; raise MissingExtra where it is not installed."""
    try:
        import mido
    except ImportError as error:
        raise MissingExtra("MIDI needs mido: pip install 'char-rnn[music]'") from error
    module: ModuleType = mido
    return module
