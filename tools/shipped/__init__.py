"""What judges the generators that ship, one module for each kind of picture."""
