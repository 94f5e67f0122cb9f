"""The dashboard for whoever looks for a cause: books, queue, services and the process itself."""

from __future__ import annotations

from deploy.grafana.panels import BAD, COUNT, FACT, GOOD, PER_SECOND, UNKNOWN, WARN, Kind, Panel, Query, Row
from deploy.grafana.queries import ALL_THERE, DOWN, EVERY, JOB, counted

UID = "config-remediator-internals"
TITLE = "config-remediator internals"
DESCRIPTION = "Books, queue, services and process, replica by replica."

_RECEIVED = f"remediator_messages_received_total{{{JOB}}}"
_SETTLED = f"sum without (disposition) (remediator_messages_settled_total{{{JOB}}})"
_IN_FLIGHT = f"sum without (state) (remediator_messages_in_flight{{{JOB}}})"

BOOKS = Row(
    "Books",
    (
        Panel(
            "Do the books balance?",
            "Received, less settled, less in flight, over all replicas. Anything else is a defect. Unknown while a"
            " replica cannot be scraped.",
            Kind.STAT,
            COUNT,
            (
                Query(
                    f"sum(abs({_RECEIVED} - ({_SETTLED} + {_IN_FLIGHT}))) and on () {ALL_THERE} unless on () ({DOWN})",
                    "difference",
                ),
            ),
            width=6,
            steps=((None, UNKNOWN), (0, GOOD), (1, BAD)),
            texts={"0": ("yes", GOOD)},
        ),
        Panel(
            "Received",
            "Deliveries a second. A message that comes back counts again.",
            Kind.LINES,
            PER_SECOND,
            (Query(f"sum(rate({_RECEIVED}[{EVERY}]))", "received"),),
            width=6,
        ),
        Panel(
            "Settled, by disposition",
            "deleted is the only one that ends a message, apart from dead_lettered, which moves it.",
            Kind.BARS,
            PER_SECOND,
            (
                Query(
                    f"sum by (disposition) (rate(remediator_messages_settled_total{{{JOB}}}[{EVERY}]))",
                    "{{disposition}}",
                ),
            ),
            width=6,
        ),
        Panel(
            "In flight",
            "buffered waits for a worker thread, settling for the queue's answer.",
            Kind.LINES,
            COUNT,
            (
                Query(f"sum by (state) (remediator_messages_in_flight{{{JOB}}})", "{{state}}"),
                Query(f"sum(remediator_worker_slots{{{JOB}}})", "slots"),
            ),
            width=6,
        ),
    ),
)

_ERRORS = f'remediator_api_requests_total{{{JOB},code!~"ok|empty|NoSuch.+"}}'

QUEUE = Row(
    "Queue",
    (
        Panel(
            "Time since the last good poll",
            "By replica. A long poll takes up to queue.wait_seconds; NotPolling fires at two minutes.",
            Kind.LINES,
            "s",
            (Query(f"time() - remediator_last_poll_success_timestamp_seconds{{{JOB}}}", "{{instance}}"),),
        ),
        Panel(
            "Polls",
            "By result; empty is the usual one while nothing is wrong with any resource.",
            Kind.BARS,
            "reqps",
            (
                Query(
                    "sum by (code) (rate(remediator_api_requests_total"
                    f'{{{JOB},service="mns",operation="BatchReceiveMessage"}}[{EVERY}]))',
                    "{{code}}",
                ),
            ),
        ),
        Panel(
            "Slots in use by replica",
            "Replicas share one queue, so they should look alike.",
            Kind.LINES,
            "percentunit",
            (Query(f"{_IN_FLIGHT} / remediator_worker_slots{{{JOB}}}", "{{instance}}"),),
            maximum=1,
        ),
        Panel(
            "Lease renewals",
            "renewed is work that takes longer than half a lease. lost and expired are delivered again.",
            Kind.LINES,
            PER_SECOND,
            (Query(f"sum by (result) (rate(remediator_lease_renewals_total{{{JOB}}}[{EVERY}]))", "{{result}}"),),
            width=12,
        ),
        Panel(
            "Settlements that failed",
            "They are tried again while the lease lasts.",
            Kind.BARS,
            COUNT,
            (
                Query(
                    f"sum by (action, code) ({counted(f'remediator_settle_errors_total{{{JOB}}}', EVERY)}) > 0",
                    "{{action}} {{code}}",
                ),
            ),
            width=12,
        ),
        Panel(
            "Messages in the queues",
            "The service's own count, a minute old while there is traffic and ten minutes at rest. No data means that"
            " the service does not say: it is withdrawing these figures, or mns:GetQueueAttributes is not granted.",
            Kind.LINES,
            COUNT,
            (
                Query(
                    f"max by (queue, role, state) (remediator_queue_messages{{{JOB}}})",
                    "{{queue}} {{state}}",
                ),
            ),
            width=12,
        ),
        Panel(
            "Received and not deleted in half an hour",
            "By replica. The service throttles a consumer at 5,000; polls pause at engine.max_undeleted.",
            Kind.LINES,
            COUNT,
            (Query(f"remediator_undeleted_in_window{{{JOB}}}", "{{instance}}"),),
            width=12,
        ),
    ),
)

SERVICES = Row(
    "Services",
    (
        Panel(
            "Requests",
            "To MNS and OSS, by operation.",
            Kind.LINES,
            "reqps",
            (
                Query(
                    f"sum by (service, operation) (rate(remediator_api_requests_total{{{JOB}}}[{EVERY}]))",
                    "{{service}} {{operation}}",
                ),
            ),
            width=12,
            height=10,
            many=True,
        ),
        Panel(
            "Slowest in a hundred requests",
            "99th percentile by operation, without the long polls, which wait on purpose.",
            Kind.LINES,
            "s",
            (
                Query(
                    "histogram_quantile(0.99, sum by (le, service, operation)"
                    " (rate(remediator_api_request_duration_seconds_bucket"
                    f'{{{JOB},operation!="BatchReceiveMessage"}}[{EVERY}]))) >= 0',
                    "{{service}} {{operation}}",
                ),
            ),
            width=12,
            height=10,
            many=True,
        ),
        Panel(
            "Errors by code",
            "Everything but ok, empty, and answers that something is not set (NoSuch). LimitExceeded and"
            " TooManyRequests are throttling; AccessDenied is a missing RAM permission; InvalidArgument of mns at a"
            " start is the answer to a message of nothing, sent to see whether parking is permitted.",
            Kind.BARS,
            COUNT,
            (
                Query(
                    f"sum by (service, code) ({counted(_ERRORS, EVERY)}) > 0",
                    "{{service}} {{code}}",
                ),
            ),
        ),
        Panel(
            "Requests tried again",
            "Inside the lease, by reason.",
            Kind.BARS,
            COUNT,
            (
                Query(
                    f"sum by (service, reason) ({counted(f'remediator_retries_total{{{JOB}}}', EVERY)}) > 0",
                    "{{service}} {{reason}}",
                ),
            ),
        ),
        Panel(
            "Slowest in a hundred, by stage",
            "99th percentile of the stages inside the worker.",
            Kind.LINES,
            "s",
            (
                Query(
                    "histogram_quantile(0.99, sum by (le, stage) (rate(remediator_stage_duration_seconds_bucket"
                    f'{{{JOB},stage!~"notify|enqueue"}}[{EVERY}]))) >= 0',
                    "{{stage}}",
                ),
            ),
        ),
    ),
)

PROCESS = Row(
    "Process",
    (
        Panel(
            "What runs",
            "Version, revision and Python of every replica.",
            Kind.TABLE,
            COUNT,
            (Query(f"count by (instance, version, revision, python) (remediator_build_info{{{JOB}}})"),),
            columns=("instance", "version", "revision", "python"),
        ),
        Panel(
            "Configuration in use since",
            "By replica; a rollout sets it back.",
            Kind.STAT,
            "s",
            (Query(f"time() - remediator_config_last_load_success_timestamp_seconds{{{JOB}}}", "{{instance}}"),),
            steps=FACT,
            named=True,
        ),
        Panel(
            "Listeners that failed",
            "Calls to metrics, log or journal that raised an error, and lines of the log that nobody took. No message "
            "is affected, but some of what has happened is not in metrics, log or journal.",
            Kind.STAT,
            COUNT,
            (
                Query(f"sum(remediator_listener_failures_total{{{JOB}}})", "failures"),
                Query(f"sum(remediator_log_lines_dropped_total{{{JOB}}})", "dropped lines"),
            ),
            steps=((None, UNKNOWN), (0, GOOD), (1, WARN)),
            named=True,
        ),
    ),
)

ROWS = (BOOKS, QUEUE, SERVICES, PROCESS)
