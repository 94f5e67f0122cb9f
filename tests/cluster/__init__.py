"""Applies everything below deploy/ to a real cluster, in scratch namespaces, and says what is not as it should be.

`python -m tests.cluster --context NAME`, or `make cluster CONTEXT=NAME`. It makes namespaces whose names begin with
`config-remediator-try-`, all of them with Pod Security `restricted`, and deletes them; it touches nothing else. No
image has to be pulled for it: it is about what the API server and its controllers accept.
"""
