from domainsmith.data_connection.split import split
from domainsmith.records import Document
from domainsmith.storage.context import neighbours, section
from domainsmith.storage.database import Database
from domainsmith.storage.documents import put_document


def stored(tmp_path):
    rows = "\n".join(f"| E{n} | cause {n} of the many |" for n in range(30))
    text = (
        "# Manual\n\n## Care\n\nFirst sentence here. Second sentence here. Third sentence here.\n\n"
        f"## Codes\n\n| code | cause |\n| --- | --- |\n{rows}\n\nAfter the table.\n"
    )
    value = Document(
        path="a.md", source_sha256="0", media_type="text/markdown", title="M", language="en",
        text=text,
    )  # fmt: skip
    found = split(value, max_tokens=30)
    db = Database.open(tmp_path / "state.sqlite")
    put_document(db, value, found, folder="docs")
    return db, value, found


def test_neighbours_stand_in_order_and_may_stop_at_the_section(tmp_path):
    db, _, found = stored(tmp_path)
    with db:
        ids = [p.id for p in found]
        assert [p.id for p in neighbours(db, ids[1], 1, 2)] == ids[0:4]
        assert [p.id for p in neighbours(db, ids[0], 5, 1)] == ids[0:2]
        care = [p.id for p in found if p.header.endswith("Care")]
        assert [p.id for p in neighbours(db, care[0], 9, 9, same_section=True)] == care


def test_a_section_is_the_text_of_its_source(tmp_path):
    db, value, found = stored(tmp_path)
    with db:
        codes = [p for p in found if p.header.endswith("Codes")]
        whole = section(db, codes[3].id)
        assert whole.passage_ids == tuple(p.id for p in codes)
        assert whole.text.startswith("| code | cause |")
        assert whole.text.count("| code | cause |") == 1
        assert whole.text.endswith(value.text[whole.end - 20 : whole.end])
        part = section(db, codes[3].id, max_characters=200)
        assert codes[3].id in part.passage_ids
        assert part.end - part.start <= 200
        assert part.text.startswith("| code | cause |")
        assert codes[3].text.split("\n")[-1] in part.text
