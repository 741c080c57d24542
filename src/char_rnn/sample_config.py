"""How a text is generated: which characters may be chosen, what it meets, where it ends."""

from dataclasses import dataclass

from char_rnn.checks import (
    Boolean,
    OneOf,
    Positive,
    Share,
    Temperature,
    Text,
    Texts,
    Weights,
    Whole,
)
from char_rnn.errors import UsageError, unknown_name
from char_rnn.settings import Configuration, documented, setting, settings_of, validate

STRATEGIES = ("bias", "repetition_penalty", "temperature", "top_k", "top_p", "min_p", "typical")
CODES = ("python",)
BEAM_DIVERSITY, LENGTH_PENALTY = 0.5, 1.0  # of a beam search (generate/beam.py)
MOST_CHARACTERS = 10**9  # of a text to make

# The groups of settings, in the order of the help.
CHOICE, END, CONDITIONS = "Choosing a character", "Length and end", "Conditions"


@documented
@dataclass(frozen=True)
class SampleConfig(Configuration):
    """How a text is generated; how each strategy chooses, see generate/filters.py."""

    length: int = setting(
        500,
        "Characters to make (bytes, for a model of bytes).",
        Whole(0, MOST_CHARACTERS),
        END,
        short="n",
    )
    temperature: float | str = setting(
        0.8,
        "Higher is more daring; 0 always takes the likeliest; 2.0:0.5 falls over the text.",
        Temperature(),
        CHOICE,
        short="t",
    )
    top_k: int = setting(0, "Only the K likeliest characters, 0 for all.", Whole(0), CHOICE)
    top_p: float = setting(
        1.0,
        "Only the likeliest that together have this probability (nucleus).",
        Share(some=True),
        CHOICE,
    )
    min_p: float = setting(
        0.0, "Only those at least so many times as likely as the likeliest.", Share(), CHOICE
    )
    typical: float = setting(
        1.0, "Only the most typical that together have this probability.", Share(some=True), CHOICE
    )
    repetition_penalty: float = setting(
        1.0, "Above 1: makes what was written lately less likely.", Positive(), CHOICE
    )
    repetition_window: int = setting(
        64, "How many of the last characters the penalty looks at.", Whole(1), CHOICE
    )
    bias: tuple[tuple[str, float], ...] = setting(
        (), "Favour a character: e=0.5, in nats; e=-0.5 hinders it.", Weights(), CHOICE
    )
    forbid: str = setting("", "Never write any of these characters.", Text(), CHOICE)
    order: tuple[str, ...] = setting(
        STRATEGIES,
        "In which these are applied; those not named come first, in their usual order.",
        Texts(),
        CHOICE,
        option=False,
    )
    stop: tuple[str, ...] = setting((), "End before this text.", Texts(), END)
    lines: int = setting(0, "End after so many lines, 0 for no limit.", Whole(0), END)
    until_line_end: bool = setting(
        False, "Go on past the length to the end of the line.", Boolean(), END
    )
    regex: str = setting("", "The output matches this regular expression.", Text(), CONDITIONS)
    words: tuple[str, ...] = setting((), "This word occurs in the output.", Texts(), CONDITIONS)
    close: bool = setting(
        False, "Brackets and double quotes match and close.", Boolean(), CONDITIONS
    )
    max_copy: int = setting(
        0,
        "No run of so many characters stands in the training text, 0 for any.",
        Whole(0),
        CONDITIONS,
    )
    code: str = setting(
        "", "Every statement that comes out parses.", OneOf(CODES, optional=True), CONDITIONS
    )
    effort: int = setting(
        20_000, "Characters that may be taken back to meet these.", Whole(0), CONDITIONS
    )

    def __post_init__(self) -> None:
        validate(self)
        if not all(self.stop) or not all(self.words):
            raise UsageError("an empty text cannot end the output, nor an empty word be in it")
        for name in self.order:
            if name not in STRATEGIES:
                raise unknown_name("strategy", name, STRATEGIES)
        if len(set(self.order)) < len(self.order):
            raise UsageError(f"the order {', '.join(self.order)} names a strategy twice")
        rest = tuple(name for name in STRATEGIES if name not in self.order)
        object.__setattr__(self, "order", rest + self.order)

    @property
    def ends(self) -> bool:
        """Whether something but the length ends the text."""
        return bool(self.stop or self.lines or self.until_line_end)

    @property
    def conditions(self) -> list[str]:
        """The names of the conditions that are asked for."""
        return [name for name in CONDITION_NAMES if getattr(self, name)]

    @property
    def constrained(self) -> bool:
        """Whether something has to be met that may need characters to be taken back."""
        return any(name != "code" for name in self.conditions)


CONDITION_NAMES = tuple(
    name
    for name, about in settings_of(SampleConfig).items()
    if about.group == CONDITIONS and name != "effort"
)
"""The settings that ask for a condition."""
