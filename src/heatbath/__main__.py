"""``python -m heatbath`` is the ``heatbath`` program."""

from heatbath.cli import main

if __name__ == "__main__":
    main()
