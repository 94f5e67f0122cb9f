"""Mutation testing: each line of the engine, the guards and the policies is broken, and a unit test has to notice."""
