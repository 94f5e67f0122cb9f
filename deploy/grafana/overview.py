"""The dashboard for everybody: is anything exposed, for how long, may we act, are we keeping up; and why."""

from __future__ import annotations

from deploy.grafana.rows.endings import ENDINGS
from deploy.grafana.rows.exposure import EXPOSURE, UNSOLVED
from deploy.grafana.rows.guards import GUARDS
from deploy.grafana.rows.now import NOW
from deploy.grafana.rows.upstream import UPSTREAM

UID = "config-remediator-overview"
TITLE = "config-remediator"
DESCRIPTION = "Is anything exposed, for how long, may it be repaired, and do the replicas keep up. Start here."

ROWS = (NOW, EXPOSURE, UNSOLVED, ENDINGS, GUARDS, UPSTREAM)
