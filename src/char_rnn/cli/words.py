"""The words of a message, as the command that was called can say them."""

import re

import click

_OPTION = re.compile(r" \((--[a-z_-]+)[^()]*\)")


_ENCODING = re.compile(r" \((--encoding [\w-]+)\)")


def with_command(message: str, called: str) -> str:
    """Return `message` with the whole command, instead of the option, that reads the text right.

    called: the command line that was typed.
    """
    found = _ENCODING.search(message)
    if found is None:
        return message
    return f"{message.replace(found[0], '')}: {called} {found[1]}"


def fitting(message: str, command: click.Command | None = None) -> str:
    """Return `message` without the options in brackets that `command` does not have.

    command: that which is running, if None. The rooms below the command line do not know which one
    they work for: where an option would help they name it in brackets, (--bytes).
    """
    if command is None:
        context = click.get_current_context(silent=True)
        command = None if context is None else context.command
    parameters = [] if command is None else command.params
    known = {name for p in parameters for name in (*p.opts, *p.secondary_opts)}
    return _OPTION.sub(lambda found: found[0] if found[1] in known else "", message)
