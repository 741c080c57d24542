"""The built-in corpus keeps its own rules: full bars, keys, endings, motifs that return."""

from collections import Counter

from char_rnn.music import demo
from char_rnn.music.bars import bars
from char_rnn.music.demo import demo_scores, demo_text
from char_rnn.music.demo_styles import STYLES
from char_rnn.music.measures import describe, interval_histogram, longest_copied
from char_rnn.music.text import from_text, pieces

SCORES = demo_scores(400)


def test_every_tune_keeps_the_rules():
    figures = describe(SCORES)
    assert figures["tunes"] == 400
    assert figures["full_bars"] == figures["in_key"] == figures["end_on_tonic"] == 1
    for score in SCORES:
        assert score.length == bars(score)[-1].end
        assert len(bars(score)) in (8, 12, 16)
        assert all(a.end <= b.start for a, b in zip(score.notes, score.notes[1:], strict=False))
        last = score.notes[-1]
        assert last.end == score.length
        assert last.length >= 18  # a half, or half a bar
        pitches = [note.pitch for note in score.notes]
        assert 50 <= min(pitches) <= max(pitches) <= 88
        assert max(pitches) - min(pitches) <= 19


def test_melodies_go_mostly_by_steps_and_leap_seldom():
    counts = interval_histogram(SCORES)
    total = sum(counts.values())
    share = {size: sum(counts.get(by, 0) for by in (size, -size)) / total for size in range(13)}
    assert share[1] + share[2] > 0.45  # 0.48
    assert share[0] + share[1] + share[2] + share[3] + share[4] > 0.9
    assert sum(share[size] for size in range(8, 13)) < 0.03
    assert max(counts) <= 12
    assert min(counts) >= -12


def test_all_keys_modes_meters_are_there():
    keys = Counter(score.keys[0].value for score in SCORES)
    assert {tonic for tonic, _ in keys} == set(range(12))
    assert {mode for _, mode in keys} == {"major", "minor", "dorian", "mixolydian"}
    assert {score.meters[0].value for score in SCORES} == {(4, 4), (3, 4), (6, 8)}


def test_chords_stand_on_the_strong_beats_of_motifs():
    for style in STYLES:
        size = style.meter[0] * 48 // style.meter[1]
        for rhythm in style.rhythms:
            assert sum(rhythm) == size
            starts = {sum(rhythm[:i]) for i in range(len(rhythm))}
            assert 0 in starts
        for bar in (*style.halts, *style.closes):
            assert sum(length for length, _ in bar) == size
        assert all(bar[-1][1] == 0 and bar[-1][0] >= 18 for bar in style.closes)


def test_an_inversion_stays_in_its_chord():
    bar = [(12, 0), (6, 1), (6, 2), (12, 4), (12, None)]
    assert demo._inverted(bar) == [(12, 4), (6, 3), (6, 2), (12, 0), (12, None)]
    assert demo._inverted(demo._inverted(bar)) == bar


def test_motifs_return():
    """A phrase comes back, so that each tune has a good part of itself twice."""
    for score in SCORES[:40]:
        middle = bars(score)[4].start
        rhythms = Counter(
            tuple((n.start - a.start, n.length) for n in score.notes if a.start <= n.start < a.end)
            for a in bars(score)
        )
        assert rhythms.most_common(1)[0][1] >= 2
        assert middle


def test_no_two_tunes_are_alike_in_any_key():
    tunes = {
        tuple((n.start, n.length, n.pitch - s.notes[0].pitch) for n in s.notes) for s in SCORES
    }
    assert len(tunes) == len(SCORES)
    assert all(longest_copied(score, SCORES[1:]) < len(score.notes) for score in SCORES[:1])


def test_a_tune_that_was_there_is_drawn_anew(monkeypatch):
    plain = STYLES[0]._replace(rhythms=((48,),), halts=([(48, 0)],), closes=([(48, 0)],))
    monkeypatch.setattr(demo, "STYLES", (plain,))
    monkeypatch.setattr(demo, "FORMS", ("aA",))
    tunes = [score for score, _ in zip(demo._tunes(0), range(60), strict=False)]
    assert len({tuple(n.pitch - s.notes[-1].pitch for n in s.notes) for s in tunes}) == 60


def test_the_same_seed_gives_the_same_tunes():
    demo_scores.cache_clear()
    assert demo_scores(8) == SCORES[:8]
    assert demo_scores(8, seed=1) != SCORES[:8]


def test_the_text_is_that_of_the_tunes():
    text = demo_text(30, tonic=None)
    assert tuple(from_text(piece) for piece in pieces(text)) == SCORES[:30]
    assert text.endswith("|\n")
    in_c = [from_text(piece) for piece in pieces(demo_text(30))]
    assert {score.keys[0].value[0] for score in in_c} == {0}
    assert {score.notes[-1].pitch % 12 for score in in_c} == {0}
    for score, original in zip(in_c, SCORES, strict=False):
        assert longest_copied(score, [original]) == len(score.notes)
