import subprocess
import sys

HEAVY = "torch numpy chromadb langchain langchain_core langgraph transformers peft trl"


def test_the_storage_core_imports_nothing_heavy():
    code = (
        "import sys, pkgutil, importlib, domainsmith.storage as s\n"
        "for m in pkgutil.iter_modules(s.__path__):\n"
        "    importlib.import_module(f'{s.__name__}.{m.name}')\n"
        f"print([name for name in {HEAVY!r}.split() if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"
