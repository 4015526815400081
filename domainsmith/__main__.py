"""Run the command line as ``python -m domainsmith``."""

from domainsmith.apps.cli.main import entry

if __name__ == "__main__":
    entry()
