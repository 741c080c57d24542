"""Which options need which others: what would be ignored in silence is refused or told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import click

from char_rnn.errors import UsageError


class Rule(NamedTuple):
    """Options that do something only where a setting is of a kind.

    on: the setting. holds: whether they do something, by its value. why: what to tell where they
    do not. off: a value of theirs that asks for nothing, and is never refused.
    """

    options: tuple[str, ...]
    on: str
    holds: Callable[[Any], bool]
    why: str
    off: object = None


def given_options(ctx: click.Context) -> dict[str, Any]:
    """Return the options that stand on the command line, with their values."""
    typed = click.core.ParameterSource.COMMANDLINE
    return {
        name: value for name, value in ctx.params.items() if ctx.get_parameter_source(name) is typed
    }


def unheard(
    rules: Sequence[Rule], given: Mapping[str, Any], settings: Mapping[str, Any]
) -> Iterator[str]:  # fmt: skip
    """Yield a sentence for each of the `given` options that does nothing with `settings`.

    What depends on a setting that is not known yet, and so not in `settings`, is passed over.
    """
    for rule in rules:
        if rule.on in settings and not rule.holds(settings[rule.on]):
            for name in rule.options:
                if name in given and given[name] != rule.off:
                    yield f"--{name} has no effect {rule.why}"


def check(
    rules: Sequence[Rule], given: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:  # fmt: skip
    """Raise UsageError for the first of the `given` options that does nothing with `settings`."""
    for sentence in unheard(rules, given, settings):
        raise UsageError(f"{sentence}; leave it out")


TRAINING = (
    Rule(("momentum",), "optimizer", "sgd".__eq__, "without --optimizer sgd", 0.0),
    Rule(("weight_decay",), "optimizer", "adamw".__eq__, "without --optimizer adamw", 0.0),
    Rule(("layer_dropout",), "layers", lambda n: n > 1, "with one layer (--layers)", 0.0),
    Rule(
        ("warmup",), "schedule", ("cosine", "linear").__contains__,
        "without --schedule cosine or linear", 0,
    ),
    Rule(("final_rate",), "schedule", "constant".__ne__, "with --schedule constant", 1.0),
    Rule(("clip_by",), "clip", bool, "without a limit (--clip 0)"),
    Rule(("sampling_schedule",), "scheduled_sampling", bool, "without --scheduled_sampling"),
    Rule(
        ("sample_length", "temperature"), "sample_every", bool, "without samples (--sample_every 0)"
    ),
    Rule(("patience",), "eval_every", bool, "without evaluations on the way (--eval_every 0)", 0),
    Rule(
        ("patience", "eval_every"), "val_fraction", bool,
        "without a validation part (--val_fraction 0)", 0,
    ),
)  # fmt: skip
"""Of `char-rnn train`, by the settings of a model and of its training."""

STRATEGIES = (
    "greedy", "temperature", "top_k", "top_p", "min_p", "typical", "repetition_penalty",
    "repetition_window", "bias", "forbid",
)  # fmt: skip
OF_SEARCH = ("groups", "results", "diversity", "length_penalty")
GENERATING = (
    Rule(("temperature",), "greedy", lambda on: not on, "with --greedy, which is --temperature 0"),
    Rule(STRATEGIES, "beam", lambda n: n is None, "in a beam search (--beam), which draws nothing"),
    Rule(
        ("threads", "highlight"), "beam", lambda n: n is None, "in a beam search (--beam)",
    ),
    Rule(OF_SEARCH, "beam", lambda n: n is not None, "without a beam search (--beam)"),
    Rule(("diversity",), "groups", lambda n: n > 1, "without --groups"),
    Rule(
        ("out", "threads", "highlight"), "interactive", lambda on: not on,
        "in a conversation (--interactive)",
    ),
    Rule(("highlight",), "count", lambda n: n == 1, "on many texts (--count)"),
    Rule(("highlight",), "out", lambda out: out is None, "in a file (--out)"),
    Rule(
        ("repetition_window",), "repetition_penalty", lambda r: r != 1,
        "without --repetition_penalty",
    ),
    Rule(
        ("effort",), "conditions", bool,
        "without a condition (--regex, --words, --close, --max_copy or --code)",
    ),
    Rule(("regex",), "regex", bool, "where it is empty"),
    Rule(("text",), "max_copy", bool, "without --max_copy: it is the text not to copy from"),
    Rule(("skip_unknown",), "reads", bool, "without --seed or --interactive"),
    Rule(
        ("threads",), "one by one", lambda on: not on,
        "on texts under conditions, which are written one by one",
    ),
)  # fmt: skip
"""Of `char-rnn generate`, by its options and by

conditions: whether the text is written under any. reads: whether it reads what the user writes.
one by one: whether several texts are written under conditions.
"""

DRAWING = (
    Rule(
        ("count", "length", "temperature", "rng_seed"), "models", bool,
        "without a model to write the samples",
    ),
)  # fmt: skip
"""Of `char-rnn overlap`, by the models among its arguments."""
