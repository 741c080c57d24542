"""Where a sweep is kept: an Optuna study in a journal file of a folder, or in a database.

Whatever stands there is data of unknown make: it is read with bounds (`jobs`), and only a sweep
that was asked for in the same way is gone on with.
"""

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from char_rnn.errors import MissingExtra, SweepError, UsageError
from char_rnn.storage.reading import shown
from char_rnn.sweeps.spec import Spec

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.storages import BaseStorage

JOURNAL = "journal.log"
MOST_JOURNAL = 2**28
FINGERPRINT = "char_rnn_sweep"
"""The attribute of the study that says what is compared."""
STARTED, WARM = 4, 3
"""Of pruning: rows that are trained to their end first, and tenths of a training that are."""


def check_extra() -> None:
    """Raise MissingExtra where Optuna is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("sweeps need optuna: pip install 'char-rnn[sweep]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_study(place: str, name: str, spec: Spec | None) -> "Study":
    """Return the study of a sweep: made, if it is not there and `spec` is given.

    place: a folder, or the URL of a database. name: of the study in a database.
    spec: what is compared; raises SweepError where the study compares something else. None for
        looking only.
    """
    check_extra()
    import optuna

    with _said(place):
        storage = _storage(place, make=spec is not None)
        seed = None if spec is None else 0
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        if spec is None:
            study = optuna.load_study(study_name=name, storage=storage, sampler=sampler)
            _fingerprint(study, place)
            return study
        study = optuna.create_study(
            study_name=name, storage=storage, sampler=sampler, pruner=_pruner(spec.prune),
            load_if_exists=True,
        )  # fmt: skip
        if FINGERPRINT not in study.user_attrs:
            if study.get_trials(deepcopy=False):
                raise SweepError(f"{hidden(place)} holds the study {name!r}, which is no sweep")
            study.set_user_attr(FINGERPRINT, json.dumps(spec.fingerprint()))
        _check_same(_fingerprint(study, place), spec.fingerprint(), place)
        return study


def _pruner(prune: bool) -> "BasePruner":
    import optuna

    if not prune:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=STARTED, n_warmup_steps=WARM)


def _storage(place: str, make: bool) -> "BaseStorage":
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    if is_url(place):
        engine = {"connect_args": {"timeout": 60}} if place.startswith("sqlite") else None
        return optuna.storages._CachedStorage(RDBStorage(place, engine_kwargs=engine))
    folder = Path(place)
    file = folder / JOURNAL
    if make:
        if folder.exists() and not file.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SweepError(f"{shown(folder)} is there and no sweep; take another folder (--out)")
        folder.mkdir(parents=True, exist_ok=True)
    elif not file.is_file():
        raise SweepError(f"{shown(folder)} is no sweep; give its folder, or its --storage")
    if file.is_symlink() or (file.exists() and file.stat().st_size > MOST_JOURNAL):
        raise SweepError(f"{shown(file)} is a link or too large; a sweep's is neither")
    return JournalStorage(JournalFileBackend(str(file), JournalFileOpenLock(str(file))))


def _fingerprint(study: "Study", place: str) -> dict[str, Any]:
    try:
        found = json.loads(study.user_attrs[FINGERPRINT])
        if not isinstance(found, dict):
            raise TypeError
    except (KeyError, TypeError, ValueError, RecursionError):
        raise SweepError(f"{hidden(place)} holds a study that is no sweep of char-rnn") from None
    return found


def _check_same(there: dict[str, Any], asked: dict[str, Any], place: str) -> None:
    asked = json.loads(json.dumps(asked))
    for name, value in asked.items():
        if there.get(name) != value:
            raise SweepError(
                f"{hidden(place)} holds another sweep: its {name} is "
                f"{_short(there.get(name))}, and now it is {_short(value)}; ask for the same, or "
                "take another place (--out, --name)"
            )


def _short(value: Any) -> str:
    said = json.dumps(value)
    return said if len(said) <= 80 else f"{said[:77]}..."


def is_url(place: str) -> bool:
    """Tell whether a place is the URL of a database."""
    return bool(re.match(r"[a-z0-9+]+://", place))


def hidden(text: str) -> str:
    """Return a text without the passwords of the URLs in it."""
    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", text)


@contextmanager
def _said(place: str) -> Iterator[None]:
    """Say in one line what is wrong with a storage, whichever library found it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (SweepError, UsageError):
        raise
    except KeyError:
        raise SweepError(f"{hidden(place)} has no such sweep; see its name (--name)") from None
    except (ImportError, ModuleNotFoundError) as error:
        raise SweepError(
            f"the database of {hidden(place)} needs a driver: {_line(error)}; install it"
        ) from None
    except Exception as error:  # of SQLAlchemy, of a driver, of a journal that is damaged
        raise SweepError(
            f"{hidden(place)}: the sweep cannot be opened ({type(error).__name__}: "
            f"{hidden(_line(error))}); see to the storage, or take another (--out, --storage)"
        ) from None


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
