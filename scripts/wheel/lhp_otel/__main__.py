"""`python -m lhp_otel` is the command lhp-otel."""

import os
import sys

# Python puts the working folder first: a package of a project must not take the place of ours.
if sys.path[0] in ("", os.getcwd()):
    del sys.path[0]

from lhp_otel import main

main()
