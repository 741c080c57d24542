"""Write the pages of docs/ that are made from the code: `python -m tools`.

docs/settings.md from the fields of the configurations, docs/commands.md from the help of every
command. tests/cli/test_help.py fails where one is not current.
"""

from pathlib import Path

import click

from char_rnn.cli import classic
from char_rnn.cli.main import COMMANDS, cli
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.runs.rules import KNOWN
from char_rnn.sample_config import SampleConfig
from char_rnn.settings import Setting, settings_of
from char_rnn.text_config import TextConfig

DOCS = Path(__file__).resolve().parents[1] / "docs"
WIDTH = 78  # columns of a help, as in a terminal of 80
RENEW = "made by `python -m tools`"
CONFIGS = (
    (TextConfig, "of how a text is read; options of `char-rnn train`"),
    (ModelConfig, "of a network; options of `char-rnn train`"),
    (TrainConfig, "of a training run; options of `char-rnn train`"),
    (SampleConfig, "of a text that is written; options of `char-rnn generate`"),
)
SCRIPTS = {"train_rnn.py": classic.train_rnn, "generate.py": classic.generate}


def settings_page() -> str:
    """Return docs/settings.md."""
    parts = [
        f"# Settings\n\nEvery setting, with its default and what it may be, {RENEW}\nfrom the "
        "fields of four frozen dataclasses. Each is an option of the same name, `--hidden_size` "
        "or\n"
        "`--hidden-size`, but for those marked †, which are for Python alone. Where it says "
        "*planned*,\n`--minutes` chooses the setting unless you do ([training.md](training.md)). "
        "What strategies and\nconditions do is in [generation.md](generation.md)."
    ]
    for config, what in CONFIGS:
        parts.append(f"## {config.__name__}\n\nThe settings {what}.")
        made = config(vocab_size=1) if config is ModelConfig else config()
        rows: dict[str, list[str]] = {}
        for name, about in settings_of(config).items():
            default = "" if name == "vocab_size" else _value(getattr(made, name))
            rows.setdefault(about.group, []).append(_row(name, about, default))
        for group, lines in rows.items():
            head = "| setting | default | may be | what it does |\n| --- | --- | --- | --- |"
            parts.append("\n".join([f"### {group}\n", head, *lines]))
    return "\n\n".join(parts) + "\n"


def _row(name: str, about: Setting, default: str) -> str:
    names = {name: f"`{name}`" for name in KNOWN}
    short = f", `-{about.short}`" if about.short else ""
    needs = (f" No effect {need.otherwise.format_map(names)}." for need in about.needs)
    return (
        f"| `{name}`{short}{'' if about.option else ' †'} "
        f"| {default}{', *planned*' if about.planned else ''} | {about.check.bounds} "
        f"| {about.help}{''.join(needs)} |"
    )


def _value(value: object) -> str:
    if value is None or value in ((), ""):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{value}`"


def commands_page() -> str:
    """Return docs/commands.md."""
    parts = [
        f"# Commands\n\nThe help of every command, {RENEW}. Each explains itself\nwith `-h`; "
        "`python -m char_rnn` does the same as `char-rnn`. A name with underscores may be written\n"
        "with hyphens: `--top_k` is `--top-k`. How a shell completes names: "
        "[terminal.md](terminal.md#completion)."
    ]
    top = _context(cli, "char-rnn")
    parts.append(_section(top))
    for name in COMMANDS:
        command = cli.get_command(top, name)
        assert command is not None
        parts.append(_section(_context(command, name, top)))
    parts += [_section(_context(script, f"python {name}")) for name, script in SCRIPTS.items()]
    return "\n\n".join(parts) + "\n"


def _context(command: click.Command, name: str, top: click.Context | None = None) -> click.Context:
    return command.make_context(name, [], top, resilient_parsing=True, terminal_width=WIDTH)


def _section(context: click.Context) -> str:
    return f"## {context.command_path}\n\n```text\n{context.get_help().rstrip()}\n```"


PAGES = {"settings.md": settings_page, "commands.md": commands_page}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")
        print(f"Written: docs/{name}")
