"""`char-rnn generate`: text from a model, as it is made."""

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_file, complete_model, complete_text
from char_rnn.cli.help import Command
from char_rnn.cli.interrupts import Interrupted, signals
from char_rnn.cli.options import PATH, POSITIVE, RNG_SEED, option
from char_rnn.cli.rules import GENERATING, check, given_options
from char_rnn.cli.sampling import sample_config, sampling
from char_rnn.cli.words import fitting
from char_rnn.config import BEAM_DIVERSITY, CONDITIONS, LENGTH_PENALTY, SampleConfig
from char_rnn.errors import UnknownCharacters, UsageError

if TYPE_CHECKING:
    from char_rnn.charrnn import CharRNN
    from char_rnn.data.copies import CopyIndex
    from char_rnn.generate.batch import Texts

LOOK_EVERY, LOOK_BACK = 50, 2000
"""After how many characters a loop is looked for, and in how many of the last ones."""


START, OUTPUT, SEARCH = "Start", "Output", "Search for the likeliest text"


@click.command(
    "generate",
    cls=Command,
    examples=(
        'char-rnn generate -s "Once upon" -n 1000',
        'char-rnn generate shakespeare -s "ROMEO:" --top_p 0.9 --lines 4 --count 3',
        "char-rnn generate runs/book -t 1.2:0.5 --stop END -o book.txt",
        "char-rnn generate runs/code --code python --highlight",
        "char-rnn generate shakespeare --interactive",
    ),
)
@click.argument("path", metavar="[MODEL]", required=False, type=PATH, shell_complete=complete_model)
@option("seed", short="s", default="", group=START, help="The text to go on from.")
@option(
    "skip_unknown",
    is_flag=True,
    group=START,
    help="Drop seed characters that the model does not know.",
)
@option(
    "rng_seed",
    type=RNG_SEED,
    group=START,
    told="another every time",
    help="The same seed gives the same text.",
)
@sampling
@option(
    "text",
    group=CONDITIONS,
    told="that of the run",
    shell_complete=complete_text,
    help="The training text, for --max_copy.",
)
@option(
    "out",
    short="o",
    metavar="FILE",
    group=OUTPUT,
    shell_complete=complete_file,
    help="Write to this file instead; {n} in its name is the number of the text.",
)
@option("count", type=POSITIVE, default=1, group=OUTPUT, help="Write so many texts at once.")
@option(
    "threads",
    type=POSITIVE,
    group=OUTPUT,
    told="1 for one text, all cores for many",
    help="BLAS threads; for many texts, groups of them written side by side.",
)
@option("highlight", is_flag=True, group=OUTPUT, help="Colour the output as source code.")
@option("interactive", is_flag=True, group=OUTPUT, help="Write in turns with the model.")
@option("beam", type=POSITIVE, group=SEARCH, help="Search, with so many beams.")
@option("groups", type=POSITIVE, default=1, group=SEARCH, help="Of beams that avoid each other.")
@option(
    "diversity",
    type=float,
    default=BEAM_DIVERSITY,
    group=SEARCH,
    help="How strongly, in nats a beam.",
)
@option(
    "length_penalty",
    type=float,
    default=LENGTH_PENALTY,
    group=SEARCH,
    help="A in log p / n^A, by which texts that end early compete.",
)
@option("results", type=POSITIVE, default=1, group=SEARCH, help="Texts of the search to show.")
@click.pass_context
def command(ctx: click.Context, /, path: Path | None, seed: str, **options: Any) -> None:
    """Write text with MODEL, a model file or a run folder.

    Without it, with the newest run in runs/; and where there is none, with the model of
    Shakespeare's plays that comes with the package (also by its name, `shakespeare`).

    What chooses a character is applied in the order in which it is given.
    """
    given = given_options(ctx)
    config = sample_config(options, ctx)
    _check(given, ctx.params, config)
    from char_rnn.charrnn import CharRNN
    from char_rnn.storage import check_writable

    if path is None:
        from char_rnn.runs.folder import newest_run_or_shipped

        path = newest_run_or_shipped()
        click.echo(f"Model: {path}", err=True)
    model = CharRNN.load(path)
    seed = known(model, seed, options["skip_unknown"])
    config = dataclasses.replace(
        config,
        stop=tuple(known(model, text, what="--stop") for text in config.stop),
        words=tuple(known(model, text, what="--words") for text in config.words),
    )
    if options["out"] is not None:
        check_writable(_file(options["out"], max(options["count"], options["results"])))
    import numpy as np

    rng = np.random.default_rng(options["rng_seed"])
    if options["interactive"]:
        from char_rnn.cli.interactive import converse

        skip = options["skip_unknown"]
        session = model.session(config, rng)
        converse(session, seed, lambda said: known(model, said, skip, "your line"))
    elif options["beam"] is not None:
        _search(model, seed, config, options)
    elif options["count"] > 1:
        from char_rnn.generate.batch import check_room

        check_room(options["count"], config, options["threads"] or 1)  # before a list is made
        copies = _copies(model, path, options["text"], config)
        seeds = [seed] * options["count"]
        texts = model.generate_each(seeds, config, rng, copies, options["threads"])
        _write_all(texts, seed, options["count"], options["out"])
    else:
        copies = _copies(model, path, options["text"], config)
        pieces = model.generate(seed, config, rng, copies, options["threads"] or 1)
        stream(seed, pieces, config, options["out"], options["highlight"])
        if config.conditions:
            early = "; it ended early, for --effort was spent" if pieces.gave_up else ""
            click.echo(f"{pieces.unit} taken back: {pieces.taken_back:,}{early}", err=True)


def _check(given: dict[str, Any], options: dict[str, Any], config: SampleConfig) -> None:
    """Raise UsageError for options that do not go together."""
    beam, groups, results, count, out = (
        options[name] for name in ("beam", "groups", "results", "count", "out")
    )
    alone = [name for name in ("interactive", "beam") if options[name]]
    if len(alone) > 1 or (alone and count > 1):
        raise UsageError("--interactive, --beam and --count exclude each other; give one of them")
    conditions = bool(config.conditions)
    check(
        GENERATING,
        given,
        options
        | {
            "conditions": conditions,
            "one by one": conditions and count > 1,
            "reads": "seed" in given or options["interactive"],
        },
    )
    if beam is not None and beam % groups:
        raise UsageError(
            f"--beam {beam} cannot be cut into {groups} equal --groups; make it a multiple of them"
        )
    if beam is not None and results > beam:
        raise UsageError(f"--results {results} are more than --beam {beam} finds; widen the search")
    if (count > 1 or results > 1) and out is not None and "{n}" not in out:
        raise UsageError("--out must hold {n} where several texts are written: name-{n}.txt")


def known(model: "CharRNN", text: str, skip: bool = False, what: str = "the seed text") -> str:
    """Return `text` as the model can read it; else raise UnknownCharacters, which names `what`.

    Where the model knows its letters in another Unicode form, it is taken in that one, and a note
    says so. skip: leave out what it does not know.
    """
    from char_rnn.data.vocabulary import named

    vocabulary = model.vocabulary
    if vocabulary is None:
        return text
    form, same = vocabulary.best_form(text)
    unknown = vocabulary.unknown(same)
    if form:
        helped = sorted(set(vocabulary.unknown(text)) - set(unknown))
        click.echo(
            f"Note: {what} is taken in the Unicode form {form}, for the model does not know "
            f"{named(helped)}",
            err=True,
        )
    if unknown and not skip:
        raise UnknownCharacters(
            f"the model does not know {named(unknown)}, which {what} holds; leave it out"
            + (" (--skip_unknown does)" if not what.startswith("--") else "")
        )
    return vocabulary.without_unknown(same)


def stream(
    seed: str,
    pieces: Iterator[str],
    config: SampleConfig,
    out: str | None = None,
    highlight: bool = False,
) -> None:
    """Write `seed` and the `pieces` as they come, to standard output or to the file `out`.

    Says once on standard error if the text falls into a loop. What was made before an error or a
    signal is written all the same.
    """
    pieces = _watched(pieces, config)
    if out is not None:
        _collect(seed, pieces, _file(out, 1))
        return
    if highlight:
        from char_rnn.cli.highlight import write_highlighted

        write_highlighted(seed, pieces)
        return
    begun = False
    try:
        for text in pieces:
            sys.stdout.write(text if begun else seed + text)
            sys.stdout.flush()
            begun = True
    finally:
        if begun:
            click.echo()
    if not begun:
        click.echo(seed)


def _collect(seed: str, pieces: Iterator[str], path: Path) -> None:
    """Write `seed` and the `pieces` to a file: all of them, or those that came before an error."""
    from char_rnn.storage import write_text

    made: list[str] = []
    try:
        for piece in pieces:
            made.append(piece)
    except BaseException:
        text = "".join(made)
        if text:
            write_text(path, seed + text)
            click.echo(f"{path}: not the whole text, {len(text):,} characters of it", err=True)
        raise
    write_text(path, seed + "".join(made))


def _file(out: str, n: int) -> Path:
    return Path(out.replace("{n}", str(n)))


def _watched(pieces: Iterator[str], config: SampleConfig) -> Iterator[str]:
    """Yield the `pieces`, and warn once on standard error if they end in a loop."""
    from char_rnn.analyse.loops import find_loop, loop_advice

    text, looked, made, warned = "", 0, 0, False
    for piece in pieces:
        yield piece
        if warned:
            continue
        text, made = text + piece, made + len(piece)
        if made - looked >= LOOK_EVERY:
            looked, text = made, text[-LOOK_BACK:]
            loop = find_loop(text)
            if loop is not None:
                warned = True
                loop = loop._replace(start=loop.start + made - len(text))
                click.echo(f"\nNote: {fitting(loop_advice(loop, config.temperature))}", err=True)


def _search(model: "CharRNN", seed: str, config: SampleConfig, options: dict[str, Any]) -> None:
    """Write what a beam search finds, also if it is stopped."""
    received: list[int] = []
    with signals(received.append):
        found = model.search(
            seed,
            config,
            options["beam"],
            options["groups"],
            options["results"],
            options["diversity"],
            options["length_penalty"],
            lambda: bool(received),
        )
    for n, result in enumerate(found, 1):
        figures = f"log p {result.log_probability:.2f}, score {result.score:.3f}"
        heading = f"{n} of {len(found)}: {figures}{_stopped(result.whole, result.text)}"
        _write(n, heading, seed + result.text, options["out"])
    if received:
        raise Interrupted(received[0])


def _write_all(texts: "Texts[str]", seed: str, count: int, out: str | None) -> None:
    """Write each of `texts` under its heading; after an error or a signal what there is of them."""
    try:
        for n, text in enumerate(texts, 1):
            _write(n, f"{n} of {count}", seed + text, out)
    except BaseException:
        texts.close()
        for at, (text, whole) in texts.rest():
            if text or whole:
                _write(at + 1, f"{at + 1} of {count}{_stopped(whole, text)}", seed + text, out)
        raise


def _stopped(whole: bool, text: str) -> str:
    return "" if whole else f", stopped after {len(text):,} characters"


def _write(n: int, heading: str, text: str, out: str | None) -> None:
    """Write a text under its heading to standard output, or to its file."""
    if out is None:
        click.echo(f"--- {heading} ---\n{text}")
    else:
        from char_rnn.storage import check_writable, write_text

        check_writable(_file(out, n))  # {n} may be in the name of its folder
        write_text(_file(out, n), text)
        click.echo(f"{_file(out, n)}: {heading}")


def _copies(
    model: "CharRNN", path: Path, text: str | None, config: SampleConfig
) -> "CopyIndex | None":
    """Return the index of the training text that --max_copy asks for, or None."""
    if not config.max_copy:
        return None
    from char_rnn.cli.show import waiting
    from char_rnn.data.copies import CopyIndex
    from char_rnn.data.given import TextName
    from char_rnn.runs.text import training_ids

    with waiting("Indexing the training text"):
        name = None if text is None else TextName(text)
        return CopyIndex(training_ids(str(path), model, name), config.max_copy)
