"""`config-remediator watch`: one worker, live."""
