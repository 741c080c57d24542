"""How much of the Python that a model writes parses, with and without taking lines back."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.constrain.code import CodeWriter
from char_rnn.constrain.statement import Standing, Statement, begins_statement, standing
from char_rnn.errors import ConstraintNotMet, UsageError
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.model.blas import blas_threads
from char_rnn.model.stepper import Stepper
from char_rnn.sample_config import SampleConfig

_CODE = re.compile(r"^[ \t\f]*[^\s#]", re.MULTILINE)
_DEFINITION = re.compile(r"[ \t\f]*(@|(async[ \t]+def|def|class)\b)")


class CodeShares(NamedTuple):
    """What parses at one temperature; shares from 0 to 1, NaN where there was nothing to count.

    Samples of nothing but empty lines and comments are not counted.
    raw: raw samples. raw_uncut: raw samples that could have gone on to something that parses, at
    their last line end: before their length cut them.
    raw_definitions: functions and classes of the module in raw samples. code, code_definitions: of
    code mode. taken_back: lines taken back for each line written. drawn: characters drawn for each
    one written. short: samples of code mode that are shorter than asked for, as nothing that
    parses was found within the effort.
    """

    temperature: float | str
    samples: int
    raw: float
    raw_uncut: float
    raw_definitions: float
    code: float
    code_definitions: float
    taken_back: float
    drawn: float
    short: float


def statements(text: str) -> Iterator[tuple[str, Standing]]:
    """Yield the statements of the module `text` and whether each parses.

    What does not parse ends before the next line that begins a statement. Only the last one can be
    OPEN: it is not finished.
    """
    statement, broken = Statement(), ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        begins = begins_statement(line)
        if broken and not begins:
            broken += line
            continue
        if broken:
            yield broken, Standing.HOPELESS
            statement, broken = Statement(), ""
        finished, more = statement.add(line)
        if finished:
            yield finished, Standing.COMPLETE
        elif more is None and begins and statement.text:
            yield statement.text, Standing.COMPLETE if statement.complete else Standing.HOPELESS
            statement = Statement()
            _, more = statement.add(line)
        if more is None:
            broken = statement.text + line
        else:
            statement = more
    if broken:
        yield broken, Standing.HOPELESS
    elif statement.text:
        yield statement.text, Standing.COMPLETE if statement.complete else Standing.OPEN


def is_definition(statement: str) -> bool:
    """Tell whether `statement` is a function or a class."""
    return _DEFINITION.match(statement) is not None


class _Count:
    """Counts what parses in the samples it is given."""

    def __init__(self) -> None:
        self.whole: list[bool] = []
        self.uncut: list[bool] = []
        self.definitions: list[bool] = []

    def add(self, text: str) -> None:
        if _CODE.search(text) is None:
            return
        self.whole.append(standing(text) is Standing.COMPLETE)
        found = list(statements(text[: text.rfind("\n") + 1]))
        self.uncut.append(all(how is not Standing.HOPELESS for _, how in found))
        self.definitions += [
            how is Standing.COMPLETE
            for statement, how in found
            if is_definition(statement) and how is not Standing.OPEN
        ]


@blas_threads(1)
def code_shares(
    model: CharRNN, config: SampleConfig, samples: int, rng: np.random.Generator, seed: str = ""
) -> CodeShares:
    """Return what parses in `samples` texts of `model` after `seed`, raw and in code mode."""
    if model.vocabulary is None:
        raise UsageError("the model has no vocabulary; without it it writes no text")
    raw, code = _Count(), _Count()
    amounts = bias_amounts(config, model.vocabulary)
    settings = config.to_dict() | {"code": ""}
    for text in model.sample_many([seed] * samples, rng=rng, **settings):
        raw.add(text)
    lines = characters = taken_back = drawn = short = 0
    for _ in range(samples):
        chooser = Chooser(config, model.config.vocab_size, 1, rng, amounts)
        stepper = Stepper(model.parameters)
        writer = CodeWriter(stepper, chooser, model.vocabulary, config.effort)
        try:
            text = "".join(writer.write(seed, config.length))
        except ConstraintNotMet:
            text = ""
        else:
            code.add(seed + text)
        short += writer.gave_up
        lines += text.count("\n")
        characters += len(text)
        taken_back += writer.lines_taken_back
        drawn += len(text) + writer.characters_taken_back
    return CodeShares(
        config.temperature,
        samples,
        _mean(raw.whole),
        _mean(raw.uncut),
        _mean(raw.definitions),
        _mean(code.whole),
        _mean(code.definitions),
        taken_back / max(lines, 1),
        drawn / max(characters, 1),
        short / samples,
    )


def code_table(rows: Sequence[CodeShares]) -> str:
    """Return `rows` as a table in Markdown."""
    table = [
        "| temperature | raw samples | up to their cut end | raw functions and classes "
        "| code mode | its functions and classes | lines taken back for 100 written "
        "| characters drawn for each written | too short |",
        "| ---: " * 9 + "|",
    ]
    for row in rows:
        shares = (row.raw, row.raw_uncut, row.raw_definitions, row.code, row.code_definitions)
        cells = [str(row.temperature), *map(_percent, shares), f"{100 * row.taken_back:.0f}"]
        cells += [f"{row.drawn:.1f}", _percent(row.short)]
        table.append(f"| {' | '.join(cells)} |")
    return "\n".join(table)


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.0f} %"
