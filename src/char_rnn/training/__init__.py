"""Training: optimisers, schedules, clipping, the trainer and its run folder."""
