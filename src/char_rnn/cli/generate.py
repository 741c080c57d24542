"""`char-rnn generate`: text from a model, as it is made."""

import sys
from pathlib import Path

import click

from char_rnn.cli.main import option
from char_rnn.config import SampleConfig
from char_rnn.errors import UnknownCharacters


@click.command("generate", short_help="Write text with a model.")
@click.argument("model", required=False, type=click.Path(path_type=Path))
@option("seed", default="", help="The text to go on from.")
@option(
    "length", type=int, default=SampleConfig.length, show_default=True, help="Characters to make."
)
@option(
    "temperature",
    type=float,
    default=SampleConfig.temperature,
    show_default=True,
    help="Higher is more daring; 0 always takes the likeliest.",
)
@option("greedy", is_flag=True, help="The same as --temperature 0.")
@option("skip_unknown", is_flag=True, help="Drop seed characters that the model does not know.")
@option(
    "rng_seed",
    type=int,
    help="The same seed gives the same text.  [default: another one every time]",
)
@option("out", type=click.Path(path_type=Path), help="Write to this file instead.")
def command(
    model: Path | None,
    seed: str,
    length: int,
    temperature: float,
    greedy: bool,
    skip_unknown: bool,
    rng_seed: int | None,
    out: Path | None,
) -> None:
    """Write text with MODEL, a model file or a run folder.

    Without it, with the newest run in runs/; and where there is none, with the model of
    Shakespeare's plays that comes with the package (also by its name, `shakespeare`).
    """  # fmt: skip
    config = SampleConfig(length, 0.0 if greedy else temperature)
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415

    if model is None:
        from char_rnn.train.run import newest_run_or_shipped  # noqa: PLC0415

        model = newest_run_or_shipped()
        click.echo(f"Model: {model}", err=True)
    stream(CharRNN.load(model), seed, config, skip_unknown, rng_seed, out)


def stream(
    network: "object",
    seed: str,
    config: SampleConfig,
    skip_unknown: bool = False,
    rng_seed: int | None = None,
    out: Path | None = None,
) -> None:
    """Write `seed` and what the model makes of it to standard output or to the file `out`."""
    import numpy as np  # noqa: PLC0415

    from char_rnn.charrnn import CharRNN  # noqa: PLC0415

    assert isinstance(network, CharRNN)
    vocabulary = network.vocabulary
    unknown = vocabulary.unknown(seed) if vocabulary is not None else []
    if unknown and vocabulary is not None:
        if not skip_unknown:
            raise UnknownCharacters(
                f"the model does not know {', '.join(map(repr, unknown))}, which the seed text "
                "holds; leave them out, or drop them with --skip_unknown"
            )
        seed = vocabulary.without_unknown(seed)
    pieces = network.generate(seed, config, np.random.default_rng(rng_seed))
    if out is not None:
        from char_rnn.storage import write_text  # noqa: PLC0415

        write_text(out, seed + "".join(pieces))
        return
    sys.stdout.write(seed)
    for text in pieces:
        sys.stdout.write(text)
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()
