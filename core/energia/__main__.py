"""The command line: `energia`, or `python -m energia`."""

from energia import signals


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    # Before anything heavy is imported: process 1 of a container ignores SIGTERM until then.
    signals.install()
    from energia.cli.main import energia

    energia(prog_name="energia")


if __name__ == "__main__":
    main()
