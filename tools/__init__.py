"""What makes documents; no part of the package."""
