"""`char-rnn overlap`: what was copied from the training text."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_model, complete_text
from char_rnn.cli.help import Command
from char_rnn.cli.interrupts import Interrupted
from char_rnn.cli.options import PATH, POSITIVE, RNG_SEED, TEMPERATURE, option
from char_rnn.cli.report import echo_json
from char_rnn.cli.rules import DRAWING, check, given_options
from char_rnn.cli.settings import setting_option
from char_rnn.cli.terminal import write_styled
from char_rnn.errors import TextNotFound, UsageError
from char_rnn.sample_config import SampleConfig
from char_rnn.text_config import TextConfig

if TYPE_CHECKING:
    import numpy as np

    from char_rnn.analyse.diversity import Diversity
    from char_rnn.analyse.overlap import Overlap
    from char_rnn.charrnn import CharRNN
    from char_rnn.data.form import Form
    from char_rnn.data.sources import Source
    from char_rnn.generate.batch import Texts

TEXT, SAMPLES, OUTPUT = "Training text", "Samples of a model", "Output"
COUNT = 4
LENGTH = 2000
SHOWN = 2000
QUOTED = 200
MOST_DIVERSE = 1_000_000  # characters of a sample that diversity is measured on


@click.command(
    "overlap",
    cls=Command,
    examples=(
        "char-rnn overlap runs/book",
        "char-rnn overlap runs/book --count 10 -n 5000 -t 0.5 --show",
        "char-rnn overlap story.txt --text book.txt --html copied.html",
    ),
)
@click.argument("model_or_text", nargs=-1, required=True, shell_complete=complete_model)
@option(
    "text",
    group=TEXT,
    told="that of the model's run",
    shell_complete=complete_text,
    multiple=True,
    help="The training text.",
)
@setting_option(TextConfig, "encoding", group=TEXT)
@option("bytes", is_flag=True, group=TEXT, help="Compare bytes, for texts that are not UTF-8.")
@option("count", type=POSITIVE, default=COUNT, group=SAMPLES, help="Samples to draw of a model.")
@option(
    "length", short="n", type=POSITIVE, default=LENGTH, group=SAMPLES, help="Characters of each."
)
@option(
    "temperature",
    short="t",
    type=TEMPERATURE,
    default=SampleConfig.temperature,
    group=SAMPLES,
    help="Of the samples of a model.",
)
@option(
    "rng_seed",
    type=RNG_SEED,
    group=SAMPLES,
    told="another every time",
    help="The same seed draws the same samples.",
)
@option("json", is_flag=True, group=OUTPUT, help="Print one JSON object.")
@option(
    "show", is_flag=True, group=OUTPUT, help=f"Shade the first {SHOWN:,} characters of each sample."
)
@option("html", type=PATH, group=OUTPUT, help="Write the shaded samples to this file.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    model_or_text: tuple[str, ...],
    text: tuple[str, ...],
    encoding: str | None,
    count: int,
    length: int,
    temperature: float | str,
    rng_seed: int | None,
    bytes: bool,
    json: bool,
    show: bool,
    html: Path | None,
) -> None:
    """Show what stands word for word in the training text.

    MODEL_OR_TEXT is a text, or a model file or run folder, with which samples are written first;
    there may be several. For each sample: the longest run of characters that the training text
    holds, too, and the share of characters in such runs of at least 20, 40 and 80. Then how much
    the samples repeat themselves and each other.
    """
    if json and show:
        raise UsageError("--show and --json both write to standard output; give one of them")
    import numpy as np

    from char_rnn.analyse.diversity import diversity
    from char_rnn.analyse.overlap import overlaps
    from char_rnn.charrnn import CharRNN
    from char_rnn.cli.waiting import waiting
    from char_rnn.data.sources import open_source
    from char_rnn.generate.batch import check_room
    from char_rnn.runs.rules import check as check_settings
    from char_rnn.runs.text import symbols_of
    from char_rnn.storage import check_writable

    settings = SampleConfig(length, temperature)
    check_room(count, settings, 1)
    _check_names(model_or_text)
    models = {name: CharRNN.load(name) for name in model_or_text if _is_model(name)}
    check(DRAWING, given_options(ctx), {"models": models})
    known = [model.vocabulary for model in models.values() if model.vocabulary is not None]
    as_bytes = bytes or "bytes" in {vocabulary.kind for vocabulary in known}
    keep = not as_bytes and any("\r" in vocabulary for vocabulary in known)
    reading = TextConfig(as_bytes, encoding or "", keep_line_ends=keep)
    if encoding:
        check_settings({"encoding": encoding}, {"bytes": as_bytes})
    source = open_source(text, reading) if text else _own_text(models)
    if html is not None:
        check_writable(html)
    training = symbols_of(source, as_bytes, _form(models))
    rng = np.random.default_rng(rng_seed)
    samples, stopped = _samples(model_or_text, models, reading, settings, count, rng)
    if stopped is not None and not samples:
        raise stopped
    with waiting("Looking up") as told:
        found = overlaps(samples, training, told)
    if html is not None:
        from char_rnn.analyse.overlap import page
        from char_rnn.storage import write_text

        write_text(html, page(f"Copied from {source.name}", source.name, found))
        click.echo(f"Written: {html}", err=True)
    unit = "bytes" if as_bytes else "characters"
    variety = diversity([_text_of(symbols, as_bytes)[:MOST_DIVERSE] for _, symbols in samples])
    if json:
        _tell_json(source.name, len(training), unit, found, variety)
    else:
        _tell(source.name, len(training), unit, found)
        _tell_diversity(variety)
    if show:
        _show(found)
    if stopped is not None:
        raise stopped


def _samples(
    names: Sequence[str],
    models: "dict[str, CharRNN]",
    reading: TextConfig,
    settings: SampleConfig,
    count: int,
    rng: "np.random.Generator",
) -> tuple["list[tuple[str, np.ndarray]]", Interrupted | None]:
    """Return the texts, and `count` samples of each model, that `names` name, each under a title.

    A signal ends the writing: then what was finished comes back, and the signal.
    """
    from char_rnn.cli.waiting import waiting
    from char_rnn.data.sources import open_source
    from char_rnn.runs.text import symbols_of

    as_bytes = bool(reading.bytes)
    found: list[tuple[str, np.ndarray]] = []
    for name in names:
        if name not in models:
            source = open_source(name, reading)
            found.append((name, symbols_of(source, as_bytes, _form(models))))
            continue
        model, drawn, stopped = models[name], [], None
        of_bytes = model.vocabulary is not None and model.vocabulary.kind == "bytes"
        seed: str | bytes = b"" if of_bytes else ""  # what it makes may be no text
        texts: Texts[Any] = model.generate_each([seed] * count, settings, rng)
        try:
            with waiting("Writing samples"):
                for text in texts:
                    drawn.append(text)  # one by one, so that they stay if a signal comes
        except Interrupted as signal:
            texts.close()
            drawn += [text for _, (text, whole) in texts.rest() if whole]
            stopped = signal
        found += [(f"{name} {k}", _of_text(text, as_bytes)) for k, text in enumerate(drawn, 1)]
        if stopped is not None:
            click.echo(f"Note: stopped; of {name} {len(drawn)} finished samples count", err=True)
            return found, stopped
    return found, None


def _form(models: "dict[str, CharRNN]") -> "Form | None":
    """Return the form that the models write in, so that all is compared in it; None for several."""
    from char_rnn.data.vocabulary import Vocabulary

    known = [model.vocabulary for model in models.values()]
    forms = {vocabulary.form for vocabulary in known if isinstance(vocabulary, Vocabulary)}
    return forms.pop() if len(forms) == 1 else None


def _check_names(names: Sequence[str]) -> None:
    """Raise TextNotFound for the first of `names` that is nothing that is there."""
    from char_rnn.data.builtin import BUILTIN
    from char_rnn.storage.models import no_such

    for name in names:
        if not name:
            raise TextNotFound("the name of a text or model is empty; leave it out")
        if not (Path(name).exists() or name in BUILTIN or name == "-"):
            raise TextNotFound(no_such(Path(name)))


def _is_model(name: str) -> bool:
    """Tell whether an argument names a model and not a text."""
    from char_rnn.storage.models import CONFIG_FILE, LAST_FILE, MODEL_FILE, SHIPPED

    path = Path(name)
    if path.is_dir():
        return any((path / file).is_file() for file in (CONFIG_FILE, MODEL_FILE, LAST_FILE))
    return path.suffix in {".safetensors", ".pkl"} or (name == SHIPPED and not path.exists())


def _own_text(models: "dict[str, CharRNN]") -> "Source":
    """Return the source that the models were trained on, if there is one and it is unchanged."""
    from char_rnn.data.parts import where_shown
    from char_rnn.runs.text import source_of

    if not models:
        raise UsageError("which training text? Name it with --text")
    found: dict[str, Source] = {}
    for name, model in models.items():
        source = source_of(name, model)
        found[where_shown(source.where)] = source
    if len(found) > 1:
        raise UsageError(
            f"the models were trained on different texts ({', '.join(sorted(found))}); "
            "name one with --text"
        )
    where, source = next(iter(found.items()))
    click.echo(f"Training text: {where}", err=True)
    return source


def _of_text(text: str | bytes, as_bytes: bool) -> "np.ndarray":
    from char_rnn.data.vocabulary import ByteVocabulary, code_points

    if as_bytes or isinstance(text, bytes):
        return ByteVocabulary().encode(text)
    return code_points(text)


def _text_of(symbols: "np.ndarray", as_bytes: bool) -> str:
    from char_rnn.data.vocabulary import ByteVocabulary, from_code_points

    return ByteVocabulary().decode(symbols) if as_bytes else from_code_points(symbols)


def _tell_json(
    training: str, length: int, unit: str, found: "Sequence[Overlap]", variety: "Diversity"
) -> None:
    report = {
        "training_text": training,
        "length": length,
        "unit": unit,
        "samples": [overlap.to_dict() for overlap in found],
        "diversity": variety._asdict(),
    }
    echo_json(report)


def _tell(training: str, length: int, unit: str, found: "Sequence[Overlap]") -> None:
    floors = list(found[0].shares)
    width = max(6, *(len(overlap.name) for overlap in found))
    click.echo(f"Word for word in {training} ({length:,} {unit}):\n")
    click.echo(
        f"{'sample':<{width}}  {unit:>10}  longest  " + "  ".join(f"{f'{n}+':>6}" for n in floors)
    )
    for overlap in found:
        longest = overlap.longest.length if overlap.longest else 0
        shares = "  ".join(f"{overlap.shares[n]:>6.1%}" for n in floors)
        click.echo(f"{overlap.name:<{width}}  {overlap.characters:>10,}  {longest:>7,}  {shares}")
    click.echo("\nThe longest passages:")
    for overlap in found:
        if overlap.longest is None:
            click.echo(f"  {overlap.name}: none")
            continue
        at, size, quoted, place, line = overlap.longest
        cut = "…" if len(quoted) > QUOTED else ""
        click.echo(
            f"  {overlap.name}: {size:,} at {at:,}; in {training} at {place:,}, "
            f"line {line:,}: {quoted[:QUOTED]!r}{cut}"
        )


def _tell_diversity(variety: "Diversity") -> None:
    """Tell how much the samples repeat themselves and each other."""
    both = (variety.distinct_characters, variety.distinct_words)
    chars, words = (" ".join(f"{share:.3f}" for share in shares) for shares in both)
    click.echo("\nDistinct n-grams of 1, 2, 3 and 4, as a share of all (analyse/diversity.py):")
    click.echo(f"  of characters {chars}\n  of words      {words}")
    click.echo(f"In loops: {variety.looped:.1%}")
    if variety.overlap is not None:
        click.echo(
            f"Passages of 10 characters that another sample holds too: {variety.overlap:.1%}"
        )


def _show(found: "Sequence[Overlap]") -> None:
    from char_rnn.analyse.overlap import FLOORS, STYLES, coloured

    pieces = [("\nIn runs of at least", "")]
    for floor, style in zip(FLOORS, STYLES, strict=True):
        pieces += [(" ", ""), (f" {floor} ", style)]
    for overlap in found:
        pieces += [(f"\n\n{overlap.name}:\n", ""), *coloured(overlap.pieces, SHOWN)]
    write_styled([*pieces, ("\n", "")])
