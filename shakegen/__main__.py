from shakegen.cli import main

main()
