"""What `char-rnn evaluate` has found, as a person reads it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.measured import THIS
from char_rnn.cli.report import echo_json_lines
from char_rnn.cli.terminal import write_styled

if TYPE_CHECKING:
    import numpy as np

    from char_rnn.charrnn import CharRNN
    from char_rnn.data.corpus import Corpus
    from char_rnn.reading import TextScore
    from char_rnn.runs.lines import LineScores
    from char_rnn.runs.scored_text import ScoredText

SHOWN = 2000
ON_PAGE = 50_000
ROLLS = 12


def tell(report: dict[str, Any], left_out: dict[str, int]) -> None:
    """Print the figures of a text, and which of its characters were left out."""
    unit = report["unit"]
    click.echo(f"{report['text']}: {report['characters']:,} {unit}s, {report['scored']}")
    if left_out:
        from char_rnn.data.vocabulary import named

        click.echo(
            f"Left out, for the model does not know it: {named(left_out)}, "
            f"{sum(left_out.values()):,} in all"
        )
    click.echo()
    rows = [
        (THIS if name == "loss" else name, figures)
        for name, figures in report.items()
        if isinstance(figures, dict) and "nats" in figures
    ]
    rows += sorted(report.get("baselines", {}).items(), key=lambda row: row[1]["nats"])
    width = max(len(name) for name, _ in rows)
    of_one = unit.removesuffix("acter")
    click.echo(f"{'':<{width}}  nats/{of_one}  bits/{of_one}  perplexity")
    for name, f in rows:
        of = _perplexity(f["perplexity"])
        click.echo(f"{name:<{width}}  {f['nats']:>9.4f}  {f['bits']:>9.4f}  {of:>10}")
    _tell_weights([f for _, f in rows if "weight of the model" in f], unit)
    if "free running" in report:
        click.echo()
        _tell_free_running(report["free running"])
    # Of fewer, a tenth would be too few for n-grams to mean anything.
    enough = report["characters"] >= 1_000 and "baselines learn from" not in report
    if "baselines" in report and enough:
        click.echo("\nn-grams learn from the part before: give --val_fraction 0.1 to see them.")
    taught = report.get("baselines learn from", {"characters": 0, "of": 0})
    if taught["characters"] < taught["of"]:
        click.echo(
            f"\nThe baselines learn from the last {taught['characters']:,} of the "
            f"{taught['of']:,} characters before."
        )
    if report.get("most surprising"):
        click.echo("\nThe most surprising passages (mean nats a character):")
        for passage in report["most surprising"]:
            click.echo(f"  {passage['nats']:.2f} at {passage['at']:,}: {passage['text']!r}")


def _tell_weights(mixed: list[dict[str, Any]], unit: str) -> None:
    """Print how much of the model is in each mixture, and how that was found."""
    if mixed:
        weights = ", ".join(f"{figures['weight of the model']:.2f}" for figures in mixed)
        click.echo(
            f"\nMixed: {weights} of the model, fitted on the {mixed[0]['fitted on']:,} {unit}s "
            "before, which it was not trained on."
        )


def _perplexity(value: float) -> str:
    """Return a perplexity in ten columns; one of ten million or more has an exponent."""
    if value == math.inf:
        return "over 1e308"  # beyond a float
    return f"{value:.2e}" if value >= 1e7 else f"{value:.2f}"


def _tell_free_running(found: dict[str, Any]) -> None:
    """Print a line for each distance, and one that says what grows."""
    click.echo(
        f"Free running: {found['passages']} passages of {found['context']} characters, each "
        f"continued for {found['length']:,}\nby the text and by the model; nats a character "
        "(± standard error)\n"
    )
    names = {"model": "this model", "reference": f"{found['order']}-gram of the part before"}
    if found["reference"] is None:
        del names["reference"]
    click.echo(f"{'':<9}" + "".join(f"  {name:<34}" for name in names.values()).rstrip())
    click.echo("distance " + len(names) * f"  {'on real':>8} {'on own':>8} {'own - real':>16}")
    for row in found["rows"]:
        first, last = row["first"], row["last"]
        line = f"{first if first == last else f'{first}–{last}':<9}"
        for loss in (row[name] for name in names):
            difference = f"{loss['own'] - loss['real']:+.3f} ± {loss['error']:.3f}"
            line += f"  {loss['real']:>8.3f} {loss['own']:>8.3f} {difference:>16}"
        click.echo(line)
    click.echo(
        f"\nown - real up to distance {found['near']} and from {found['far']} on, and its growth:"
    )
    for key, name in names.items():
        growth = found[key]
        click.echo(
            f"{name}: {growth['near']:+.3f} and {growth['far']:+.3f}; growth "
            f"{growth['far'] - growth['near']:+.3f} ± {growth['error']:.3f}"
        )
    if found["reference"] is None:
        click.echo("A reference learns from the part before: give --val_fraction 0.1 to see it.")


def show(scored: str, nats: "np.ndarray") -> None:
    """Print the text, coloured by its surprise."""
    from char_rnn.analyse.surprise import coloured

    write_styled([("\n", ""), *coloured(scored, nats), ("\n", "")])


def write_page(
    path: Path, model: "CharRNN", found: "ScoredText", nats: "np.ndarray", scored: str
) -> None:
    """Write the beginning of the text as a heat map to `path`."""
    from char_rnn.analyse.surprise import likeliest, page
    from char_rnn.storage import write_text

    corpus, start = found.corpus, found.start
    stop = min(corpus.length, start + 1 + ON_PAGE)
    expected = likeliest(model, corpus, start, stop)
    title = f"{corpus.name}: where it surprises the model"
    ids = corpus.read(start + 1, stop)
    shown = list(corpus.vocabulary.idx_to_char.values())
    rolls = _rolls(corpus, start, stop, nats)
    write_text(path, page(title, shown, ids, expected, float(nats.mean()), rolls))
    cut = f" (the first {len(ids):,} characters)" if len(ids) < len(scored) else ""
    click.echo(f"Written: {path}{cut}", err=True)


def _rolls(corpus: "Corpus", start: int, stop: int, nats: "np.ndarray") -> str:
    """Return markup that shows and plays the first pieces of a text of music, "" of another."""
    from itertools import islice, pairwise

    if corpus.ends is None or corpus.vocabulary.documents != "blank":
        return ""
    ends = corpus.ends[(corpus.ends >= start) & (corpus.ends < stop)].tolist()
    texts, names = [], []
    for number, (before, end) in enumerate(islice(pairwise(ends), ROLLS), 1):
        texts.append(corpus.passage(before + 1, end))
        names.append(f"Piece {number}: {nats[before - start : end - start].mean():.3f} nats")
    from char_rnn.music.page import texts_part

    return texts_part(texts, names)


def tell_lines(scores: Sequence["TextScore"], as_json: bool) -> None:
    """Print a figure for each line: a table, or an object of JSON a line."""
    if as_json:
        echo_json_lines(
            {
                "line": score.place,
                "characters": score.characters,
                "left out": score.left_out,
                "nats": score.nats,
                "loss": score.loss,
                "bits": score.bits,
                "perplexity": score.perplexity,
                "text": score.text,
            }
            for score in scores
        )
        return
    width = max(4, *(len(f"{score.place:,}") for score in scores))
    some = any(score.left_out for score in scores)
    missing = "  left out" if some else ""
    click.echo(f"{'line':>{width}}  characters{missing}       nats  nats/char  perplexity  text")
    for score in scores:
        left_out = f"  {score.left_out:>8,}" if some else ""
        click.echo(
            f"{score.place:>{width},}  {score.characters:>10,}{left_out}  {score.nats:>9.4f}  "
            f"{score.loss:>9.4f}  {_perplexity(score.perplexity):>10}  "
            + score.text.replace("\n", r"\n")
        )


def summary(found: "ScoredText", lines: "LineScores") -> str:
    """Return in a line how many lines were scored, of what, and what was left out."""
    with_end = ", line ends counted" if "\n" in found.corpus.vocabulary else ""
    said = (
        f"{found.corpus.name}: lines scored: {len(lines.scores):,}, {found.reason}; "
        f"{lines.loss:.4f} nats a {found.corpus.vocabulary.unit}{with_end}"
    )
    left_out = {
        "empty lines": lines.empty,
        "lines of which the model knows nothing": lines.unknown,
        "characters that it does not know": sum(score.left_out for score in lines.scores),
    }
    told = ", ".join(f"{what}: {count:,}" for what, count in left_out.items() if count)
    return f"{said}; left out, {told}" if told else said
