import http.server
import json
import threading
from types import SimpleNamespace

import pytest

from domainsmith.agents.state import AgentEvent
from domainsmith.apps.console import Console
from domainsmith.apps.demo import Demo
from domainsmith.apps.demo_endpoint import ask_endpoint, free_port
from domainsmith.apps.demo_steps import DemoOptions, default_workspace, produced
from domainsmith.apps.demo_words import WORDS
from domainsmith.apps.examples import example_domain
from domainsmith.apps.scores import score_rows
from domainsmith.apps.terminal.tail import LiveTail
from domainsmith.errors import InputEmpty
from domainsmith.memory.conversations import Turn, save_turn
from domainsmith.records import EvalReport, Interval, SystemScore
from domainsmith.settings import load_settings
from domainsmith.workspace import Workspace

INTERVAL = Interval(mean=0.5, low=0.25, high=0.75, n=10)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_example_is_found_with_its_questions(language):
    example = example_domain(language)
    assert (example.root / example.folder).is_dir()
    assert example.folder in example.request
    assert len(set(example.asked)) == 3
    assert all([*example.asked, example.refused, example.served])


def test_each_kind_of_run_has_a_workspace_of_its_own():
    kinds = [DemoOptions(language, quick) for language in ("en", "zh") for quick in (False, True)]
    folders = [str(default_workspace(kind)) for kind in kinds]
    assert folders[0] == ".domainsmith-demo"
    assert len(set(folders)) == 4


def test_scores_are_laid_out_as_the_evaluation_gives_them():
    score = SystemScore(
        system="tuned",
        overall=INTERVAL,
        answerable_f1=INTERVAL,
        refusal_recall=INTERVAL,
        false_refusals=INTERVAL,
    )
    report = EvalReport(
        adapter_id=None, questions_sha256="0", scores=(score,), verdict="no clear difference"
    )
    header, rows = score_rows({"report": report.model_dump(mode="json")})
    assert rows == [["tuned", *["0.500 [0.250, 0.750]"] * 4]]
    assert len(header) == 5
    assert score_rows({})[1] == []


@pytest.fixture
def demo_of(tmp_path):
    """Make demos over one workspace."""
    with Workspace.create(tmp_path / "w") as workspace:

        def make(options=None, **flags):
            console = Console(quiet=True)
            loaded = load_settings(flags=flags, environment={})
            tail = LiveTail(console)
            return Demo(workspace, loaded, console, lambda r: True, options or DemoOptions(), tail)

        yield make


def test_quick_makes_smaller_what_was_not_given(demo_of):
    quick = DemoOptions(quick=True)
    assert demo_of().sizes() == {}
    assert demo_of(quick).sizes() == {"records": 80, "epochs": 1.0, "max_questions": 24}
    assert demo_of(quick, records=30).sizes() == {"epochs": 1.0, "max_questions": 24}


class Graph:
    """Conversations that were interrupted, by id."""

    def __init__(self, **pending):
        self.pending = pending

    def get_state(self, config):
        request = self.pending.get(config["configurable"]["thread_id"])
        going = ("act",) if request else ()
        return SimpleNamespace(next=going, tasks=going, values={"request": request})


def test_each_run_has_conversations_of_its_own_unless_one_is_open(demo_of):
    demo = demo_of()
    graph = Graph()
    assert demo._thread(graph, "do it", "demo") == "demo-1"
    save_turn(demo.workspace.threads_path, "demo-1", Turn(1, "do it", "done"))
    assert demo._thread(graph, "do it", "demo") == "demo-2"
    # Killed between keeping the turn and the graph's end.
    assert demo._thread(Graph(**{"demo-1": "do it"}), "do it", "demo") == "demo-1"
    assert demo._thread(Graph(**{"demo-1": "another"}), "do it", "demo") == "demo-2"


def test_what_counts_as_produced():
    assert produced("generate_data", {"records": 100, "asked": 240}, quick=False)
    assert not produced("generate_data", {"records": 99, "asked": 240}, quick=False)
    assert produced("generate_data", {"records": 15, "asked": 30}, quick=False)
    for count, ok in ((3, False), (4, True), (5, True)):
        report = {"scores": [{}] * count}
        assert produced("evaluate_model", {"report": report}, quick=False) is ok


def test_steps_have_names_in_the_demo_s_language(demo_of):
    demo = demo_of(DemoOptions("zh"))
    for name in ("add_documents", "ask 2", "refuse", "serve", "endpoint_alone", "trace"):
        demo._note(name, "", 0.0)
    assert [step.name for step in demo.steps][:2] == ["add_documents", "ask 2"]
    titles = [step.title for step in demo.steps]
    assert titles[:2] == ["添加文档", "提问 2"]
    assert all(not title.isascii() for title in titles)
    assert set(WORDS["en"]) == set(WORDS["zh"])


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers every question with one text; keeps what it was sent."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.headers["authorization"], body["model"]))
        text, refused = self.server.text
        reply = json.dumps(
            {
                "id": "answer_1", "object": "chat.completion", "created": 0, "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop",
                             "message": {"role": "assistant", "content": text}}],
                "domainsmith": {"method": "grounded", "refused": refused},
            }
        ).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    with http.server.HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        server.seen, server.text = [], ("The fuse is 13 A [1].", False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def url_of(server):
    return f"http://127.0.0.1:{server.server_address[1]}/v1"


def test_endpoint_is_asked_with_the_key_and_without_a_proxy(endpoint, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("DOMAINSMITH_API_KEY", raising=False)
    reply = ask_endpoint(url_of(endpoint), "domainsmith", "Which fuse?")
    assert (reply.id, reply.method, reply.refused) == ("answer_1", "grounded", False)
    monkeypatch.setenv("DOMAINSMITH_API_KEY", "secret")
    ask_endpoint(url_of(endpoint), "base", "Which fuse?")
    assert endpoint.seen == [("Bearer local", "domainsmith"), ("Bearer secret", "base")]


def test_served_refusal_fails_the_step_unless_the_model_was_alone(endpoint, demo_of):
    endpoint.text = ("The documents do not answer this question.", False)
    demo = demo_of()
    demo._ask_served("endpoint", url_of(endpoint), "domainsmith", "Which fuse?")
    demo._ask_served("endpoint_alone", url_of(endpoint), "adapter_1", "Which?", may_refuse=True)
    assert [step.ok for step in demo.steps] == [False, True]
    assert demo.data["endpoint"]["refused"] is True


def test_endpoint_without_an_answer_is_an_error(endpoint):
    endpoint.text = (" ", False)
    with pytest.raises(InputEmpty, match="empty text"):
        ask_endpoint(url_of(endpoint), "base", "Which fuse?")
    with pytest.raises(InputEmpty, match="gave no answer"):
        ask_endpoint(f"http://127.0.0.1:{free_port()}/v1", "base", "Which fuse?")


def test_agent_of_the_demo_keeps_the_settings_rules(demo_of, monkeypatch):
    built = {}
    monkeypatch.setattr(
        "domainsmith.agents.analyst.build_analyst",
        lambda ctx, saver, *, policy: built.update(ctx=ctx, policy=policy),
    )
    demo = demo_of(DemoOptions(quick=True), approve=("train_model",), max_steps=3, records=30)
    from domainsmith.apps.assembly import Assembly

    with demo._agent(Assembly(demo.workspace, demo.settings.values), example_domain("en")):
        pass
    assert built["policy"].allow == ("train_model",)
    assert built["policy"].budget.steps == 3
    assert (built["ctx"].options.records, built["ctx"].options.epochs) == (30, 1.0)


def test_interrupted_request_is_shown_to_go_on(tmp_path, capsys):
    with Workspace.create(tmp_path / "w") as workspace:
        console = Console()
        demo = Demo(
            workspace, load_settings(environment={}), console, lambda r: True,
            DemoOptions("zh"), LiveTail(console),
        )  # fmt: skip
        demo._show(AgentEvent("resumed", data={"plan": {}}))
    assert "从上次中断的地方继续" in capsys.readouterr().err
