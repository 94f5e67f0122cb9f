"""Prints the announcements that the topic pushes to it over HTTP: what a team's own receiver begins with."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deploy.compose.emulated import say
from emulator.interruption import command

PORT = 8005
_LARGEST_BYTES = 1 << 17


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what it has printed, and 400 to what is no announcement; a push that fails is tried again."""

    timeout = 5.0

    def do_POST(self) -> None:
        """One push with the content format SIMPLIFIED: the body is the announcement."""
        try:
            size = int(self.headers.get("Content-Length", ""))
            data = json.loads(self.rfile.read(min(size, _LARGEST_BYTES)))["data"]
            line = f"{data['kind']}: {data['summary']}"
            if owner := (data.get("resource") or {}).get("owner"):
                line += f" (owner: {owner})"
        except (ValueError, LookupError, AttributeError, TypeError):
            self.send_error(400)
            return
        # Nothing in a name or a tag controls the terminal that reads this.
        say("".join(character if character.isprintable() else "\ufffd" for character in line))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing besides."""


def main() -> int:
    """Receive until the container is stopped."""
    with ThreadingHTTPServer(("", PORT), Receiver) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    command("announcements", main)
