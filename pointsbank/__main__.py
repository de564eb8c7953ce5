"""Runs `python -m pointsbank` as the command `pointsbank`."""

from pointsbank.commands import main

if __name__ == "__main__":
    main(prog_name="pointsbank")
