"""Renew what docs/ has from the code, pages and floor plan: `python -m tools`."""

from tools import floor_plan, reference

reference.main()
floor_plan.main()
