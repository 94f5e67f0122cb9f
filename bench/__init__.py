"""`make bench`: the worker against what people would use instead, on the same work, server and machine.

Run `python -m bench --help` for the rows. Everything is measured from outside: the canned server says when a message
was enqueued, received and settled, /proc says what the clients cost. Rows that are compared run interleaved, round by
round, client on one core and server on another; the server's own utilisation stands in every row, because a
measurement of a busy server says nothing about its clients.

Nothing here may reach into the worker: it is started as an operator would start it, with a configuration file.
"""
