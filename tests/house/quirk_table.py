"""The table of rules in docs/quirks.md, made from the rules. `python -m tests.house.quirk_table` writes it anew."""

from edge_agent.charge_points.quirks import Rule, built_in
from tests.house.files import ROOT

DOCUMENT = ROOT / "docs" / "quirks.md"
BEGIN, END = "<!-- rules: made from quirks.toml -->", "<!-- end of rules -->"


def table() -> str:
    lines = ["| rule | whom | what is done | source |", "|---|---|---|---|"]
    lines += [
        f"| `{each.name}` | {_whom(each)} | {each.note} {_effects(each)} | {each.source} |" for each in built_in().rules
    ]
    return "\n".join(lines)


def _whom(rule: Rule) -> str:
    parts = [f"{key} `{value}`" for key in ("vendor", "model", "firmware") if (value := getattr(rule, key))]
    return ", ".join(parts) or "whoever calls"


def _effects(rule: Rule) -> str:
    pairs = {**rule.effects, **rule.headers, **rule.subprotocols}
    return ", ".join(
        f"`{key} = {str(value).lower() if isinstance(value, bool) else value}`" for key, value in pairs.items()
    )


def in_document() -> str:
    text = DOCUMENT.read_text("utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", "utf-8")
