"""Whether a text is Python, or can still become it: a statement of whole lines, parsed, never run.

Parsing goes from left to right, so a text can still become Python as long as the parser complains
about nothing but its end.
"""

import ast
import codeop
import io
import re
import tokenize
import warnings
from enum import Enum
from typing import NamedTuple

DEEPEST_STEP = 8
"""A block is indented by at most so many blanks more than the one around it."""

_PARSE_ONLY = ast.PyCF_ONLY_AST | codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]
# What the parser says at the end of a text. The class of it, from 3.13 on, has no public name; and
# 3.12 says the second of f-strings.
_AT_ITS_END = ("incomplete input", "unterminated triple-quoted f-string")
_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_GOES_ON = re.compile(r"(elif|else|except|finally)\b")
# What may be the first part of a longer word, number or operator: all but blanks, quotes, brackets.
_PART_OF_A_TOKEN = re.compile(r"[^\s'\"#()\[\]{},;]+\Z")


class Standing(Enum):
    """What a text of whole lines is: Python, the beginning of some, or neither."""

    COMPLETE = "parses"
    OPEN = "can go on"
    HOPELESS = "cannot become Python"


def standing(text: str) -> Standing:
    """Tell whether `text`, which ends at a line end, parses or can go on to something that does."""
    return _parsed(text)[0]


def could_go_on(text: str) -> bool:
    """Tell whether `text`, which ends within a line, looks like the beginning of Python."""
    # A backslash at the end of the last line: now the parser cannot complain about the line end.
    found, complaint = _parsed(_PART_OF_A_TOKEN.sub("", text) + "\\\n")
    return found is not Standing.HOPELESS or complaint.startswith("unterminated")


def _parsed(text: str) -> tuple[Standing, str]:
    """Return the standing of `text` and what the parser says against it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as "\d": it parses
        try:
            compile(text, "<generated>", "exec", _PARSE_ONLY, dont_inherit=True)
        except SyntaxError as error:
            if error.msg.startswith(_AT_ITS_END):
                return Standing.OPEN, error.msg
            return Standing.HOPELESS, error.msg
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            return Standing.HOPELESS, str(error)  # NUL, surrogates, too deep, too large
    return Standing.COMPLETE, ""


def begins_statement(line: str) -> bool:
    """Tell whether `line` would begin a statement of the module after a complete one.

    It stands in the first column, where a form feed begins the columns anew, and is not empty, a
    comment, or a further branch of what stands before it.
    """
    code = line.lstrip(" \t\f")
    blanks = line[: len(line) - len(code)]
    if not code.strip() or code.startswith("#") or blanks.rpartition("\f")[2]:
        return False
    return _GOES_ON.match(code) is None


class Statement(NamedTuple):
    """The statement of the module that is being written, as far as it has come: whole lines.

    complete: whether it parses. indents: the indentations of the blocks that are open in it.
    opens: whether a deeper block has to follow. whole: up to which character its logical lines are
    whole; what is beyond lies in a string, in brackets or after a backslash.
    """

    text: str = ""
    complete: bool = True
    indents: tuple[str, ...] = ("",)
    opens: bool = False
    whole: int = 0

    def add(self, line: str) -> tuple[str, "Statement | None"]:
        """Return what `line` finishes, and the statement it goes on with; None if hopeless."""
        finished, before = "", self
        if self.complete and self.text and begins_statement(line):
            finished, before = self.text, Statement()
        text = before.text + line
        found = standing(text)
        if found is Standing.HOPELESS:
            return "", None
        complete = found is Standing.COMPLETE
        blanks, tokens = _tokens(text[before.whole :])
        if tokens is None:
            return finished, before._replace(text=text, complete=complete)
        indents, opens = before.indents, before.opens
        if tokens:
            if blanks not in indents:
                indents = (*indents, blanks)
            indents, opens = indents[: indents.index(blanks) + 1], tokens[-1] == ":"
        return finished, Statement(text, complete, indents, opens, len(text))

    @property
    def open_lines(self) -> int:
        """How many lines a string, bracket or backslash has been open at its end."""
        return self.text.count("\n", self.whole)

    def may_indent(self, blanks: str, more: str) -> bool:
        """Tell whether a line that begins with `blanks` can go on with the blank `more`."""
        longer, top = blanks + more, self.indents[-1]
        if self.opens:
            deeper = len(longer) <= len(top) + DEEPEST_STEP
            return top.startswith(longer) or (longer.startswith(top) and deeper)
        return any(indent.startswith(longer) for indent in self.indents)

    def may_stand(self, blanks: str) -> bool:
        """Tell whether a line that is indented by `blanks` can begin with something then."""
        if self.opens:
            top = self.indents[-1]
            return blanks.startswith(top) and blanks != top
        return blanks in self.indents


def _tokens(lines: str) -> tuple[str, list[str] | None]:
    """Return the indentation and the tokens of a logical line; None for them if it is not whole.

    Without comments: empty lines and comments have no tokens.
    """
    code = lines.lstrip(" \t\f")
    blanks = lines[: len(lines) - len(code)].rpartition("\f")[2]
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type not in _NOT_CODE:
                found.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        return blanks, None
    return blanks, found
