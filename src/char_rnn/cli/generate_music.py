"""`char-rnn generate --out tune.mid`: pieces from a model that knows the text of music."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.written import numbered
from char_rnn.errors import UsageError
from char_rnn.sample_config import SampleConfig

if TYPE_CHECKING:
    import numpy as np

    from char_rnn.charrnn import CharRNN

ENDINGS = (".mid", ".midi")


def is_music(out: str | None) -> bool:
    """Tell whether what is written there is music."""
    return out is not None and out.lower().endswith(ENDINGS)


def write(
    model: "CharRNN", config: SampleConfig, rng: "np.random.Generator", options: dict[str, Any]
) -> None:
    """Write the pieces that are asked for, each in a file."""
    from char_rnn.music.asked import Asked
    from char_rnn.music.bars import bars
    from char_rnn.music.beginnings import seed_of
    from char_rnn.music.making import written
    from char_rnn.music.midi import read_midi, write_midi
    from char_rnn.storage import check_writable, write_bytes

    asked = Asked.of(options["bars"], options["key"], options["scale"])
    seed = None
    if options["seed"]:
        seed, remarks = read_midi(_seed_file(options["seed"]))
        for remark in remarks:
            click.echo(f"{options['seed']}: {remark}", err=True)
        seed = seed_of(seed)
    count = options["count"]
    paths = numbered(options["out"], count)
    check_writable(paths[-1])
    before = 0 if seed is None else len(bars(seed))
    pieces = written(model, asked, seed, config, rng, count)
    for path, score in zip(paths, pieces, strict=True):
        write_bytes(path, write_midi(score))
        new = len(bars(score)) - before
        more = f", after {before:,} of the seed" if before else ""
        click.echo(f"{path}: {new:,} bar{'s' * (new != 1)}{more}")


def _seed_file(seed: str) -> Path:
    path = Path(seed)
    if not path.is_file():
        raise UsageError(
            f"--seed {seed[:40]!r} is no file; of music it is a MIDI file to go on from"
        )
    return path
