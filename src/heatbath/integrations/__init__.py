"""heatbath inside other people's tools: one file per foreign library, imported only by whoever asks for that file."""
