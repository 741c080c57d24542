"""How `--help` looks: options in groups, one spelling a line, defaults, examples."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

OTHERS = "Other"
LEFT = 24  # columns; what is wider than this has its sentence below it
UNBROKEN = 30  # characters of a note that stays in one line
NO_BREAK = "\xa0"


class Option(click.Option):
    """An option that knows its group, and tells its default in one way.

    group: the section of the help. told: its default in words, where that is not its value.
    """

    def __init__(
        self, *args: Any, group: str = OTHERS, told: str | None = None, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.group = group
        self._told = told

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return how it is written, in one spelling, and what it does."""
        if self.hidden:
            return None
        short = "".join(f"{name}, " for name in self.opts if not name.startswith("--"))
        names = " / ".join(filter(None, (_long(self.opts), _long(self.secondary_opts))))
        value = "" if self.is_flag else f" {self.metavar or self.type.name.upper()}"
        notes = ["repeatable"] if self.multiple else []
        default = self._default()
        if default:
            notes.append(f"default: {default}")
        shown = (n.replace(" ", NO_BREAK) if len(n) < UNBROKEN else n for n in notes)
        said = "  ".join([self.help or "", *(f"[{note}]" for note in shown)])
        return f"{short}{names}{value}", said

    def _default(self) -> str:
        if self._told is not None:
            return self._told
        if self.is_flag or self.multiple:
            return ""
        return plain(self.default)


def plain(value: Any) -> str:
    """Return a value as it is typed; nothing for None, or for click's own word for it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, int | str) else ""


def _long(names: Iterable[str]) -> str:
    """Return the first of the long `names`, which is that with underscores; "" if none is."""
    return next((name for name in names if name.startswith("--")), "")


class Command(click.Command):
    """A command whose help has sections, and ends with examples.

    examples: a line of the shell each. sections: those that come first, in their order; the others
    follow as their options do, and `OTHERS` is the last.
    """

    def __init__(
        self,
        *args: Any,
        examples: tuple[str, ...] = (),
        sections: tuple[str, ...] = (),
        **more: Any,
    ) -> None:
        more.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **more)
        self.examples = examples
        self.sections = sections

    def get_help(self, ctx: click.Context) -> str:
        """Return the help; what must not be broken into lines has been kept together by now."""
        return super().get_help(ctx).replace(NO_BREAK, " ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each group under its title."""
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in self.sections}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(option, "group", OTHERS), []).append(record)
        groups[OTHERS] = groups.pop(OTHERS, [])
        shown = {title: rows for title, rows in groups.items() if rows}
        width = min(max(len(left) for rows in shown.values() for left, _ in rows), LEFT)
        for title, rows in shown.items():
            with formatter.section(title if len(shown) > 1 else "Options"):
                # As wide in each group, so that the sentences stand below each other.
                padded = [(left.ljust(width), right) for left, right in rows]
                formatter.write_dl(padded, col_max=width)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_lines(formatter, "Examples", self.examples)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Offer the options, with hyphens only where one was typed."""
        found = super().shell_complete(ctx, incomplete)
        if "-" in incomplete.removeprefix("--"):
            return found
        return [item for item in found if "-" not in item.value.removeprefix("--")]


def write_lines(formatter: click.HelpFormatter, title: str, lines: Iterable[str]) -> None:
    """Write a section of `lines` as they are."""
    if lines:
        with formatter.section(title):
            for line in lines:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
