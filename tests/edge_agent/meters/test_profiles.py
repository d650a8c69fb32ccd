"""Profiles as data: each row of the facts is met, a dump of each reads as it should, and a wrong file says where."""

import json
from pathlib import Path

import pytest

from edge_agent.meters.plan import blocks, values_of
from edge_agent.meters.profiles import ProfileInvalid, bundled, load

CORPUS = Path("tests/corpus/meters")
# A second reading of METERS §6.1: function, type, order of words, then addresses as they stand there. A group is
# "quantity scale address…", three addresses for L1 to L3, one for the total. `type:` before an address is another type.
ROWS = {
    "eastron-sdm630": "4 f32 high_first; U 1 0 2 4; I 1 6 8 A; P 1 C E 10; Pt 1 34; f 1 46; Ei 1000 48; Ee 1000 4A;"
    " Ei 1000 15A 15C 15E; Ee 1000 160 162 164",
    "eastron-sdm120": "4 f32 high_first; U 1 0; I 1 6; P 1 C; Pt 1 C; f 1 46; Ei 1000 48; Ee 1000 4A",
    "eastron-sdm72d-m-v1": "4 f32 high_first; Pt 1 34; Ei 1000 48; Ee 1000 4A",
    "carlo-gavazzi-em24-din": "4 s32 low_first; U .1 0 2 4; I .001 C E 10; P .1 12 14 16; Pt .1 28; f .1 u16:37;"
    " Ei 100 3E; Ee 100 5C; Ei 100 46 48 4A",
    "carlo-gavazzi-em24-e1": "4 s32 low_first; U .1 0 2 4; I .001 C E 10; P .1 12 14 16; Pt .1 28; f .1 u16:33;"
    " Ei 100 34; Ee 100 4E; Ei 100 40 42 44",
    "carlo-gavazzi-em340": "4 s32 low_first; U .1 0 2 4; I .001 C E 10; P .1 12 14 16; Pt .1 28; f .1 u16:33;"
    " Ei 100 34; Ee 100 4E; Ei 100 40 42 44; Ee 100 60 62 64",
    "carlo-gavazzi-em340-s27": "4 s32 low_first; U .1 0 2 4; I .001 C E 10; P .1 12 14 16; Pt .1 28; f .1 u16:37;"
    " Ei 100 3E; Ee 100 5C; Ei 100 46 48 4A",
    "carlo-gavazzi-em530": "4 s32 low_first; U .1 0 2 4; I .001 C E 10; P .1 12 14 16; Pt .1 28; f .1 u16:33;"
    " Ei 100 34; Ee 100 4E; Ei 100 40 42 44",
    "carlo-gavazzi-em112": "4 s32 low_first; U .1 0; I .001 2; P .1 4; Pt .1 4; f .1 u16:F; Ei 100 10; Ee 100 20",
    "abb-b23": "3 u32 high_first; U .1 5B00 5B02 5B04; I .01 5B0C 5B0E 5B10; P .01 s32:5B16 s32:5B18 s32:5B1A;"
    " Pt .01 s32:5B14; f .01 u16:5B2C; Ei 10 u64:5000; Ee 10 u64:5004; Ei 10 u64:5460 u64:5464 u64:5468;"
    " Ee 10 u64:546C u64:5470 u64:5474",
    "schneider-iem3155": "3 f32 high_first; U 1 BD3 BD5 BD7; I 1 BB7 BB9 BBB; P 1000 BED BEF BF1; Pt 1000 BF3; f 1 C25;"
    " Ei 1 s64:C83; Ee 1 s64:C87; Ei 1 s64:DBD s64:DC1 s64:DC5",
    "siemens-pac2200": "3 f32 high_first; U 1 1 3 5; I 1 D F 11; P 1 19 1B 1D; Pt 1 41; f 1 37; Ei 1 f64:321;"
    " Ee 1 f64:329; Ei 1 f64:349 f64:371 f64:399; Ee 1 f64:351 f64:379 f64:3A1",
    "janitza-umg96rm-e": "3 f32 high_first; U 1 4A38 4A3A 4A3C; I 1 4A44 4A46 4A48; P 1 4A4C 4A4E 4A50; Pt 1 4A52;"
    " f 1 4A6A; Ei 1 4A7C; Ee 1 4A84; Ei 1 4A76 4A78 4A7A; Ee 1 4A7E 4A80 4A82",
    "janitza-umg604": "3 f32 high_first; U 1 525 527 529; I 1 52D 52F 531; P 1 535 537 539; Pt 1 559; f 1 59F;"
    " Ei 1 267B; Ee 1 2687",
    "phoenix-contact-eem-ma": "3 f32 low_first; U 1 8006 8008 800A; I 1 800E 8010 8012; P 1 801E 8020 8022; Pt 1 8016;"
    " f 1 800C; Ei 1 8100; Ee 1 8106",
    "socomec-countis-e24": "3 u32 high_first; U .01 C558 C55A C55C; I .001 C560 C562 C564;"
    " P 10 s32:C570 s32:C572 s32:C574; Pt 10 s32:C568; f .01 C55E; Ei 10 C702; Ee 10 C708",
    "socomec-diris-a10": "3 u32 high_first; U .01 C558 C55A C55C; I .001 C560 C562 C564;"
    " P 10 s32:C570 s32:C572 s32:C574; Pt 10 s32:C568; f .01 C55E; Ei 1000 C65C; Ee 1000 C662",
    "socomec-diris-b30": "3 u32 high_first; U .01 480C 480E 4810; I .001 481A 481C 481E;"
    " P 1 s32:4838 s32:483A s32:483C; Pt 1 s32:482C; Ei 1000 4D83; Ee 1000 4D86",
    "iskra-wm3": "4 t5 high_first; U 1 6B 6D 6F; I 1 7E 80 82; P 1 t6:8E t6:90 t6:92; Pt 1 t6:8C; f 1 69;"
    " Ei 1 s32:196; Ee 1 s32:198",
    "iskra-mc": "4 f32 high_first; U 1 9C4 9C6 9C8; I 1 9D4 9D6 9D8; P 1 9E2 9E4 9E6; Pt 1 9E8; f 1 A18;"
    " Ei 1 s32:196; Ee 1 s32:198",
    "sunspec-meter": "3 s16 high_first; U 1 8 9 A; I 1 3 4 5; P 1 13 14 15; Pt 1 12; f 1 10; Ei 1 u32:2E; Ee 1 u32:26",
    "sunspec-meter-float": "3 f32 high_first; U 1 C E 10; I 1 4 6 8; P 1 1E 20 22; Pt 1 1C; f 1 1A; Ei 1 44; Ee 1 3C",
    "shelly-pro-3em": "4 f32 low_first; U 1 3FC 410 424; I 1 3FE 412 426; It 1 3F3; P 1 400 414 428; Pt 1 3F5; f 1 409;"
    " Ei 1 48A; Ee 1 48C; Ei 1 49E 4B2 4C6; Ee 1 4A0 4B4 4C8",
    "victron-vm-3p75ct": "3 u16 high_first; U .01 3040 3048 3050; I .01 s16:3041 s16:3049 s16:3051;"
    " P 1 s32:3082 s32:3086 s32:308A; Pt 1 s32:3080; f .01 3032; Ei 10 u32:3034; Ee 10 u32:3036",
}
QUANTITY = {"U": "voltage_v", "I": "current_a", "P": "power_w", "f": "frequency_hz", "Ei": "energy_import_wh",
            "Ee": "energy_export_wh"}  # fmt: skip
LIKE = {
    "eastron-sdm630": {"eastron-sdm72d-m-v2", "eastron-sdm54"},
    "eastron-sdm120": {"eastron-sdm220", "eastron-sdm230"},
    "carlo-gavazzi-em340": {"carlo-gavazzi-em330", "carlo-gavazzi-et340", "carlo-gavazzi-em300"},
    "carlo-gavazzi-em530": {"carlo-gavazzi-em540"},
    "carlo-gavazzi-em112": {"carlo-gavazzi-em111", "carlo-gavazzi-et112"},
    "abb-b23": {"abb-b24", "abb-a43", "abb-a44"},
    "schneider-iem3155": {"schneider-a9mem3155", "schneider-iem3255", "schneider-iem3250"},
    "siemens-pac2200": {"siemens-pac3120", "siemens-pac3200", "siemens-pac4200"},
    "janitza-umg96rm-e": {"janitza-umg96rm", "janitza-b23"},
    "phoenix-contact-eem-ma": {"phoenix-contact-eem-em"},
    "socomec-countis-e24": {f"socomec-countis-e{number}" for number in (23, 27, 28, 34, 44)},
    "socomec-diris-a10": {"socomec-diris-a14"},
    "iskra-wm3": {"iskra-wm3m4"},
    "iskra-mc": {"iskra-mt"},
}
MARKS = {
    "carlo-gavazzi-em24-din": (0x000B, [71, 72, 73], [70, 74, 1650]),
    "carlo-gavazzi-em24-e1": (0x000B, [1648, 1653], [1647, 1654, 71]),
    "carlo-gavazzi-em340": (0x000B, [330, 337, 340, 345], [338, 348, 346, 329]),
    "carlo-gavazzi-em340-s27": (0x000B, [338, 348], [337, 340]),
    "carlo-gavazzi-em530": (0x000B, [1744, 1763], [1743, 1764]),
    "carlo-gavazzi-em112": (0x000B, [102, 121], [101, 122]),
    "abb-b21": (0x8960, [0x42323120], [0x42323320]),
    "abb-b23": (0x8960, [0x42323320], [0x42323420]),
    "abb-b24": (0x8960, [0x42323420], [0x42323120]),
    "siemens-pac2200": (64001, [42], [43]),
    "victron-vm-3p75ct": (0x1000, [0xA1B1], [0xA1B0]),
}


def told(text: str) -> tuple[int, dict[str, tuple[int, str, str, float]]]:
    head, *groups = text.split(";")
    function, usual, words = head.split()
    rows: dict[str, tuple[int, str, str, float]] = {}
    for group in groups:
        name, scale, *places = group.split()
        total = len(places) == 1 and (name.endswith("t") or name in ("f", "Ei", "Ee"))
        for place, phase in zip(places, ("total",) if total else ("l1", "l2", "l3"), strict=False):
            type_, _, at = place.rpartition(":")
            order = "high_first" if type_ == "u16" else words
            rows[f"{QUANTITY[name.removesuffix('t')]}.{phase}"] = int(at, 16), type_ or usual, order, float(scale)
    return int(function), rows


@pytest.mark.parametrize("id_", ROWS)
def test_each_row_of_the_facts_is_met(id_: str) -> None:
    profile = bundled()[id_]
    function, rows = told(ROWS[id_])
    assert profile.function == function
    assert {key: (row.at, row.type, row.words, row.scale) for key, row in profile.keyed.items()} == rows


def test_every_map_is_one_of_the_facts() -> None:
    others = {id_ for ids in LIKE.values() for id_ in ids} | {"abb-b21", "iskra-wm1", "victron-em-wide"}
    assert set(bundled()) == set(ROWS) | others
    for of, ids in LIKE.items():
        for id_ in ids:
            assert bundled()[id_].rows == bundled()[of].rows, id_
    b21, b23 = bundled()["abb-b21"], bundled()["abb-b23"]
    assert b21.keyed == {key: row for key, row in b23.keyed.items() if key.endswith((".l1", ".total"))}
    wide = bundled()["victron-em-wide"].keyed
    assert [(wide[f"current_a.l{n + 1}"].at, wide[f"current_a.l{n + 1}"].type) for n in range(3)] == [
        (0x3058, "s32"), (0x305A, "s32"), (0x305C, "s32"),
    ]  # fmt: skip


@pytest.mark.parametrize("id_", MARKS)
def test_a_model_is_told_from_its_namesakes(id_: str) -> None:
    mark = bundled()[id_].identify
    at, good, bad = MARKS[id_]
    assert mark is not None
    assert mark.at == at
    assert all(mark.holds(value) for value in good)
    assert not any(mark.holds(value) for value in bad)


def test_scale_factors_and_exponents_stand_where_the_facts_say() -> None:
    sunspec = bundled()["sunspec-meter"].keyed
    factors = {
        "voltage_v.l1": 15, "current_a.l1": 6, "power_w.l1": 22, "power_w.total": 22, "frequency_hz.total": 17,
        "energy_import_wh.total": 54, "energy_export_wh.total": 54,
    }  # fmt: skip
    assert {key: sunspec[key].scale_at for key in factors} == factors
    iskra = bundled()["iskra-wm3"].keyed
    assert (iskra["energy_import_wh.total"].scale_at, iskra["energy_export_wh.total"].scale_at) == (401, 402)


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.json")), ids=lambda file: file.stem)
def test_a_dump_reads_as_the_values_it_was_taken_with(file: Path) -> None:
    dump = json.loads(file.read_text("utf-8"))
    profile = bundled()[dump["profile"]]
    registers = {}
    for at, words in dump.get("holding" if profile.function == 3 else "input", {}).items():
        for number in range(0, len(words), 4):
            registers[int(at, 16) + number // 4] = int(words[number : number + 4], 16)
    base = 40069 if profile.sunspec else 0
    read: dict[int, int] = {}
    for block in blocks(profile, base=base):
        assert block.count <= profile.registers_max
        read.update({at: registers[at] for at in range(block.at, block.at + block.count)})
    values = values_of(profile, read, base=base)
    assert values == {key: pytest.approx(value, rel=1e-6) for key, value in dump["values"].items()}


def test_every_profile_has_a_dump_and_says_where_its_rows_come_from() -> None:
    assert {file.stem for file in CORPUS.glob("*.json")} == set(bundled())
    for profile in bundled().values():
        assert all(row.source for row in profile.keyed.values())
        assert profile.verified == all(len(row.source) > 1 for row in profile.keyed.values())


OWN = """name = "Mine"
phases = 1
function = 3
sources.manual = "the manual, page 12"
rows.power_w.total = { at = 10, type = "s32", words = "high_first", source = ["manual"] }
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("power_w", "watts"), "own: rows.watts: allowed are voltage_v"),
        (("total", "l4"), "own: rows.power_w.l4: allowed are total, l1, l2, l3"),
        (('"s32"', '"i32"'), "own: .*Invalid enum value 'i32'.*rows"),
        (("function = 3", "function = 5"), "own: .*Invalid enum value 5.*function"),
        (('["manual"]', '["else"]'), r"rows.power_w.total: source names \['else'\]; \[sources\] has manual"),
        (('["manual"]', "[]"), "source names nothing"),
        (("at = 10", "at = 65535"), "lies outside"),
        (("phases = 1", "phases = 1\nregisters_max = 126"), "one request reads 1 to 125 registers"),
        (("phases = 1", "colour = 'red'"), "own: .*colour"),
        (("name =", "name"), "own.toml: .*line 1"),
        (("phases = 1", 'like = "nobody"'), "own: like = 'nobody' is no profile with a map of its own"),
        (("phases = 1", 'phases = 1\nserial_number = { at = 1, type = "text" }'), "a text needs `registers`"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN.replace(*change, 1))
    with pytest.raises(ProfileInvalid, match=words):
        load(file)


def test_a_person_adds_one(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    profile = load(file)
    assert (profile.id, profile.name, list(profile.keyed)) == ("own", "Mine", ["power_w.total"])
    assert not profile.verified
    assert not profile.by_mark
    file.write_text('name = "Ours"\nlike = "abb-b23"\nregisters_max = 10\n')
    assert load(file).rows == bundled()["abb-b23"].rows
    with pytest.raises(ProfileInvalid, match="cannot be read"):
        load(tmp_path / "none.toml")
