"""``python -m takedowns`` is the ``vapewatch`` command."""

from takedowns.cli import main

main()
