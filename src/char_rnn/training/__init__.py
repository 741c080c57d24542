"""Learning, and nothing of files or folders: the trainer is an iterator of events.

a step     learner, bptt, optimisers, clipping, average, recovery
regularise dropout, scheduled_sampling
cores      parallel, shared, worker
a run      trainer, budget, validation, progress, events, own, calibration
"""
