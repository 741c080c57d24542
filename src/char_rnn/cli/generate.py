"""`char-rnn generate`: text from a model, as it is made."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_file, complete_model, complete_text
from char_rnn.cli.generate_music import is_music
from char_rnn.cli.generate_music import write as write_music
from char_rnn.cli.help import Command
from char_rnn.cli.interrupts import Interrupted, signals
from char_rnn.cli.options import PATH, POSITIVE, RNG_SEED, option
from char_rnn.cli.prompts import STDIN, Given, as_given, known, prompts_of, seed_of, stop_of
from char_rnn.cli.rules import GENERATING, check, given_options
from char_rnn.cli.sampling import sample_config, sampling
from char_rnn.cli.written import Made, Several, file_of, form_of, stream
from char_rnn.errors import UsageError
from char_rnn.sample_config import BEAM_DIVERSITY, CONDITIONS, LENGTH_PENALTY, SampleConfig

if TYPE_CHECKING:
    import numpy as np

    from char_rnn.charrnn import CharRNN
    from char_rnn.data.copies import CopyIndex
    from char_rnn.generate.batch import Texts

SEEDS = ("seed", "seed_file", "bytes_seed", "prompts")
START, OUTPUT, MUSIC = "Start", "Output", "Music (--out tune.mid)"
SEARCH = "Search for the likeliest text"


@click.command(
    "generate",
    cls=Command,
    examples=(
        'char-rnn generate -s "Once upon" -n 1000',
        'char-rnn generate shakespeare -s "ROMEO:" --top_p 0.9 --lines 4 --count 3',
        "char-rnn generate runs/book -t 1.2:0.5 --stop END -o book.txt",
        "char-rnn generate runs/code --code python --highlight",
        "char-rnn generate shakespeare --interactive",
        "char-rnn generate runs/tunes --out tune.mid --bars 16 --key D --scale dorian",
    ),
)
@click.argument("path", metavar="[MODEL]", required=False, type=PATH, shell_complete=complete_model)
@option(
    "seed",
    short="s",
    default="",
    group=START,
    help="The text to go on from; - for that on standard input. Of music a MIDI file.",
)
@option(
    "seed_file",
    metavar="FILE",
    group=START,
    shell_complete=complete_file,
    help="The same, in a file, exactly as it is.",
)
@option(
    "bytes_seed",
    metavar="ESCAPES",
    group=START,
    help=r"For a model of bytes: '\x89PNG\r\n', with \\ for a backslash.",
)
@option(
    "prompts",
    metavar="FILE",
    group=START,
    shell_complete=complete_file,
    help="Go on from many texts: one a line, or JSON lines.",
)
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
    help="The training text, for --max_copy and --new.",
)
@option(
    "out",
    short="o",
    metavar="FILE",
    group=OUTPUT,
    shell_complete=complete_file,
    help="Write to this file instead; {n} in its name is the number of the text. What ends in "
    ".mid is music.",
)
@option(
    "json", is_flag=True, group=OUTPUT, help="Write a line of JSON for each text, its prompt in it."
)
@option("count", type=POSITIVE, default=1, group=OUTPUT, help="Write so many texts at once.")
@option("new", is_flag=True, group=OUTPUT, help="Only texts that the training text does not have.")
@option("unique", is_flag=True, group=OUTPUT, help="Each text once.")
@option(
    "threads",
    type=POSITIVE,
    group=OUTPUT,
    told="two cores for one text of a large model, all of them for many",
    help="BLAS threads; for many texts, groups of them written side by side.",
)
@option("highlight", is_flag=True, group=OUTPUT, help="Colour the output as source code.")
@option("interactive", is_flag=True, group=OUTPUT, help="Write in turns with the model.")
@option("bars", type=POSITIVE, group=MUSIC, told="as the model ends it", help="So many new ones.")
@option("key", group=MUSIC, told="any", help="Such as D, F#m or 'Bb major'; its scale is kept.")
@option("scale", group=MUSIC, told="that of the key", help="Another, such as dorian or 'blues'.")
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
def command(ctx: click.Context, /, path: Path | None, **options: Any) -> None:
    """Write text with MODEL, a model file or a run folder.

    Without it, with the newest run in runs/; and where there is none, with the model of
    Shakespeare's plays that comes with the package (also by its name, `shakespeare`).

    What chooses a character is applied in the order in which it is given.
    """
    given = given_options(ctx)
    config = sample_config(options, ctx)
    _check(given, ctx.params, config)
    import numpy as np

    from char_rnn.charrnn import CharRNN

    if path is None:
        from char_rnn.runs.folder import newest_run_or_shipped

        path = newest_run_or_shipped()
        click.echo(f"Model: {path}", err=True)
    model = CharRNN.load(path)
    if is_music(options["out"]):
        write_music(model, config, np.random.default_rng(options["rng_seed"]), options)
        return
    config = dataclasses.replace(
        config,
        stop=tuple(stop_of(model, text) for text in config.stop),
        words=tuple(known(model, text, what="--words") for text in config.words),
    )
    rng = np.random.default_rng(options["rng_seed"])
    if options["interactive"]:
        from char_rnn.cli.interactive import converse

        skip = options["skip_unknown"]
        converse(
            model.session(config, rng),
            seed_of(model, options),
            lambda said: as_given(model, known(model, said, skip, "your line")),
        )
    else:
        _write(model, path, config, rng, options)


def _write(
    model: "CharRNN",
    path: Path,
    config: SampleConfig,
    rng: "np.random.Generator",
    options: dict[str, Any],
) -> None:
    """Write what is asked for: one text as it is made, several, or what a search finds."""
    from char_rnn.generate.batch import check_room
    from char_rnn.storage import check_writable

    beam, as_json, out = options["beam"], options["json"], options["out"]
    if options["prompts"] is None:
        if options["count"] > 1:  # one alone is kept nowhere
            check_room(options["count"], config, options["threads"] or 1)
        seeds = [seed_of(model, options)] * options["count"]
    else:
        seeds = prompts_of(model, options["prompts"], options["skip_unknown"])
        check_room(len(seeds), config, options["threads"] or 1)
    count = len(seeds) if beam is None else options["results"]
    # The texts of a search have figures beside them, for which they need headings.
    between = model.vocabulary.between if model.vocabulary is not None and beam is None else ""
    form = form_of(config if beam is None else SampleConfig(), set(seeds), as_json, between)
    several = Several(count, form, out, between or "\n")
    if out is not None:
        check_writable(file_of(out, count))
    if beam is not None:
        _search(model, seeds[0], config, options, several)
        return
    copies = _copies(model, path, options["text"], config)
    if options["new"] or options["unique"]:
        if options["new"] and not between and config.lines != 1:
            raise UsageError(
                "--new compares whole documents, and this model knows of none: give --lines 1, "
                "and it compares lines"
            )
        known_texts = _documents(model, path, options["text"]) if options["new"] else frozenset()
        texts = model.generate_new(
            count, known_texts, seeds[0], config, rng, copies, options["threads"], options["unique"]
        )
        _write_all(texts, [seeds[0][:0]] * count, several)
        return
    if len(seeds) > 1 or as_json or options["prompts"] is not None:
        texts = model.generate_each(seeds, config, rng, copies, options["threads"])
        _write_all(texts, seeds, several)
    else:
        pieces = model.generate(seeds[0], config, rng, copies, options["threads"])
        stream(seeds[0], pieces, config, out, options["highlight"])
        if config.conditions:
            early = "; it ended early, for --effort was spent" if pieces.gave_up else ""
            click.echo(f"{pieces.unit} taken back: {pieces.taken_back:,}{early}", err=True)


def _check(given: dict[str, Any], options: dict[str, Any], config: SampleConfig) -> None:
    """Raise UsageError for options that do not go together."""
    beam, groups, results, count = (
        options[name] for name in ("beam", "groups", "results", "count")
    )
    begins = [f"--{name}" for name in SEEDS if name in given]
    if len(begins) > 1:
        raise UsageError(f"{' and '.join(begins)} exclude each other; give one of them")
    several = [count > 1, options["prompts"] is not None]
    if sum([options["interactive"], beam is not None, *several]) > 1:
        raise UsageError(
            "--interactive, --beam, --count and --prompts exclude each other; give one of them"
        )
    reads = [f"--{name} -" for name in (*SEEDS, "text") if options[name] == STDIN]
    reads += ["--interactive"] if options["interactive"] else []
    if len(reads) > 1:
        raise UsageError(
            f"{' and '.join(reads)} both read standard input, which is there once; put one of them "
            "in a file"
        )
    conditions = bool(config.conditions)
    check(
        GENERATING,
        given,
        options
        | {
            "music": is_music(options["out"]),
            "conditions": conditions,
            "one by one": conditions and any(several),
            "of the text": options["max_copy"] or options["new"],
            "drawn": beam is None and not options["interactive"] and options["prompts"] is None,
            "reads": options["interactive"] or begins not in ([], ["--bytes_seed"]),
        },
    )
    if beam is not None and beam % groups:
        raise UsageError(
            f"--beam {beam} cannot be cut into {groups} equal --groups; make it a multiple of them"
        )
    if beam is not None and results > beam:
        raise UsageError(f"--results {results} are more than --beam {beam} finds; widen the search")


def _search(
    model: "CharRNN", seed: Given, config: SampleConfig, options: dict[str, Any], several: Several
) -> None:
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
    several.count = len(found)
    with several:
        for n, (text, log_p, score, whole) in enumerate(found, 1):
            figures = {"log_probability": log_p, "score": score}
            heading = f": log p {log_p:.2f}, score {score:.3f}"
            several.write(n, Made(seed, text, whole, figures, heading))
    if received:
        raise Interrupted(received[0])


def _write_all(texts: "Texts[Any]", seeds: Sequence[Given], several: Several) -> None:
    """Write each of `texts`; after an error or a signal what there is of them."""
    with several:
        try:
            for n, text in enumerate(texts, 1):
                several.write(n, Made(seeds[n - 1], text))
        except BaseException:
            texts.close()
            for at, (text, whole) in texts.rest():
                if text or whole:
                    several.write(at + 1, Made(seeds[at], text, whole))
            raise


def _documents(model: "CharRNN", path: Path, text: str | None) -> frozenset[Given]:
    """Return the documents, or the lines, of the training text, for --new."""
    from char_rnn.cli.waiting import waiting
    from char_rnn.data.given import TextName
    from char_rnn.runs.text import training_texts

    with waiting("Reading the training text"):
        return training_texts(str(path), model, None if text is None else TextName(text))


def _copies(
    model: "CharRNN", path: Path, text: str | None, config: SampleConfig
) -> "CopyIndex | None":
    """Return the index of the training text that --max_copy asks for, or None."""
    if not config.max_copy:
        return None
    from char_rnn.cli.waiting import waiting
    from char_rnn.data.copies import CopyIndex
    from char_rnn.data.given import TextName
    from char_rnn.runs.text import training_ids

    with waiting("Indexing the training text"):
        name = None if text is None else TextName(text)
        return CopyIndex(training_ids(str(path), model, name), config.max_copy)
