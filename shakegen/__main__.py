import sys

try:
    from shakegen.cli import main

    main(prog_name="shakegen")
except KeyboardInterrupt:  # before there is a command to interrupt
    sys.exit(130)
