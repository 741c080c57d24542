"""Texts that keep conditions: what may come next at every place, and back where a text runs dry.

Read base.py (what a constraint is), closing.py (the shortest one), guard.py (several at once),
rewind.py (writing under them), writer.py; code.py and statement.py are Python that parses. Of
regular expressions: pattern.py reads one into terms.py, nodes.py is the tree that a text is read
along, counts.py its counters, automaton.py the moves, alphabet.py kinds of characters, regular.py
the constraint.
"""
