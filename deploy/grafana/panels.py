"""How every panel is made: one value per panel, turned into what Grafana takes by the vendor's own builders.

No panel names an instance or a data source: both are variables, so that a dashboard fits any cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    gauge,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

GOOD, WARN, BAD, UNKNOWN = "green", "orange", "red", "#7b8794"
COUNT = "none"
"""Of things that are counted: whole, and not shortened to 1 K."""
RULES = "suffix:rules"
PER_SECOND = "suffix:/s"
DAYS = "suffix: days"

NOT_KNOWN = {"-1": ("unknown", UNKNOWN)}
"""What a figure is worth whose source is silent: -1, in words."""

FACT = ((None, UNKNOWN), (0, "blue"))
"""Thresholds of a figure that is neither good nor bad."""

_BAR_WIDTH = "2m"
_LEAST_SCALE = 3
"""What a scale of counts reaches to at least; without it, nothing but zeros is drawn from 0 to 100."""
_WHOLE = (COUNT, RULES, DAYS)


class Kind(Enum):
    """What a panel looks like."""

    LINES = "lines"
    BARS = "bars"
    STAT = "stat"
    GAUGE = "gauge"
    LEVELS = "levels"
    STATES = "states"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL query and how its series are called."""

    expr: str
    legend: str = ""
    exemplar: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel, before it is a builder."""

    title: str
    description: str
    kind: Kind
    unit: str
    queries: tuple[Query, ...]
    width: int = 8
    height: int = 8
    steps: tuple[tuple[float | None, str], ...] = ()
    """Thresholds: from which value on which colour. The first has none, and is what Grafana paints without data."""
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Values that mean something: text and colour."""
    maximum: float | None = None
    named: bool = False
    """Whether a figure, or a bar, stands beside the name of its series; for bars: of many, with short names."""
    many: bool = False
    """Whether its lines are so many that their names need a column at the side."""
    columns: tuple[str, ...] = ()
    """Labels that a table shows, in that order; the value follows."""
    value: str = ""
    """What a table calls its value; without a name it is not shown."""

    @property
    def instant(self) -> bool:
        """Whether it shows the present alone."""
        return self.kind in (Kind.STAT, Kind.GAUGE, Kind.LEVELS, Kind.TABLE)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


_DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")


def variables(*, rules: bool) -> Iterable[Any]:
    """Data source, namespace, job and rule as choices at the top; a Prometheus may see several installations."""
    yield dashboard.DatasourceVariable("datasource").type("prometheus").label("Prometheus")
    yield _choice("namespace", "Namespace", "label_values(remediator_build_info, namespace)")
    yield _choice("job", "Job", 'label_values(remediator_build_info{namespace=~"$namespace"}, job)')
    if rules:
        yield _choice(
            "rule", "Rule", 'label_values(remediator_outcomes_total{namespace=~"$namespace",job=~"$job"}, rule)'
        )


def _choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(_DATASOURCE)
        .query(query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .include_all(True)
        .all_value(".*")
        .multi(True)
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def built(panel: Panel) -> Any:
    """The builder of a panel, with everything that all kinds have in common."""
    builder = _BUILDERS[panel.kind](panel)
    builder = builder.title(panel.title).description(panel.description).datasource(_DATASOURCE).unit(panel.unit)
    builder = builder.span(panel.width).height(panel.height)
    if panel.unit in _WHOLE or panel.kind is Kind.GAUGE:
        builder = builder.decimals(0)
    elif panel.unit == "s" and panel.kind is Kind.STAT:
        builder = builder.decimals(1)
    builder = builder.no_value("unknown" if panel.kind in (Kind.STAT, Kind.GAUGE, Kind.STATES) else "none, or no data")
    if panel.steps:
        steps = [model.Threshold(value=value, color=color) for value, color in panel.steps]
        builder = builder.thresholds(
            dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)
        ).color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    if panel.texts:
        builder = builder.mappings([_mapping(panel.texts)])
    if panel.maximum is not None:
        builder = builder.min(0).max(panel.maximum)
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        builder = builder.with_target(_target(panel, query, letter))
    return builder


def _mapping(texts: dict[str, tuple[str, str]]) -> model.ValueMap:
    options = {
        value: model.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return model.ValueMap(options=options)


def _target(panel: Panel, query: Query, letter: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(_DATASOURCE)
    target = target.legend_format(query.legend or "__auto")
    if query.exemplar:
        target = target.exemplar(True)
    if panel.kind is Kind.TABLE:
        target = target.format(PromQueryFormat.TABLE)
    return target.instant() if panel.instant else target.range()


def _lines(panel: Panel) -> timeseries.Panel:
    return _series(panel).line_width(1).fill_opacity(8).show_points(look.VisibilityMode.NEVER)


def _bars(panel: Panel) -> timeseries.Panel:
    # Wide enough: a bar looks back as far as the rate's window, and bars closer than that show one event several times.
    stacked = common.StackingConfig().mode(look.StackingMode.NORMAL)
    made = _series(panel).draw_style(look.GraphDrawStyle.BARS).fill_opacity(70).line_width(0)
    return made.stacking(stacked).interval(_BAR_WIDTH)


def _series(panel: Panel) -> timeseries.Panel:
    place = look.LegendPlacement.RIGHT if panel.many else look.LegendPlacement.BOTTOM
    legend = common.VizLegendOptions().display_mode(look.LegendDisplayMode.LIST).placement(place)
    tooltip = common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING)
    made = timeseries.Panel().legend(legend.show_legend(True)).tooltip(tooltip).min(0)
    return made.axis_soft_max(_LEAST_SCALE) if panel.unit in (COUNT, PER_SECOND) else made


def _stat(panel: Panel) -> stat.Panel:
    return (
        stat.Panel()
        .text_mode(look.BigValueTextMode.VALUE_AND_NAME if panel.named else look.BigValueTextMode.AUTO)
        .color_mode(look.BigValueColorMode.BACKGROUND)
        .graph_mode(look.BigValueGraphMode.NONE)
        .reduce_options(_last())
    )


def _levels(panel: Panel) -> bargauge.Panel:
    # In one colour: a bar that runs through all the thresholds below it looks mostly red when all is well.
    basic = bargauge.Panel().display_mode(look.BarGaugeDisplayMode.BASIC)
    made = basic.orientation(look.VizOrientation.HORIZONTAL).min(0).reduce_options(_last())
    # In a size of their own, else figures and names grow with the bars and are cut; names beside bars fit as they are.
    text = common.VizTextDisplayOptions().value_size(18)
    if panel.named:
        return made.text(text)
    return made.text(text.title_size(14)).name_placement(look.BarGaugeNamePlacement.TOP)


def _states(_: Panel) -> statetimeline.Panel:
    return statetimeline.Panel().show_value(look.VisibilityMode.NEVER).merge_values(True).row_height(0.8)


def _table(panel: Panel) -> table.Panel:
    shown = [*panel.columns, "Value"]
    options = {
        "excludeByName": {"Time": True} if panel.value else {"Time": True, "Value": True},
        "indexByName": {name: index for index, name in enumerate(shown)},
        "renameByName": {"Value": panel.value} if panel.value else {},
    }
    return table.Panel().with_transformation(model.DataTransformerConfig(id_val="organize", options=options))


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


_BUILDERS: dict[Kind, Callable[[Panel], Any]] = {
    Kind.LINES: _lines,
    Kind.BARS: _bars,
    Kind.STAT: _stat,
    Kind.GAUGE: lambda _: gauge.Panel().reduce_options(_last()),
    Kind.LEVELS: _levels,
    Kind.STATES: _states,
    Kind.TABLE: _table,
}


def board(uid: str, title: str, description: str, rows: Iterable[Row], *, rules: bool) -> dashboard.Dashboard:
    """A whole dashboard; the first row stands without a heading."""
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["config-remediator"])
        .editable()
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("config-remediator")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags(["config-remediator"])
            .as_dropdown(True)
            .keep_time(True)
        )
    )
    for variable in variables(rules=rules):
        made = made.with_variable(variable)
    numbers = count(1)
    for place, row in enumerate(rows):
        if place:
            made = made.with_row(dashboard.Row(row.title).id(next(numbers)))
        for panel in row.panels:
            made = made.with_panel(built(panel).id(next(numbers)))
    return made
