"""`rvosbench doctor`: what is installed, what is missing, what stands in the way."""

from __future__ import annotations

import typer

from rvosbench.cli import options
from rvosbench.cli.screen import emit, show


def doctor_command(as_json: options.AsJson = False) -> None:
    """Check this installation: versions, devices, plugins, weights, shadowed packages.

    Exits 1 if something is wrong. Example: rvosbench doctor
    """
    from rvosbench.doctor import examine

    findings = examine()
    if as_json:
        emit(
            [{"check": f.check, "ok": f.ok, "found": f.found, "advice": f.advice} for f in findings]
        )
    else:
        rows = [
            ["ok" if f.ok else "WRONG", f.check, f.found, "" if f.ok else f.advice]
            for f in findings
        ]
        show("", ["", "check", "found", "what to do"], rows)
    if not all(f.ok for f in findings):
        raise typer.Exit(1)
