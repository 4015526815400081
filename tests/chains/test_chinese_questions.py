"""Chinese questions: what is stated, what it is about, and what is left alone."""

from __future__ import annotations

import pytest

from domainsmith.chains.frames_zh import Frame, bare_heading, frame_of, framed_question
from domainsmith.chains.grammar_zh import lacks_subject, says_something
from domainsmith.chains.question_patterns import pattern_questions, section_question
from domainsmith.records import Passage

ARTICLE = Frame("article", "青石中学")
STATUTE = Frame("statute", "河道法", "巡查")


def passage(header: str, text: str = "水温为 28 ℃。") -> Passage:
    return Passage(
        document_id="document_0",
        document_path="a.md",
        ordinal=0,
        text=text,
        header=header,
        start=0,
        end=len(text),
        language="zh",
    )


def asked(sentence: str, frame: Frame | None = None) -> tuple[str, str] | None:
    found = next(pattern_questions(sentence, "zh", frame=frame), None)
    return (found.question, found.answer) if found else None


@pytest.mark.parametrize(
    ("sentence", "frame", "question", "answer"),
    [
        ("1992年被列为名校，后来迁走。", ARTICLE, "青石中学哪一年被列为名校？", "1992年。"),
        (
            "1998年，林山镇并入青石县，改称青石镇。",
            ARTICLE,
            "关于青石中学，哪一年林山镇并入青石县？",
            "1998年。",
        ),
        ("学校创建于1906年，占地很大。", ARTICLE, "关于青石中学，学校创建于哪一年？", "1906年。"),
        ("他曾三次获得奖章。", Frame("article", "林远"), "林远曾多少次获得奖章？", "三次。"),
        (
            "花期为3-8月，果期很长。",
            Frame("article", "黄蝉花"),
            "关于黄蝉花，花期是什么时候？",
            "3-8月。",
        ),
        ("居民总数为31,459人。", ARTICLE, "关于青石中学，居民总数为多少人？", "31,459人。"),
        (
            "水温为 28 ℃，转速很高。",
            Frame("section", "快洗程序"),
            "关于快洗程序，水温为多少℃？",
            "28 ℃。",
        ),
        ("请至少保留箱子三个月。", Frame("asked"), "应该至少保留箱子多少个月？", "三个月。"),
        (
            "董事会成员为三人以上。",
            STATUTE,
            "根据《河道法》关于“巡查”的规定，董事会成员为多少人？",
            "三人以上。",
        ),
        (
            "当山洪首次冲毁堤坝时，村民迁到了山上。",
            ARTICLE,
            "关于青石中学，当山洪首次冲毁堤坝时，发生了什么？",
            "村民迁到了山上。",
        ),
        ("如果逾期，每天多付五元。", None, "如果逾期，会怎样？", "每天多付五元。"),
    ],
)
def test_what_a_sentence_states_is_asked_with_what_it_is_about(
    sentence: str, frame: Frame | None, question: str, answer: str
) -> None:
    assert asked(sentence, frame) == (question, answer)


@pytest.mark.parametrize(
    "sentence",
    [
        "2007年欧洲大奖赛，林远代表本队参赛。",  # a date in a name
        "她在50米自由式中取得第13名。",  # a measure in a name
        "七年战争中的北美战区没有单独的名称。",
        "栉水母一天可以吃掉很多食物。",  # "one day" is no count
        "虽然1851年之前一直使用早期版本，但是效果不好。",
        "结果，27年后的8月2日，另一班飞机失事。",
        "公民下落不明满二年，利害关系人可以申请宣告失踪。",
        "周围入湖的几十条小河入水量较小。",
        "例如，两个整数的乘法可以写成等式。",
        "青石电机有 36 个线圈和 42 块磁铁。",  # one number of two
        "经济以矿业为支柱，其中石油最重要。",  # "takes ... as"
        "象征他们是外来者。",
        "憍陈如是他的姓，为大姓之一。",  # the answer leans on the passage
        "增加氧气压力是治疗的一部分。",
        "公司为他人提供担保，由董事会决议。",  # "for", not "is"
        "正室是矢田姬（松平广忠的女儿，家康的妹妹）。",  # an open bracket
        "如果故意犯罪，情节恶劣，应当从重处罚。",  # the case goes on
        "董事因故不能出席，可以委托他人。",  # cannot, not may not
        "不能终结的案件，可以延长一个月。",  # what a thing is, no ban
        "任何单位和个人不得挪用。",  # what may not is said before
        "用软布擦拭。",  # wipe what?
        "素数是指在大于1的自然数中，只能被1整除的数。",  # no place
        "教派以宗教不能由外国控制为原则。",  # a principle, no ban
        "外膜的最内的两层双层脂膜相当于细胞壁。",
        "教堂的窗户是例外，许多很新。",
    ],
)
def test_what_says_nothing_by_itself_is_not_asked(sentence: str) -> None:
    assert asked(sentence, ARTICLE) is None
    assert asked(sentence) is None


def test_duties_have_no_place_and_lean_on_no_article() -> None:
    assert asked("各级机关在自己管辖的地区以内，可以发布命令。", STATUTE) is None
    assert asked("依照本法第三条处理后，应当公告。", STATUTE) is None
    assert asked("导致3人以上人身损害后果。", STATUTE) is None
    assert asked("承运人签发的此类单证不得转让。", STATUTE) is None
    assert asked("在询问之前，可以要求其签署保证书。", STATUTE) is None
    assert asked("法规未规定复议为必经程序，当事人可以起诉。", STATUTE) is None


def test_after_is_no_why_in_a_story() -> None:
    assert asked("工厂扩建之后，因为水流的结果，沙滩变大了。", ARTICLE) is None


def test_without_a_title_a_count_or_place_needs_a_name() -> None:
    untitled = Frame("untitled")
    assert asked("研究结果发表在杂志上。", untitled) is None
    assert asked("工作人员共有三十名。", untitled) is None
    assert asked("《科学画报》共有三十名编辑。", untitled) == (
        "《科学画报》共有多少名编辑？",
        "三十名。",
    )


def test_an_order_under_a_question_is_not_counted() -> None:
    assert asked("按住旋钮两秒，等屏幕出现加号。", Frame("asked")) is None
    assert asked("按住旋钮两秒，等屏幕出现加号。", Frame("section", "童锁")) == (
        "关于童锁，按住旋钮多少秒？",
        "两秒。",
    )


@pytest.mark.parametrize(
    ("header", "frame"),
    [
        ("渔港 (青石县)", Frame("article", "渔港")),
        ("Steam_engine", Frame("untitled")),
        ("中华人民共和国河道法 > 第二章 巡 查", Frame("statute", "河道法", "巡查")),
        ("河道管理条例 > 第一章 总 则", Frame("statute", "河道管理条例")),
        ("河道法 > 第二章 工程 > 第一节 巡 查", Frame("statute", "河道法", "工程（巡查）")),
        (
            "关于适用《河道法》的解释 > 六、受理",
            Frame("statute", "关于适用〈河道法〉的解释", "受理"),
        ),
        ("维修手册 > 5 程序 > 5.3 快洗 23", Frame("section", "快洗 23")),
        ("常见问题 > 洗衣 > 可以洗鞋吗？", Frame("asked")),
        ("维修手册", Frame()),
        ("易写输入法", Frame("article", "易写输入法")),  # ends as a statute does
        ("", Frame()),
    ],
)
def test_a_frame_comes_from_the_title_or_the_heading(header: str, frame: Frame) -> None:
    assert frame_of(passage(header)) == frame


def test_pronouns_become_the_name_and_conditions_stay_apart() -> None:
    article = Frame("article", "林远")
    assert framed_question("他的父亲是谁？", "is", article) == "林远的父亲是谁？"
    assert framed_question("如果下雨，会怎样？", "case", article) == "关于林远，如果下雨，会怎样？"
    assert framed_question("他们是谁？", "is", article) == "关于林远，他们是谁？"


def test_grammar_finds_verbs_outside_modifiers() -> None:
    assert says_something("出版了第一部诗集")
    assert not says_something("欧洲大奖赛")
    assert lacks_subject("被列为名校")
    assert not lacks_subject("学校创建于")


def test_headings_lose_numbers_and_general_ones_ask_nothing() -> None:
    assert bare_heading("第七章 期 间") == "期间"
    assert bare_heading("第八章 附则") == ""
    assert section_question("条例 > 第五章 附则", "zh") == ""


def test_traditional_characters_are_asked_in_traditional_characters() -> None:
    text = "1922年，約翰·阿斯特從北岩爵士手中收購了《泰晤士報》。"
    frame = frame_of(passage("泰晤士報", text))
    found = next(pattern_questions(text, "zh", frame=frame))
    assert found.question == "哪一年約翰·阿斯特從北岩爵士手中收購了《泰晤士報》？"
    assert found.answer == "1922年。"
    section = "第二章 門鎖與鉸鏈"
    assert section_question(f"手冊 > {section}", "zh") == "關於門鎖與鉸鏈，文檔是怎麼說的？"


def test_a_label_in_brackets_is_no_part_of_the_question() -> None:
    found = asked("【注意事项】服药后八小时内不得驾驶车辆，因为本品会使反应变慢。")
    assert found is not None
    assert "【" not in "".join(found)
    assert "驾驶车辆" in found[0]


@pytest.mark.parametrize(
    ("question", "form", "section", "framed"),
    [
        ("可以使用酒精或清洁剂吗？", "forbidden", "传感器的清洁",
         "关于传感器的清洁，可以使用酒精或清洁剂吗？"),
        ("更换后，长按“复位”键多少秒？", "how many", "滤网的更换",
         "关于滤网的更换，更换后，长按“复位”键多少秒？"),
        ("可以在浴室等潮湿环境中使用本产品吗？", "forbidden", "安全须知",
         "可以在浴室等潮湿环境中使用本产品吗？"),
        ("首次使用前，应该怎么做？", "case", "首次使用", "首次使用前，应该怎么做？"),
        ("滤网可以水洗吗？", "forbidden", "滤网的更换", "滤网可以水洗吗？"),
    ],
)  # fmt: skip
def test_what_only_the_section_names_is_said(
    question: str, form: str, section: str, framed: str
) -> None:
    assert framed_question(question, form, Frame("section", section)) == framed
