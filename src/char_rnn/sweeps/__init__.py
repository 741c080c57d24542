"""Comparing settings over seeds, on all cores and on many machines, through Optuna (extra `sweep`).

vary      what is varied: --vary hidden_size=128,256 or learning_rate=0.001..0.01
spec      a sweep as it was asked for: its text, its settings, its jobs; and what makes it the same
store     where the jobs are kept: a journal file in a folder, or a database
jobs      who does which job: taking one, giving it back, finding those of workers that have died
training  one job: a model, trained in this process, told to the store as it gets better
worker    a process that does jobs until none is left
results   the rows of the table, the best, and what repeats each
picture   the figure
begin     the front door: `char_rnn.sweep`
"""
