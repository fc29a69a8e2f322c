"""Models of different vocabulary, size and kind, for the question whether one knob means the same on all of them."""
