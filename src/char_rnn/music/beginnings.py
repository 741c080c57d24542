"""How a piece that a model writes begins and what becomes of it: free, or after a seed."""

from collections.abc import Iterable
from dataclasses import replace

from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import named
from char_rnn.errors import DataError, UnknownCharacters
from char_rnn.music.asked import Asked
from char_rnn.music.bars import end_of_bar
from char_rnn.music.grammar import Grammar
from char_rnn.music.midi import read_midi
from char_rnn.music.place import PITCHES, Place
from char_rnn.music.score import Change, Note, Score
from char_rnn.music.text_writer import to_text
from char_rnn.music.theory import HIGHEST, key_of, pitched, transpose, with_tonic
from char_rnn.storage.reading import StrPath

PIANO = PITCHES[21:109]
"""What a piece is written with that goes on from nothing."""


def seed_of(seed: Score | StrPath) -> Score:
    """Return a melody to go on from, up to the end of its last bar; DataError for no notes."""
    score = seed if isinstance(seed, Score) else read_midi(seed)[0]
    if not score.notes:
        raise DataError("the seed has no notes to go on from")
    return replace(score, length=end_of_bar(score.meters, score.steps, score.length))


class Free:
    """A piece from its begin, on a tonic that the model likes, and moved to the one asked for."""

    begun = ""

    def __init__(self, asked: Asked) -> None:
        self._tonic = asked.tonic
        self.asked = replace(asked, tonic=None)
        self.pitches = PIANO if asked.tonic is None else PIANO[6:-6]
        self._without_key: int | None = None

    def start(self, grammar: Grammar) -> Place:
        """Return the place where the model begins to write."""
        start = grammar.begin()
        self._without_key = start.tonality.tonic
        return start

    def finished(self, score: Score) -> Score:
        """Return a piece in the key that is asked for, and that it says."""
        score = _heard(score)
        if self.asked.scale is None:
            return score
        key = self._without_key, self.asked.mode
        if score.keys:
            key = self.asked.meant(score.keys[0].value)
        score = replace(score, keys=(Change(0, key),))
        return score if self._tonic is None else with_tonic(score, self._tonic)


def _heard(score: Score) -> Score:
    """Return a piece without the voices that never play, which MIDI has no place for."""
    heard = sorted({note.voice for note in score.notes}) or [0]
    notes = (replace(note, voice=heard.index(note.voice)) for note in score.notes)
    return replace(score, notes=tuple(notes), voices=tuple(score.voices[voice] for voice in heard))


class Seeded:
    """A piece that goes on from another, in the key in which the model knows that best."""

    def __init__(self, model: CharRNN, asked: Asked, seed: Score) -> None:
        self._seed = seed
        self._key = seed.keys[-1].value if seed.keys else key_of(seed)
        if asked.scale is not None and asked.tonic is None:
            asked = replace(asked, tonic=self._key[0])
        self._asked = asked
        self._moved, self._there, self.begun = _best_known(model, seed)
        self.asked = asked
        if asked.tonic is not None:
            self.asked = replace(asked, tonic=(asked.tonic + self._moved) % 12)
        self.pitches = PITCHES[max(self._moved, 0) : len(PITCHES) + min(self._moved, 0)]

    def start(self, grammar: Grammar) -> Place:
        """Return the place where the model goes on."""
        return grammar.after(self._there, (self._key[0] + self._moved) % 12)

    def finished(self, score: Score) -> Score:
        """Return the seed as it was, and what follows moved back, in the key asked for."""
        seed, start = self._seed, self._seed.length
        score = replace(score, notes=tuple(note for note in score.notes if note.start >= start))
        score = transpose(score, -self._moved)
        keys = [change for change in score.keys if change.start >= start]
        if self._asked.tonic is not None:
            keys = [Change(start, (self._asked.tonic, self._asked.mode))]
        if seed.keys and keys and keys[0] == Change(start, seed.keys[-1].value):
            del keys[0]
        tempos = (change for change in score.tempos if change.start >= start)
        return replace(
            score,
            notes=(*seed.notes, *score.notes),
            voices=seed.voices,
            tempos=(*seed.tempos, *tempos),
            keys=(*seed.keys, *keys),
        )


def _best_known(model: CharRNN, seed: Score) -> tuple[int, Score, str]:
    """Return by how many semitones to move a seed such that its text is likeliest; it; its text.

    Tempo and dynamics are left out of it where the model has no words for them.
    """
    assert model.vocabulary is not None
    plain = replace(seed, notes=tuple(replace(n, velocity=Note.velocity) for n in seed.notes))
    unknown: Iterable[str] = ()
    for one in (seed, plain, replace(plain, tempos=())):
        moved = [(semitones, transpose(one, semitones)) for semitones in _ways(one)]
        texts = [(*there, to_text(there[1], names=False)) for there in moved]
        known = [there for there in texts if not model.vocabulary.unknown(there[2])]
        if known:
            scores = model.score_each([text for *_, text in known])
            return known[min(range(len(known)), key=lambda at: scores[at].nats)]
        unknown = model.vocabulary.unknown(texts[0][2])
    raise UnknownCharacters(
        f"the model does not know {named(unknown)}, which the seed is written with; char-rnn music "
        "encode shows its text"
    )


def _ways(score: Score) -> list[int]:
    """Return by how many semitones a piece can be moved to each of the 12 keys, none first."""
    pitches = [note.pitch for note in pitched(score)]
    low, high = min(pitches, default=0), max(pitches, default=0)
    return [by for by in sorted(range(-6, 6), key=abs) if low + by >= 0 and high + by <= HIGHEST]
