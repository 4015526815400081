from __future__ import annotations

from pathlib import Path

import pytest

from domainsmith.data_connection.loaders import load_file

_URI = "http://schemas.openxmlformats.org/drawingml/2006/"
_NAMES = (
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
)
_POINTS = {"1": "Claim", "2": "Assess", "3": "Call the garage", "4": "付款"}
_LINES = [("0", "1", 0), ("0", "4", 2), ("0", "2", 1), ("2", "3", 0), ("3", "2", 0)]


def _diagram() -> bytes:
    """A process of three steps, one with a step below it that points back at it."""
    points = "".join(
        f'<dgm:pt modelId="{name}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for name, text in _POINTS.items()
    )
    lines = "".join(
        f'<dgm:cxn modelId="c{a}{b}" srcId="{a}" destId="{b}" srcOrd="{order}" destOrd="0"/>'
        for a, b, order in _LINES
    )
    return (
        f'<dgm:dataModel {_NAMES}><dgm:ptLst><dgm:pt modelId="0" type="doc"/>{points}'
        f'<dgm:pt modelId="9" type="pres"><dgm:t><a:p><a:r><a:t>layout</a:t></a:r></a:p></dgm:t>'
        f"</dgm:pt></dgm:ptLst><dgm:cxnLst>{lines}"
        f'<dgm:cxn modelId="x" type="presOf" srcId="0" destId="9" srcOrd="5" destOrd="0"/>'
        f"</dgm:cxnLst></dgm:dataModel>"
    ).encode()


def _chart() -> bytes:
    from pptx.chart.data import CategoryChartData
    from pptx.chart.xmlwriter import ChartXmlWriter
    from pptx.enum.chart import XL_CHART_TYPE

    data = CategoryChartData(number_format="0%")
    data.categories = ["2023", "2024"]
    data.add_series("settled", (0.4, 0.75))
    data.add_series("open", (0.6, None))
    return str(ChartXmlWriter(XL_CHART_TYPE.COLUMN_CLUSTERED, data).xml).encode()


def _drawn(kind: str, relation: str) -> str:
    said = {"diagram": f'<dgm:relIds r:dm="{relation}"/>', "chart": f'<c:chart r:id="{relation}"/>'}
    return f'<a:graphic><a:graphicData uri="{_URI}{kind}">{said[kind]}</a:graphicData></a:graphic>'


def _slides(path: Path, kind: str, blob: bytes) -> None:
    import pptx
    from pptx.opc.package import Part
    from pptx.opc.packuri import PackURI
    from pptx.oxml import parse_xml

    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "How we work"
    part = Part(PackURI(f"/ppt/drawn/{kind}1.xml"), "application/xml", show.part.package, blob)
    frame = (
        f'<p:graphicFrame {_NAMES}><p:nvGraphicFramePr><p:cNvPr id="9" name="drawn"/>'
        '<p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x="0" y="9"/>'
        f'<a:ext cx="9" cy="9"/></p:xfrm>{_drawn(kind, slide.part.relate_to(part, kind))}'
        "</p:graphicFrame>"
    )
    slide.shapes._spTree.append(parse_xml(frame))
    show.save(str(path))


def _document(path: Path, kind: str, blob: bytes) -> None:
    import docx
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml.parser import parse_xml

    document = docx.Document()
    document.add_paragraph("How we work")
    part = Part(PackURI(f"/word/drawn/{kind}1.xml"), "application/xml", blob, document.part.package)
    drawing = f"<w:drawing>{_drawn(kind, document.part.relate_to(part, kind))}</w:drawing>"
    run = f"<w:r {_NAMES}>{drawing}</w:r>"
    box = f"<w:pict><w:txbxContent><w:p>{run}</w:p></w:txbxContent></w:pict>"
    for inner in (run, f"<w:r {_NAMES}>{box}</w:r>"):
        document.add_paragraph()._p.append(parse_xml(inner))
    document.add_paragraph("The end.")
    document.save(str(path))


_LIST = "- Claim\n- Assess\n  - Call the garage\n- 付款"
_TABLE = "|  | settled | open |\n| --- | --- | --- |\n| 2023 | 40% | 60% |\n| 2024 | 75% |  |"


@pytest.mark.parametrize(("kind", "read"), [("diagram", _LIST), ("chart", _TABLE)])
def test_drawings_of_slides_are_read(tmp_path: Path, kind: str, read: str) -> None:
    _slides(tmp_path / "a.pptx", kind, _diagram() if kind == "diagram" else _chart())
    assert load_file(tmp_path / "a.pptx").text == f"# How we work\n\n{read}"


@pytest.mark.parametrize(("kind", "read"), [("diagram", _LIST), ("chart", _TABLE)])
def test_drawings_of_documents_are_read_once_also_in_text_boxes(
    tmp_path: Path, kind: str, read: str
) -> None:
    _document(tmp_path / "a.docx", kind, _diagram() if kind == "diagram" else _chart())
    loaded = load_file(tmp_path / "a.docx")
    assert loaded.text == f"How we work\n\n{read}\n\n{read}\n\nThe end."
    assert loaded.notes == ()


@pytest.mark.parametrize("blob", [b"", b"<dgm:dataModel", b"\xff\xfe\x00"])
def test_a_broken_drawing_costs_nothing_else_and_is_told(tmp_path: Path, blob: bytes) -> None:
    _document(tmp_path / "a.docx", "diagram", blob)
    document = load_file(tmp_path / "a.docx")
    assert document.text == "How we work\n\nThe end."
    assert document.notes == ("2 drawings could not be read.",)
    _slides(tmp_path / "a.pptx", "diagram", blob)
    slides = load_file(tmp_path / "a.pptx")
    assert slides.text == "# How we work"
    assert slides.notes == ("1 drawings could not be read.",)


def test_a_drawing_that_lies_elsewhere_costs_nothing_else(tmp_path: Path) -> None:
    import pptx

    _slides(tmp_path / "a.pptx", "chart", _chart())
    show = pptx.Presentation(str(tmp_path / "a.pptx"))
    slide = show.slides[0]
    [frame] = [shape for shape in slide.shapes if shape.shape_id == 9]
    away = slide.part.relate_to("https://example.org/a.xml", "chart", is_external=True)
    next(frame._element.iter(f"{{{_URI}chart}}chart")).set(
        "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id", away
    )
    show.save(str(tmp_path / "b.pptx"))
    loaded = load_file(tmp_path / "b.pptx")
    assert (loaded.text, loaded.notes) == ("# How we work", ("1 drawings could not be read.",))


def test_points_that_hang_on_nothing_are_said_too(tmp_path: Path) -> None:
    blob = (
        _diagram()
        .replace(b'type="doc"', b'type="sibTrans"')
        .replace(b'srcOrd="1"', b'srcOrd="\xc2\xb2"')
    )
    _slides(tmp_path / "a.pptx", "diagram", blob)
    assert sorted(load_file(tmp_path / "a.pptx").text.split("\n")[2:], key=str.strip) == [
        "- Assess",
        "  - Call the garage",
        "- Claim",
        "- 付款",
    ]


def test_a_deleted_drawing_is_not_read(tmp_path: Path) -> None:
    import docx
    from docx.oxml.parser import parse_xml

    _document(tmp_path / "a.docx", "chart", _chart())
    document = docx.Document(str(tmp_path / "a.docx"))
    paragraph = document.paragraphs[1]._p
    run = paragraph[-1]
    gone = parse_xml(f"<w:del {_NAMES}/>")
    paragraph.append(gone)
    gone.append(run)
    document.save(str(tmp_path / "b.docx"))
    assert load_file(tmp_path / "b.docx").text.count("settled") == 1


def test_a_picture_without_its_file_costs_nothing_else(tmp_path: Path) -> None:
    import docx
    from docx.oxml.parser import parse_xml

    document = docx.Document()
    document.add_paragraph("Before.")
    drawing = f'<w:drawing><a:graphic><a:graphicData uri="{_URI}picture"/></a:graphic></w:drawing>'
    document.add_paragraph()._p.append(parse_xml(f"<w:r {_NAMES}>{drawing}</w:r>"))
    document.save(str(tmp_path / "a.docx"))
    loaded = load_file(tmp_path / "a.docx")
    assert (loaded.text, loaded.notes) == ("Before.", ("1 pictures were left out.",))


def test_shapes_that_only_newer_programs_know_are_read_once(tmp_path: Path) -> None:
    import pptx
    from pptx.oxml import parse_xml
    from pptx.util import Cm

    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "How we work"
    box = slide.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(5))
    box.text_frame.text = "Energy is E"
    box._element.nvSpPr.cNvPr.set("id", str(slide.shapes.title.shape_id))  # as copies have it
    other = slide.shapes.add_textbox(Cm(1), Cm(9), Cm(5), Cm(5))
    other.text_frame.text = "Mass is m"
    uri = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    both = parse_xml(
        f'<mc:AlternateContent xmlns:mc="{uri}"><mc:Choice Requires="a14"/><mc:Fallback/>'
        "</mc:AlternateContent>"
    )
    slide.shapes._spTree.append(both)
    both[0].append(other._element)
    show.save(str(tmp_path / "a.pptx"))
    assert load_file(tmp_path / "a.pptx").text == "# How we work\n\nEnergy is E\n\nMass is m"


def test_tables_without_text_cost_nothing_else(tmp_path: Path) -> None:
    import docx
    import pptx
    from pptx.util import Cm

    document = docx.Document()
    document.add_paragraph("Words.")
    document.add_table(3, 2)
    document.save(str(tmp_path / "a.docx"))
    assert load_file(tmp_path / "a.docx").text == "Words."
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Words"
    slide.shapes.add_table(3, 2, Cm(1), Cm(5), Cm(5), Cm(5))
    show.save(str(tmp_path / "a.pptx"))
    assert load_file(tmp_path / "a.pptx").text == "# Words"
    rows = "<tr><td><img src=a></td></tr>" * 3
    (tmp_path / "a.html").write_text(f"<p>Words.</p><table>{rows}</table>", encoding="utf-8")
    assert load_file(tmp_path / "a.html").text == "Words."
