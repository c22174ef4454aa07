import sys

try:
    from shakegen.cli import main

    main()
except KeyboardInterrupt:  # before there is a command to interrupt
    sys.exit(130)
