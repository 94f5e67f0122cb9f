"""What the operator's commands do, one module a command; `consumer.cli.commands` has their options and help texts.

Nothing here runs inside the worker. Whatever a command decides about a message or a bucket, it decides with the
worker's own code.
"""
