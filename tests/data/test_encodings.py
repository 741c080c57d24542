"""Which encoding a text looks like that is not UTF-8."""

import pytest

from char_rnn.data.decoding import likeliest

TEXTS = [
    (
        "cp1252",
        "Le garçon mangea la crème brûlée près de la forêt; où l'été était déjà là, ça ira. ",
    ),
    (
        "cp1252",
        "Der Bär läuft über die große Straße und hört süße Töne. Möge es nützen, wenn alle. ",
    ),
    ("cp1250", "Zażółć gęślą jaźń, a potem idź do łóżka i śnij o źrebięciu. "),
    ("cp1251", "Мой дядя самых честных правил, когда не в шутку занемог. "),
    ("koi8-r", "Мой дядя самых честных правил, когда не в шутку занемог. "),
    ("cp1253", "Ο ήλιος ανατέλλει πάνω από τη θάλασσα. "),
    ("cp932", "吾輩は猫である。名前はまだ無い。"),
    ("gb18030", "不可强制乃叹道此亦静极思动"),
]


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_the_likeliest_encoding_of_real_sentences(name, text):
    assert likeliest((text * 25).encode(name)) == name
