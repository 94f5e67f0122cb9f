"""`config-remediator report`: what a journal says about a span of time, for people who do not read dashboards."""
