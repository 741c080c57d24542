"""What may follow within a bar: voices, layers, items and their lengths."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from char_rnn.music.asked import EVERY, MOST_BARS, Asked
from char_rnn.music.bars import Meter, bar_length, beat_length
from char_rnn.music.lengths import Lengths
from char_rnn.music.notation import DYNAMICS
from char_rnn.music.place import PITCHES, Place
from char_rnn.music.spelling import C_MAJOR, Key, spell

Words = dict[str, Callable[[], Place]]
"""Each word that may come, and what makes the place behind it."""
MOST_LAYERS, MOST_CHORD, OCTAVE = 4, 10, 12
MOST_TABLES = 2_000


class BarGrammar:
    """The words of a bar, for a model that can write what is `writable`; pitches: but for drums."""

    def __init__(self, asked: Asked, writable: Callable[[str], bool], pitches: range) -> None:
        self.asked, self.writable, self._pitches = asked, writable, pitches
        self.limit = asked.bars or MOST_BARS
        self.lengths = lru_cache(MOST_TABLES)(self._lengths)
        self.spelt = lru_cache(64)(self._spelt)

    def _lengths(self, meter: Meter, grid: int) -> Lengths:
        return Lengths(grid, bar_length(meter, grid), self.writable)

    def _spelt(self, key: Key, classes: frozenset[int], drums: bool = False) -> dict[int, str]:
        """Return how each pitch of these classes is written in a key, where it can be."""
        pitches = PITCHES if drums else self._pitches
        words = {pitch: spell(pitch, key) for pitch in pitches if pitch % 12 in classes}
        return {pitch: word for pitch, word in words.items() if self.writable(word)}

    # The phases

    def in_voice(self, place: Place) -> Words:
        """Return the marks of the voices that may come, of several, and the end of the bar."""
        due = [voice for voice, _ in place.pending]
        if self._is_last(place) and place.voice < place.closing:
            due.append(place.closing)
        space = " " if place.voice >= 0 else ""
        voices = range(place.voice + 1, min([*due, len(place.drums) - 1]) + 1)
        there = [place.in_voice(voice) for voice in voices]
        words: Words = {
            f"{space}{p.voice + 1}:": partial(place.in_voice, p.voice)
            for p in there
            if self._members(p) or p.due
        }
        if not due:
            words["|"] = place.next_bar
        return words

    def item(self, place: Place) -> Words:
        """Return a space where a beat begins, and behind it notes, chords, dynamics, a rest."""
        words: Words = {}
        if place.layer and place.now and not place.rested:
            words |= self.done(place)
        if not place.left:
            return words
        beat = beat_length(place.meter, place.grid)
        space = " " if place.now and place.now % beat == 0 else ""
        words |= {space + word: after for word, after in self.note(place).items()}
        if self.writable("]") and self._members(place, chord=True):
            words[f"{space}["] = partial(replace, place, phase="chord", within=True)
        if not place.due and not place.rested and self._steps(place):
            words[f"{space}z"] = partial(replace, place, phase="length")
        marks = self._marks(place) if self._members(place) and not place.due else {}
        return words | {space + word: after for word, after in marks.items()}

    def note(self, place: Place) -> Words:
        """Return the notes that may come: alone, or behind dynamics in a chord."""
        if place.within:
            return self._in_chord(place)
        notes = self._members(place)
        return {
            word: partial(replace, place, phase="length", heads=(pitch,))
            for pitch, word in notes.items()
        }

    def chord(self, place: Place) -> Words:
        """Return the next notes of a chord, which rise, and its end."""
        words = self._in_chord(place)
        if words and not place.due:
            words |= self._marks(place)
        if len(place.heads) > 1 and not place.due:
            words["]"] = partial(replace, place, phase="length", within=False)
        return words

    def length(self, place: Place) -> Words:
        """Return how long the item in hand may be, and whether a note goes on in the next bar."""
        last = self._is_last(place)
        steps = self._steps(place)
        if place.tied:
            steps = [place.left]
        table = self.lengths(place.meter, place.grid)
        words: Words = {table.words[n]: partial(place.played, n, place.tied, last) for n in steps}
        if len(place.heads) == 1 and place.left in steps and self._may_tie(place):
            tied = frozenset(place.heads)
            words[table.words[place.left] + "-"] = partial(place.played, place.left, tied, last)
        return words

    def done(self, place: Place) -> Words:
        """Return what may follow a layer: another, another voice, the end of the bar."""
        words: Words = {"|": place.next_bar} if len(place.drums) == 1 else self.in_voice(place)
        if place.layer + 1 < MOST_LAYERS and not self._is_last(place):
            another = place.in_layer()
            if self._members(another):
                words["&"] = lambda: another
        return words

    # What they ask

    def _is_last(self, place: Place) -> bool:
        """Tell whether the piece has to end with this bar."""
        return place.bar == self.limit - 1

    def _closes(self, place: Place) -> bool:
        """Tell whether this voice has to end the piece with a note, together with others."""
        last = place.voice == place.closing or not place.drums[place.voice]
        return last and self._is_last(place)

    def _may_tie(self, place: Place) -> bool:
        return not place.layer and place.bar + 2 < self.limit

    def _marks(self, place: Place) -> Words:
        """Return the dynamics, behind which a note comes."""
        after = partial(replace, place, phase="note")
        return {f"!{mark}!": after for mark in DYNAMICS}

    def _notes(self, place: Place) -> dict[int, str]:
        """Return all notes of a voice as they are written."""
        if place.drums[place.voice]:
            return self.spelt(C_MAJOR, EVERY, drums=True)
        return self.spelt(place.tonality.spelt, place.tonality.classes)

    def _steps(self, place: Place, ends: bool | None = None) -> list[int]:
        """Return how many steps the item in hand may take.

        ends: whether it may be the last of its bar; None to look at what it is.
        """
        table, left = self.lengths(place.meter, place.grid), place.left
        ends = self._may_end(place) if ends is None else ends
        if place.layer:  # what it leaves need not be filled, but a rest stands before a note
            rest = 0 if place.heads else table.shortest
            return [steps for steps in table.words if steps + rest <= left]
        closes = self._closes(place)
        filled, least = (table.ended, table.long) if closes else (table.filled, 1)
        return [
            steps
            for steps in table.words
            if (steps < left and filled[left - steps])
            or (steps == left and ends and steps >= least)
        ]

    def _may_end(self, place: Place) -> bool:
        """Tell whether the item in hand may be the last of its bar."""
        if not self._is_last(place):
            return True
        if not place.heads:
            return not self._closes(place)
        first, *others = place.heads
        return first in self._lowest(place) and self._chord_tones(place) >= {*others}

    def _lowest(self, place: Place) -> set[int]:
        """Return the lowest pitches with which a voice may end the piece.

        The lowest of all is the tonic: the voice that closes it sees to that, and the others leave
        it room. It is within an octave of what the voice has played in this bar, if it can be.
        """
        tones, tonic = self._chord_tones(place), place.tonality.tonic
        if tonic is None or place.drums[place.voice]:
            return tones
        tonics = {pitch for pitch in tones if pitch % 12 == tonic}
        if place.voice < place.closing:
            return {pitch for pitch in tones if pitch >= min(tonics)}
        below = {pitch for pitch in tonics if pitch < place.low}
        below = {pitch for pitch in below if _near(pitch, place.here)} or below
        if place.low % 12 == tonic and place.low in tonics:
            return below | {pitch for pitch in tones if pitch >= place.low}
        return below

    def _chord_tones(self, place: Place) -> set[int]:
        classes = EVERY if place.drums[place.voice] else place.tonality.triad
        return {pitch for pitch in self._notes(place) if pitch % 12 in classes}

    def _members(self, place: Place, chord: bool = False) -> dict[int, str]:
        """Return the notes that may come next, alone or in a chord, as they are written."""
        notes = self._notes(place)
        found: set[int] = notes.keys() - place.used
        tones: set[int] = notes.keys() - place.used
        some = replace(place, heads=(0,))
        if not self._steps(some, True):  # no note is as short as what is left
            return {}
        if not self._steps(some, not self._is_last(place)):  # it must be the last
            found &= self._chord_tones(place) if place.heads else self._lowest(place)
            tones = {*self._chord_tones(place)}
        due, heads = place.due, place.heads
        if not chord:
            if due:
                found = {*due} if len(due) == 1 else set()
            return {pitch: notes[pitch] for pitch in sorted(found)}
        if heads:
            found = {pitch for pitch in found if pitch > heads[-1]}
        elif tones:  # one that another can follow
            found = {pitch for pitch in found if pitch < max(tones)}
        if due:
            full = len(heads) + len(due) >= MOST_CHORD
            found = {due[0]} if full else {pitch for pitch in found if pitch <= due[0]}
        elif len(heads) >= MOST_CHORD:
            found = set()
        return {pitch: notes[pitch] for pitch in sorted(found)}

    def _in_chord(self, place: Place) -> Words:
        """Return the notes that may come next in a chord, each also with a tie."""
        words: Words = {}
        ties = self._may_tie(place) and place.left in self._steps(replace(place, heads=(0,)))
        for pitch, word in self._members(place, chord=True).items():
            after = partial(replace, place, phase="chord", within=True, heads=(*place.heads, pitch))
            words[word] = after
            if ties:
                words[word + "-"] = partial(after, tied=place.tied | {pitch})
        return words


def _near(pitch: int, others: frozenset[int]) -> bool:
    return any(abs(pitch - other) <= OCTAVE for other in others)
