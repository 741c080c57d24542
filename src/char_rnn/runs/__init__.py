"""Runs: what a user begins, looks at and goes on with. `char_rnn.train` and `resume` are here.

the door   begin, new, going_on, plan, room, rules, words
a run      run, folder, record, checkpoint, lock
its text   text, scored_text, score
to see     watch, screen, describe, curves, picture
"""
