"""`python -m cli`: the same as `mem`."""

from cli.main import main

main()
