"""The program, run in the place of one that maps one file without what packets carry: ``baring.py FILE COMMAND... --
ARGUMENTS...``, as an other version on one of the workers might."""

import os
import sys


def main() -> None:
    file, *words = sys.argv[1:]
    split = words.index("--")
    command, arguments = words[:split], words[split + 1 :]
    if arguments[0] == "map" and file in arguments:
        arguments = [word for word in arguments if word not in ("--connections", "--payload")]
    os.execvp(command[0], [*command, *arguments])


main()
