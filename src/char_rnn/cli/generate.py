"""`char-rnn generate`: text from a model, as it is made."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.main import option
from char_rnn.cli.sampling import sample_config, sampling
from char_rnn.config import BEAM_DIVERSITY, LENGTH_PENALTY, SampleConfig
from char_rnn.errors import UnknownCharacters, UsageError

if TYPE_CHECKING:
    from char_rnn.charrnn import CharRNN

LOOK_EVERY, LOOK_BACK = 50, 2000
"""After how many characters a loop is looked for, and in how many of the last ones."""


@click.command("generate", short_help="Write text with a model.")
@click.argument("model", required=False, type=click.Path(path_type=Path))
@option("seed", default="", help="The text to go on from.")
@sampling
@option("skip_unknown", is_flag=True, help="Drop seed characters that the model does not know.")
@option(
    "rng_seed",
    type=int,
    help="The same seed gives the same text.  [default: another one every time]",
)
@option("count", type=int, default=1, show_default=True, help="Write so many texts at once.")
@option("out", help="Write to this file instead; {n} in its name is the number of the text.")
@option("text", help="The training text, for --max_copy.  [default: that of the run]")
@option("beam", type=int, help="Search for the likeliest text, with so many beams.")
@option("groups", type=int, default=1, show_default=True, help="Of beams that avoid each other.")
@option(
    "diversity",
    type=float,
    default=BEAM_DIVERSITY,
    show_default=True,
    help="How strongly, in nats a beam.",
)
@option(
    "length_penalty", type=float, default=LENGTH_PENALTY, show_default=True,
    help="A in log p / n^A, by which texts of the search that end early compete.",
)  # fmt: skip
@option("results", type=int, default=1, show_default=True, help="Texts of the search to show.")
@option(
    "threads", type=int,
    help="For one text: BLAS threads.  [default: 1]  For many: groups of texts written side by "
    "side.  [default: all cores]",
)  # fmt: skip
@option("highlight", is_flag=True, help="Colour the output as source code.")
@option("interactive", is_flag=True, help="Write in turns with the model.")
@click.pass_context
def command(ctx: click.Context, /, model: Path | None, seed: str, **options: Any) -> None:
    """Write text with MODEL, a model file or a run folder.

    Without it, with the newest run in runs/; and where there is none, with the model of
    Shakespeare's plays that comes with the package (also by its name, `shakespeare`).

    The strategies top_k, top_p, min_p, typical, temperature and repetition_penalty are applied in
    the order in which they are given.
    """  # fmt: skip
    config = sample_config(options, ctx)
    _check(options, config)
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415

    if model is None:
        from char_rnn.train.run import newest_run_or_shipped  # noqa: PLC0415

        model = newest_run_or_shipped()
        click.echo(f"Model: {model}", err=True)
    network = CharRNN.load(model)
    seed = known(network, seed, options["skip_unknown"])
    import numpy as np  # noqa: PLC0415

    rng = np.random.default_rng(options["rng_seed"])
    if options["interactive"]:
        from char_rnn.cli.interactive import converse  # noqa: PLC0415

        session = network.session(config, rng)
        converse(session)
    elif options["beam"] is not None:
        _write_all(_searched(network, seed, config, options), options["out"])
    elif options["count"] > 1:
        copies = _copies(network, model, options["text"], config)
        texts = network.generate_many(
            [seed] * options["count"], config, rng, copies, options["threads"]
        )
        headed = ((f"{n} of {len(texts)}", seed + text) for n, text in enumerate(texts, 1))
        _write_all(headed, options["out"])
    else:
        copies = _copies(network, model, options["text"], config)
        pieces = network.generate(seed, config, rng, copies, options["threads"] or 1)
        stream(seed, pieces, config, options["out"], options["highlight"])
        if config.constrained or config.code:
            early = "; it ended early, for --effort was spent" if pieces.gave_up else ""
            click.echo(f"{pieces.unit} taken back: {pieces.taken_back:,}{early}", err=True)


def _check(options: dict[str, Any], config: SampleConfig) -> None:
    """Raise UsageError for options that do not go together."""
    for name in ("count", "threads"):
        if options[name] is not None and options[name] < 1:
            raise UsageError(f"--{name} is {options[name]}; it must be at least 1")
    several = options["count"] > 1 or options["results"] > 1
    if several and options["out"] is not None and "{n}" not in options["out"]:
        raise UsageError("--out must hold {n} where several texts are written: name-{n}.txt")
    if options["out"] is not None and not Path(options["out"]).parent.is_dir():
        raise UsageError(f"--out {options['out']}: there is no such folder; make it first")
    if options["text"] is not None and not config.max_copy:
        raise UsageError("--text is the text not to copy from; give --max_copy N with it")
    alone = [name for name in ("interactive", "beam") if options[name]]
    if len(alone) > 1 or (alone and options["count"] > 1):
        raise UsageError("--interactive, --beam and --count exclude each other; give one of them")
    if options["beam"] is None and (options["groups"] > 1 or options["results"] > 1):
        raise UsageError("--groups and --results belong to --beam WIDTH; give it")


def known(network: "CharRNN", seed: str, skip: bool = False) -> str:
    """Return `seed`, without what the model does not know if `skip`; else raise for that."""
    vocabulary = network.vocabulary
    unknown = vocabulary.unknown(seed) if vocabulary is not None else []
    if not unknown or vocabulary is None:
        return seed
    if not skip:
        raise UnknownCharacters(
            f"the model does not know {', '.join(map(repr, unknown))}, which the seed text "
            "holds; leave them out, or drop them with --skip_unknown"
        )
    return vocabulary.without_unknown(seed)


def stream(
    seed: str, pieces: Iterator[str], config: SampleConfig, out: str | None = None,
    highlight: bool = False,
) -> None:  # fmt: skip
    """Write `seed` and the `pieces` as they come, to standard output or to the file `out`.

    Says once on standard error if the text falls into a loop.
    """
    pieces = _watched(pieces, config)
    if out is not None:
        from char_rnn.storage import write_text  # noqa: PLC0415

        write_text(Path(out.replace("{n}", "1")), seed + "".join(pieces))
        return
    if highlight:
        from char_rnn.cli.highlight import write_highlighted  # noqa: PLC0415

        write_highlighted(seed, pieces)
        return
    sys.stdout.write(seed)
    for text in pieces:
        sys.stdout.write(text)
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()


def _watched(pieces: Iterator[str], config: SampleConfig) -> Iterator[str]:
    """Yield the `pieces`, and warn once on standard error if they end in a loop."""
    from char_rnn.generate.loops import find_loop, loop_advice  # noqa: PLC0415

    text, looked, warned = "", 0, False
    for piece in pieces:
        yield piece
        text += piece
        if not warned and len(text) - looked >= LOOK_EVERY:
            looked = len(text)
            before = max(0, looked - LOOK_BACK)
            loop = find_loop(text[before:])
            if loop is not None:
                warned = True
                loop = loop._replace(start=loop.start + before)
                click.echo(f"\nNote: {loop_advice(loop, config.temperature)}", err=True)


def _searched(
    network: "CharRNN", seed: str, config: SampleConfig, options: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield a heading and a text for each result of a beam search."""
    found = network.search(
        seed, config, options["beam"], options["groups"], options["results"],
        options["diversity"], options["length_penalty"],
    )  # fmt: skip
    for n, result in enumerate(found, 1):
        yield (
            f"{n} of {len(found)}: log p {result.log_probability:.2f}, score {result.score:.3f}",
            seed + result.text,
        )


def _write_all(texts: Iterator[tuple[str, str]], out: str | None) -> None:
    """Write texts under their headings to standard output, or each to its file."""
    for n, (heading, text) in enumerate(texts, 1):
        if out is None:
            click.echo(f"--- {heading} ---\n{text}")
        else:
            from char_rnn.storage import write_text  # noqa: PLC0415

            path = Path(out.replace("{n}", str(n)))
            write_text(path, text)
            click.echo(f"{path}: {heading}")


def _copies(network: "CharRNN", model: Path, text: str | None, config: SampleConfig) -> Any:
    """Return the index of the training text that --max_copy asks for, or None."""
    if not config.max_copy:
        return None
    from char_rnn.cli.show import waiting  # noqa: PLC0415
    from char_rnn.cli.training_text import training_ids  # noqa: PLC0415
    from char_rnn.data.copies import CopyIndex  # noqa: PLC0415

    with waiting("Indexing the training text"):
        return CopyIndex(training_ids(str(model), network, text), config.max_copy)
