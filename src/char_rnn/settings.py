"""What a setting is: a field of a frozen dataclass that says all there is to say about it.

A field carries its help, what it may be, where it stands in the help, and what it needs to have an
effect (`Setting`, in the field's metadata). From there come the validation, the options of the
command line, the groups of `--help` and docs/settings.md: nothing of it stands anywhere else.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from char_rnn.checks import Check
from char_rnn.errors import UsageError, unknown_name

KEY = "setting"  # of the metadata of a field

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True)
class Need:
    """What another setting must be so that this one has an effect.

    setting: the other one. holds: whether it does, by its value. otherwise: why it has none, with
    the names of settings in braces, for they are spelled otherwise at the command line.
    off: a value of this one that asks for nothing, and is never refused.
    """

    setting: str
    holds: Callable[[Any], bool]
    otherwise: str
    off: object = None


@dataclass(frozen=True)
class Setting:
    """What there is to say of a setting beside its name, its type and its default.

    help: one sentence. check: what it may be. group: the section of `--help` and of the docs.
    planned: `minutes` chooses it where the user does not. free: it may change when a run goes on.
    needs: what gives it an effect.
    opposite: the flag that switches it off, where it has a name of its own. short: its option of
    one letter. option: whether it is an option at all.
    """

    help: str
    check: Check
    group: str = ""
    planned: bool = False
    free: bool = False
    needs: tuple[Need, ...] = ()
    opposite: str = ""
    short: str = ""
    option: bool = True


class Configuration:
    """A frozen dataclass of settings: the way to a plain dictionary, and back."""

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary that JSON can hold."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Self:
        """Build a configuration from `settings`; an unknown name raises UsageError."""
        known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        for name in settings:
            if name not in known:
                raise unknown_name("setting", name, known)
        try:
            return cls(**settings)
        except TypeError as error:
            raise UsageError(f"incomplete or wrong settings: {error}") from error


def setting(default: Any, help: str, check: Check, group: str, **more: Any) -> Any:
    """Return a field of a dataclass with its default; the rest as in `Setting`."""
    return dataclasses.field(default=default, metadata=described(help, check, group, **more))


def described(help: str, check: Check, group: str, **more: Any) -> dict[str, Setting]:
    """Return the metadata of a field; the arguments as in `Setting`."""
    return {KEY: Setting(help, check, group, **more)}


def documented(cls: Class) -> Class:
    """Add a line for each setting of a dataclass to its docstring."""
    lines = (f"    {name}: {found.help}" for name, found in settings_of(cls).items())
    cls.__doc__ = "\n".join([f"{cls.__doc__}\n", *lines, ""])
    return cls


def settings_of(config: Any) -> dict[str, Setting]:
    """Return what there is to say of each setting of a configuration or its class, by name."""
    return {field.name: field.metadata[KEY] for field in dataclasses.fields(config)}


def validate(config: Any) -> None:
    """Check each setting of a frozen configuration, and keep it as its check returns it.

    None is kept where it is the default: it stands for what is chosen later.
    Raises UsageError for the first that is wrong.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is not None or field.default is not None:
            object.__setattr__(config, field.name, field.metadata[KEY].check(field.name, value))


def without_effect(
    known: Mapping[str, Setting],
    given: Mapping[str, Any],
    values: Mapping[str, Any],
    spelled: str = "{}",
) -> Iterator[str]:
    """Yield a sentence for each of the `given` settings that does nothing with these `values`.

    What depends on a setting that is not known yet, and so not in `values`, is passed over.
    spelled: how a setting is written, such as `--{}`.
    """
    names = {name: spelled.format(name) for name in known}
    for name in (name for name in known if name in given):
        for need in known[name].needs:
            missing = need.setting in values and not need.holds(values[need.setting])
            if missing and given[name] != need.off:
                yield f"{names[name]} has no effect {need.otherwise.format_map(names)}"
