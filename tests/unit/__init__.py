"""Tests of pure code and of the engine on fakes: no network but loopback, no clock but the one passed in."""
