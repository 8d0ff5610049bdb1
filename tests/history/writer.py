"""A process that writes measurements and says which ones it is sure of."""

import sys

from harness.history.opening import open_history
from tests.history.rows import row


def main(where: str, writer: int, count: int) -> None:
    """Write rows one by one, and print the number of each that is written."""
    with open_history(where) as history:
        for number in range(count):
            history.add(row(float(number), number, scenario=f"writer/{writer}"))
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
