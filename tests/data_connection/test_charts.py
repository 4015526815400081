from __future__ import annotations

import pytest
from lxml import etree
from pptx.chart.data import BubbleChartData, CategoryChartData, XyChartData
from pptx.chart.xmlwriter import ChartXmlWriter
from pptx.enum.chart import XL_CHART_TYPE

from domainsmith.data_connection.loaders.charts import chart_text

_NAME = 'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'


def text_of(kind: XL_CHART_TYPE, data: object) -> str:
    return chart_text(etree.fromstring(ChartXmlWriter(kind, data).xml.encode()))


def written(inner: str, before: str = "") -> str:
    plot = f"<c:chart><c:plotArea><c:lineChart>{inner}</c:lineChart></c:plotArea></c:chart>"
    return chart_text(etree.fromstring(f"<c:chartSpace {_NAME}>{before}{plot}</c:chartSpace>"))


def numbers(name: str, form: str, *values: str) -> str:
    points = "".join(f'<c:pt idx="{n}"><c:v>{v}</c:v></c:pt>' for n, v in enumerate(values))
    cache = f"<c:numCache><c:formatCode>{form}</c:formatCode>{points}</c:numCache>"
    return f"<c:{name}><c:numRef>{cache}</c:numRef></c:{name}>"


def test_names_are_not_read_as_numbers() -> None:
    data = CategoryChartData(number_format="0.0")
    data.categories = ["1.10", "007", "2E3", "Infinity", "12345678901234567890"]
    data.add_series("2.0", (1, 2, 3, 4, 5))
    assert text_of(XL_CHART_TYPE.COLUMN_CLUSTERED, data).split("\n") == [
        "|  | 2.0 |",
        "| --- | --- |",
        "| 1.10 | 1 |",
        "| 007 | 2 |",
        "| 2E3 | 3 |",
        "| Infinity | 4 |",
        "| 12345678901234567890 | 5 |",
    ]


def test_scattered_points_keep_their_own_places() -> None:
    data = XyChartData()
    for name, points in {"A": [(1, 5), (2, 6)], "B": [(10, 50), (20, 60)]}.items():
        series = data.add_series(name)
        for x, y in points:
            series.add_data_point(x, y)
    assert text_of(XL_CHART_TYPE.XY_SCATTER, data) == (
        "|  | A |\n| --- | --- |\n| 1 | 5 |\n| 2 | 6 |\n\n"
        "|  | B |\n| --- | --- |\n| 10 | 50 |\n| 20 | 60 |"
    )


def test_bubbles_keep_their_sizes() -> None:
    data = BubbleChartData()
    data.add_series("区域").add_data_point(1, 5, 30)
    assert text_of(XL_CHART_TYPE.BUBBLE, data) == (
        "|  | 区域 | 区域 (size) |\n| --- | --- | --- |\n| 1 | 5 | 30 |"
    )


def test_all_levels_of_names_are_said() -> None:
    data = CategoryChartData()
    for year in ("2023", "2024"):
        category = data.add_category(year)
        category.add_sub_category("Q1")
        category.add_sub_category("Q2")
    data.add_series("sales", (1, 2, 3, 4))
    lines = text_of(XL_CHART_TYPE.COLUMN_CLUSTERED, data).split("\n")[2:]
    assert lines == ["| 2023 Q1 | 1 |", "| 2023 Q2 | 2 |", "| 2024 Q1 | 3 |", "| 2024 Q2 | 4 |"]


@pytest.mark.parametrize(
    ("form", "stored", "shown"),
    [
        ("yyyy-mm-dd", "45000", "2023-03-15"),
        ("mmm yy", "45000", "2023-03"),
        ("yyyy", "45000", "2023"),
        ("[h]:mm", "1.5", "36:00"),
        ("hh:mm", "1.5", "12:00:00"),
        ("0%", "0.4", "40%"),
        ("General", "n/a", "n/a"),
    ],
)
def test_figures_are_written_as_the_chart_shows_them(form: str, stored: str, shown: str) -> None:
    text = written(f"<c:ser>{numbers('val', form, stored)}</c:ser>")
    assert text == f"| Series 1 |\n| --- |\n| {shown} |"


def test_days_that_are_counted_from_1904() -> None:
    series = f"<c:ser>{numbers('val', 'yyyy-mm-dd', '43000')}</c:ser>"
    assert "2021-09-23" in written(series, '<c:date1904 val="1"/>')
    assert "2017-09-22" in written(series, '<c:date1904 val="0"/>')


def test_a_title_may_be_that_of_a_cell() -> None:
    cell = "<c:strCache><c:pt idx='0'><c:v>Claims 2024</c:v></c:pt></c:strCache>"
    head = f"<c:tx><c:strRef>{cell}</c:strRef></c:tx>"
    plot = f"<c:lineChart><c:ser>{numbers('val', 'General', '7')}</c:ser></c:lineChart>"
    unit = f"<c:valAx><c:title>{head.replace('Claims 2024', 'in million EUR')}</c:title></c:valAx>"
    chart = f"<c:chart><c:title>{head}</c:title><c:plotArea>{plot}{unit}</c:plotArea></c:chart>"
    text = chart_text(etree.fromstring(f"<c:chartSpace {_NAME}>{chart}</c:chartSpace>"))
    assert text.startswith("Claims 2024\n\nin million EUR\n\n| Series 1 |")


def test_places_far_away_take_no_memory() -> None:
    point = "<c:val><c:numLit><c:pt idx='{}'><c:v>7</c:v></c:pt></c:numLit></c:val>"
    far = written(f"<c:ser>{point.format(999_999_999)}</c:ser>")
    assert far.endswith("| 7 |")
    for place in ("²", "9" * 5000, "-1", "x"):
        with pytest.raises(ValueError, match="without its figures"):
            written(f"<c:ser>{point.format(place)}</c:ser>")
    with pytest.raises(ValueError, match="more cells"):
        written("".join(f"<c:ser>{point.format(n)}</c:ser>" for n in range(1_000)))
