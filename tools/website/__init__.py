"""What turns docs/, docstrings and parsers into the site that tools/docs builds."""
