"""Tests; real SDKs and real sockets wherever something crosses a wire."""
