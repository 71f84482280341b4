"""`python -m seamline.cli`."""

from .main import main

main()
