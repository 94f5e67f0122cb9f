"""`make bench`: the worker against what people would use instead, on the same work, server and machine.

Run `python -m bench --help` for the rows. Everything is measured from outside: the canned server says when a message
was enqueued, received and settled, /proc says what the clients cost. Rows that are compared run interleaved, round by
round, client on one core and server on another; the server's own utilisation stands in every row, because a
measurement of a busy server says nothing about its clients.

How to read the tables: messages/s and milliseconds are this machine's and say little elsewhere; ratios between
programs of one row do. "CPU ms each" is what the client's whole process tree used per settled message, "server busy"
the share of its core that the canned server used: while it is well below 1 the server is not the bottleneck. The worker
is measured with the peers' three requests per message and, "as shipped", with its own defaults; without a journal like
its peers unless a row says so. Redis peers are helped twice: what Redis itself uses is not counted, and they count as
settled before they acknowledge. Peers sign with OSS signature V1, the worker with V4, which costs more.

Nothing here may reach into the worker: it is started as an operator would start it, with a configuration file.
"""
