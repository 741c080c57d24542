"""Which options need which others: what would be ignored in silence is refused or told.

Of settings of a training, their fields say it (config.py); what follows is of options alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import click

from char_rnn.errors import UsageError
from char_rnn.sample_config import CHOICE, CONDITION_NAMES, SampleConfig
from char_rnn.settings import settings_of
from char_rnn.text_config import TextConfig


class Rule(NamedTuple):
    """Options that do something only where a setting is of a kind.

    on: the setting. holds: whether they do something, by its value. why: what to tell where they
    do not.
    """

    options: tuple[str, ...]
    on: str
    holds: Callable[[Any], bool]
    why: str


def given_options(ctx: click.Context) -> dict[str, Any]:
    """Return the options that stand on the command line, with their values.

    What is None, or no text at all, was not typed, though click before 8.3 says so of an argument
    that may be left out.
    """
    typed = click.core.ParameterSource.COMMANDLINE
    return {
        name: value
        for name, value in ctx.params.items()
        if value not in (None, ()) and ctx.get_parameter_source(name) is typed
    }


def check(rules: Sequence[Rule], given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Raise UsageError for the first of the `given` options that does nothing with `options`."""
    for rule in rules:
        if not rule.holds(options[rule.on]):
            for name in rule.options:
                if name in given:
                    raise UsageError(f"--{name} has no effect {rule.why}; leave it out")


CHOOSING = (
    "greedy",
    *(
        name
        for name, about in settings_of(SampleConfig).items()
        if about.group == CHOICE and about.option
    ),
)
OF_SEARCH = ("groups", "results", "diversity", "length_penalty")
OF_TEXT = (
    *("seed_file", "bytes_seed", "prompts", "skip_unknown", "text", "json", "new", "unique"),
    *("threads", "highlight", "interactive", "beam", *OF_SEARCH),
    *(name for name in settings_of(SampleConfig) if name not in (*CHOOSING, "order")),
)
"""Options of `char-rnn generate` that music knows nothing of."""
GENERATING = (
    Rule(OF_TEXT, "music", lambda on: not on, "on music, a file that ends in .mid (--out)"),
    Rule(("bars", "key", "scale"), "music", bool, "without music: --out FILE.mid"),
    Rule(("temperature",), "greedy", lambda on: not on, "with --greedy, which is --temperature 0"),
    Rule(CHOOSING, "beam", lambda n: n is None, "in a beam search (--beam), which draws nothing"),
    Rule(("threads", "highlight"), "beam", lambda n: n is None, "in a beam search (--beam)"),
    Rule(OF_SEARCH, "beam", lambda n: n is not None, "without a beam search (--beam)"),
    Rule(("diversity",), "groups", lambda n: n > 1, "without --groups"),
    Rule(
        ("out", "threads", "highlight", "json"),
        "interactive",
        lambda on: not on,
        "in a conversation (--interactive)",
    ),
    Rule(("highlight",), "count", lambda n: n == 1, "on many texts (--count)"),
    Rule(("highlight",), "prompts", lambda name: name is None, "on many texts (--prompts)"),
    Rule(("highlight",), "json", lambda on: not on, "on lines of JSON (--json)"),
    Rule(("highlight",), "out", lambda out: out is None, "in a file (--out)"),
    Rule(
        ("repetition_window",),
        "repetition_penalty",
        lambda r: r != 1,
        "without --repetition_penalty",
    ),
    Rule(
        ("effort",),
        "conditions",
        bool,
        f"without a condition ({', '.join(f'--{name}' for name in CONDITION_NAMES)})",
    ),
    Rule(("regex",), "regex", bool, "where it is empty"),
    Rule(("text",), "of the text", bool, "without --max_copy or --new, which look into it"),
    Rule(
        ("new", "unique"),
        "drawn",
        bool,
        "with --prompts, --beam or --interactive, which do not draw texts until there are enough",
    ),
    Rule(
        ("skip_unknown",), "reads", bool, "without --seed, --seed_file, --prompts or --interactive"
    ),
    Rule(
        ("threads",),
        "one by one",
        lambda on: not on,
        "on texts under conditions, which are written one by one",
    ),
)
"""Of `char-rnn generate`, by its options and by

music: whether it writes music. conditions: whether the text is written under any.
reads: whether it reads what the user writes.
one by one: whether several texts are written under conditions. of the text: whether it looks into
the training text. drawn: whether --count texts are drawn.
"""

TRAINING = (
    Rule(("transpose", "grid"), "music", bool, "on a text that is no MIDI"),
    Rule(
        tuple(settings_of(TextConfig)),
        "music",
        lambda on: not on,
        "on MIDI, which is written as text in one way only",
    ),
)
"""Of `char-rnn train`. music: whether it trains on MIDI."""

DRAWING = (
    Rule(
        ("count", "length", "temperature", "rng_seed"),
        "models",
        bool,
        "without a model to write the samples",
    ),
)
"""Of `char-rnn overlap`, by the models among its arguments."""

EVALUATING = (
    Rule(
        (
            *("streams", "windows", "dynamic", "dynamic_rms", "mix", "free_running", "plot"),
            *("no_baselines", "show", "html"),
        ),
        "each_line",
        lambda on: not on,
        "on lines that are scored one by one (--each_line)",
    ),
    Rule(("sort", "reverse"), "each_line", bool, "without --each_line"),
)
"""Of `char-rnn evaluate`, by its options."""
