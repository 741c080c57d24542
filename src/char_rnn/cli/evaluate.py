"""`char-rnn evaluate`: how well a model knows a text, and what that number means."""

import json
import math
from pathlib import Path
from typing import Any

import click

from char_rnn.cli.main import option
from char_rnn.errors import UnknownCharacters, UsageError

MOST_GRAMS = 6
SHOWN = 2000
ON_PAGE = 50_000
MOST_TRAINING = 20_000_000


@click.command("evaluate", short_help="Measure how well a model knows a text.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("text")
@option(
    "val_fraction",
    type=float,
    help="Score this share of the text, at its end; the rest teaches the baselines.  [default: "
    "as in training if this is the text of the training, else all of it]",
)
@option("windows", type=int, help="Also from a zero state, in windows of so many characters.")
@option("dynamic", is_flag=True, help="Also while learning from what was read (one stream, slow).")
@option("streams", type=int, default=64, show_default=True, help="Pieces side by side; 1 is exact.")
@option("no_baselines", is_flag=True, help="Leave the baselines out.")
@option("json", is_flag=True, help="Print one JSON object.")
@option("show", is_flag=True, help=f"Colour the first {SHOWN:,} characters by their surprise.")
@option("html", type=click.Path(path_type=Path), help="Write the text as a heat map to this file.")
def command(
    model: Path, text: str, val_fraction: float | None, windows: int | None, dynamic: bool,
    streams: int, no_baselines: bool, json: bool, show: bool, html: Path | None,
) -> None:  # fmt: skip
    """Measure how well MODEL, a model file or a run folder, knows TEXT.

    The loss is the mean of -log p over all characters, each predicted from all before it: in nats
    and bits a character, and as perplexity. Beside it, what simpler models reach on the same
    characters. TEXT is a file, a folder, - for standard input, or a built-in text.
    """  # fmt: skip
    for name, value in (("windows", windows), ("streams", streams)):
        if value is not None and value < 1:
            raise UsageError(f"--{name} is {value}; it must be at least 1")
    if val_fraction is not None and not 0 < val_fraction <= 1:
        raise UsageError(f"--val_fraction is {val_fraction}; it must lie between 0 and 1")
    from char_rnn.analyse.score import cold_loss, dynamic_surprisals, surprisals  # noqa: PLC0415
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415
    from char_rnn.cli.show import waiting  # noqa: PLC0415

    network = CharRNN.load(model)
    corpus = _read(network, text)
    start, reason = _start(network, corpus, val_fraction)
    count = corpus.length - start - 1
    if count < 1:
        raise UsageError(f"{corpus.name} leaves {count + 1} characters to score; 2 are needed")
    report: dict[str, Any] = {
        "model": str(model), "text": corpus.name, "scored": reason, "characters": count,
    }  # fmt: skip
    with waiting("Reading the text") as told:
        nats = surprisals(network, corpus, start, corpus.length, streams, told)
    report["loss"] = _figures(float(nats.mean()))
    if windows:
        with waiting(f"Windows of {windows}") as told:
            cold = cold_loss(network, corpus, start, corpus.length, windows, told)
        report[f"windows of {windows}, each from the initial state"] = _figures(cold)
    if dynamic:
        with waiting("Dynamic evaluation") as told:
            learned = dynamic_surprisals(network, corpus, start, corpus.length, progress=told)
        report["dynamic evaluation (learns as it reads)"] = _figures(float(learned.mean()))
    if not no_baselines:
        with waiting("Baselines") as told:
            report["baselines"] = _baselines(corpus, start, told)
    scored = corpus.vocabulary.decode(corpus.read(start + 1, corpus.length))
    bytewise = len(scored) != count  # bytes that are not one character each
    if not bytewise:
        report["most surprising"] = _passages(scored, nats)
    _tell(report, json)
    if (show or html) and bytewise:
        raise UsageError("--show and --html need a model of characters; this one reads bytes")
    if show:
        _show(scored[:SHOWN], nats[:SHOWN])
    if html:
        _write_page(html, network, corpus, start, nats, scored)


def _read(network: Any, text: str) -> Any:
    from char_rnn.data.corpus import Corpus  # noqa: PLC0415
    from char_rnn.data.sources import open_source  # noqa: PLC0415

    vocabulary = network.vocabulary
    if vocabulary is None:
        raise UsageError("the model has no vocabulary; it cannot read a text")
    as_bytes = vocabulary.kind == "bytes"
    source = open_source(text, as_bytes=as_bytes)
    try:
        return Corpus.from_source(source, as_bytes=as_bytes, vocabulary=vocabulary)
    except UnknownCharacters as error:
        raise UnknownCharacters(
            f"{source.name}: {str(error).partition(';')[0]}; a model can only be scored on "
            "characters that it knows: take another text, or train it on this one with "
            "char-rnn train TEXT --start_from MODEL"
        ) from error


def _start(network: Any, corpus: Any, val_fraction: float | None) -> tuple[int, str]:
    """Return where scoring starts, and why."""
    summary = network.summary
    own = summary.get("text_sha256") == corpus.sha256
    if val_fraction is None and own and summary.get("val_fraction"):
        fraction = float(summary["val_fraction"])
        return int(corpus.length * (1 - fraction)), (
            f"the last {fraction:.0%} of the text, which this model was not trained on"
        )
    if val_fraction is not None and val_fraction < 1:
        return int(corpus.length * (1 - val_fraction)), f"the last {val_fraction:.0%} of the text"
    seen = ", most of which it was trained on" if own else ""
    return 0, f"the whole text{seen}"


def _figures(nats: float) -> dict[str, float]:
    return {"nats": nats, "bits": nats / math.log(2), "perplexity": math.exp(nats)}


def _baselines(corpus: Any, start: int, told: Any) -> dict[str, dict[str, float]]:
    """Return the losses of the baselines; those that learn need a part before `start`."""
    from char_rnn.analyse import baselines  # noqa: PLC0415

    V = corpus.vocabulary.size
    found = {"uniform": baselines.uniform(V)}
    test = corpus.read(start + 1, corpus.length)
    train = corpus.read(max(0, start + 1 - MOST_TRAINING), start + 1)
    if start:
        for n, nats in baselines.ngram_nats(train, test, V, MOST_GRAMS).items():
            found["unigram" if n == 1 else f"{n}-gram"] = float(nats.mean())
    told(0.5)
    before = corpus.vocabulary.decode(train).encode() if start else b""
    after = corpus.vocabulary.decode(test).encode()
    for name in baselines.COMPRESSORS:
        found[name] = baselines.compressed(name, before, after, len(test))
    return {name: _figures(loss) for name, loss in found.items()}


def _passages(scored: str, nats: Any) -> list[dict[str, Any]]:
    from char_rnn.analyse.surprise import most_surprising  # noqa: PLC0415

    return [passage._asdict() for passage in most_surprising(scored, nats)]


def _tell(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    click.echo(f"{report['text']}: {report['characters']:,} characters, {report['scored']}\n")
    rows = [
        ("this model" if name == "loss" else name, figures)
        for name, figures in report.items()
        if isinstance(figures, dict) and "nats" in figures
    ]
    rows += sorted(report.get("baselines", {}).items(), key=lambda row: row[1]["nats"])
    width = max(len(name) for name, _ in rows)
    click.echo(f"{'':<{width}}  nats/char  bits/char  perplexity")
    for name, f in rows:
        click.echo(
            f"{name:<{width}}  {f['nats']:>9.4f}  {f['bits']:>9.4f}  {f['perplexity']:>10.2f}"
        )
    if "baselines" in report and "unigram" not in report["baselines"]:
        click.echo("\nn-grams learn from the part before: give --val_fraction 0.1 to see them.")
    if report.get("most surprising"):
        click.echo("\nThe most surprising passages (mean nats a character):")
        for passage in report["most surprising"]:
            click.echo(f"  {passage['nats']:.2f} at {passage['at']:,}: {passage['text']!r}")


def _show(scored: str, nats: Any) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from char_rnn.analyse.surprise import coloured  # noqa: PLC0415

    shown = Text()
    for piece, style in coloured(scored, nats):
        shown.append(piece, style=style or None)
    click.echo()
    Console(highlight=False).print(shown, soft_wrap=True)


def _write_page(path: Path, network: Any, corpus: Any, start: int, nats: Any, scored: str) -> None:
    from char_rnn.analyse.score import likeliest  # noqa: PLC0415
    from char_rnn.analyse.surprise import page  # noqa: PLC0415
    from char_rnn.storage import write_text  # noqa: PLC0415

    stop = min(corpus.length, start + 1 + ON_PAGE)
    ids, shares = likeliest(network, corpus, start, stop)
    chars = corpus.vocabulary.chars
    rows = [
        [(chars[i], float(p)) for i, p in zip(*row, strict=True)]
        for row in zip(ids, shares, strict=True)
    ]
    size = len(rows)
    title = f"{corpus.name}: where it surprises the model"
    write_text(path, page(title, scored[:size], nats[:size], rows, float(nats.mean())))
    cut = f" (the first {size:,} characters)" if size < len(scored) else ""
    click.echo(f"Written: {path}{cut}", err=True)
