"""What a long proof has done so far, kept in a file: it can be stopped and taken up again."""

import json
import os
from pathlib import Path
from typing import Any

from pointsbank.core.settings import ROOT

FOLDER = ROOT / "instance" / "prove"


class Progress:
    """A dictionary that is written to its file whenever it is told to."""

    def __init__(self, path: Path, begun_with: dict[str, Any]) -> None:
        """Take up what the file holds; begin anew when there is none."""
        self.path = path
        self.facts: dict[str, Any] = begun_with
        if path.exists():
            self.facts = begun_with | json.loads(path.read_text())

    def __getitem__(self, name: str) -> Any:
        """Return one fact."""
        return self.facts[name]

    def __setitem__(self, name: str, value: Any) -> None:
        """Change one fact; it is kept with the next save."""
        self.facts[name] = value

    def save(self) -> None:
        """Write the file so that a kill leaves either the old or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".part")
        with partial.open("w") as file:
            json.dump(self.facts, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.path)
