"""The page without a browser: its files, that nothing leaves or enters it unescaped, its speed."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from leaderboard.numbers.collection import gather
from leaderboard.numbers.entry import Run, published_entries, slug
from leaderboard.numbers.results import entry, read_runs
from leaderboard.page.methods import gallery, method_views
from leaderboard.page.provenance import bibtex, safe_url
from leaderboard.page.robustness import plots
from leaderboard.page.site import build
from rvosbench.contracts import TruthLookup
from rvosbench.datasets import load_dataset
from rvosbench.masks import MaskSequence
from rvosbench.records import MethodCard, Sample, Video
from rvosbench.report.cases import jf
from rvosbench.runs.evaluate import RunOptions, evaluate
from rvosbench.runs.run_folder import RunFolder
from rvosbench.tables.published import About

from .making import cited, replaced, result, rows, saved, sola

VIDEO = Video("video-0", ("0",), lambda i: np.zeros((4, 4, 3), np.uint8), lambda: (4, 4))
ATTACK = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of published numbers, a run with hostile text, and runs on corrupted frames."""
    folder = tmp_path_factory.mktemp("page")
    card = MethodCard(ATTACK, ATTACK, ATTACK, 5, "MeViS", "javascript:alert(1)", ATTACK)
    runs = [
        result(rows(0.4), card, text=ATTACK),
        *[sola(0.5 - k / 50, corruption=f"fog:{k}@fast-1") for k in (1, 2, 3)],
        sola(0.5),
    ]
    build(gather([saved(folder / "runs", *runs)]), folder / "site")
    return folder / "site"


class Parsed(HTMLParser):
    """Tags with their attributes, ids, and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def all_pages(site: Path) -> dict[str, Parsed]:
    pages = [site / "index.html", *sorted(site.glob("methods/*.html"))]
    return {str(p.relative_to(site)): Parsed(p.read_text("utf-8")) for p in pages}


def test_everything_is_written(site: Path) -> None:
    names = {str(p.relative_to(site)) for p in site.rglob("*") if p.is_file()}
    assert {"index.html", "methods/sola.html", "tables/A.2b.tex", "tables/mevis.csv"} <= names
    assert all(f"tables/{n}.json" in names for n in ("1", "2", "3", "4", "5a", "5b", "A.1", "A.2a"))


def test_text_from_files_is_escaped_on_every_page(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert ATTACK not in path.read_text(encoding="utf-8"), path
    hostile = [p for p in site.glob("methods/*.html") if "alert" in p.name]
    assert len(hostile) == 1
    assert hostile[0].read_text(encoding="utf-8").count("&lt;script&gt;alert(1)") > 15


def test_each_page_has_exactly_its_two_scripts_and_no_handlers(site: Path) -> None:
    for name, page in all_pages(site).items():
        assert len([t for t, _ in page.tags if t == "script"]) == 2, name
        assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")], name


def test_nothing_is_loaded_from_anywhere(site: Path) -> None:
    for name, page in all_pages(site).items():
        for tag, attrs in page.tags:
            if address := attrs.get("src"):
                assert address.startswith("data:image/"), (name, tag)
            if tag == "link":
                assert attrs["href"] == "data:,"
        text = (site / name).read_text(encoding="utf-8")
        assert "@import" not in text
        assert "url(" not in re.sub(r"\\\\url", "", text.partition("</style>")[0])


def test_links_are_web_addresses_or_files_that_exist(site: Path) -> None:
    for name, page in all_pages(site).items():
        for address in [a["href"] for t, a in page.tags if t == "a"]:
            assert address is not None
            if not address.startswith(("https://", "#")):
                assert (site / name).parent.joinpath(address).is_file(), (name, address)


def test_ids_are_unique_and_controls_have_names(site: Path) -> None:
    for name, page in all_pages(site).items():
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        assert len(ids) == len(set(ids)), name
        for tag, attrs in page.tags:
            if tag == "img":
                assert attrs.get("alt"), name
        text = (site / name).read_text(encoding="utf-8")
        assert not re.search(r"<button[^>]*>\s*</button>", text)
        assert '<html lang="en">' in text


def test_the_scripts_data_is_json_and_covers_every_row(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    data = json.loads(found[1])
    assert set(re.findall(r'<tr[^>]* data-line="([^"]+)"', text)) == set(data["lines"])
    links = [fact["link"] for line in data["lines"].values() for fact in line["facts"]]
    assert all(link is None or link.startswith("https://") for link in links)


def test_the_same_inputs_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    runs = site.parent / "runs"
    build(gather(sorted(runs.iterdir(), reverse=True)), tmp_path)
    names = {p.relative_to(site) for p in site.rglob("*.*")}
    assert names == {p.relative_to(tmp_path) for p in tmp_path.rglob("*.*")}
    for name in names:
        assert (site / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_500_methods_take_seconds(tmp_path: Path) -> None:
    """Also: the work grows with the methods, not with their square."""
    for number in range(500):
        card = MethodCard(f"Method {number}", training_data="MeViS")
        one = result(rows(0.3 + number / 1500, 10, 2, seed=number), card, method=f"m{number}")
        saved(tmp_path / "runs" / str(number), one)
    begin = time.process_time()
    build(gather([tmp_path / "runs"]), tmp_path / "site")
    assert time.process_time() - begin < 15
    text = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert text.count('class="run"') >= 500


def test_one_table_in_one_format_can_be_built_alone(tmp_path: Path) -> None:
    written = build(gather(), tmp_path, table="5b", form="latex")
    assert [p.relative_to(tmp_path) for p in written] == [Path("tables/5b.tex")]


def test_slugs_are_file_names_and_differ() -> None:
    names = ["SOLA", "../../etc", "A b", "A.b", "a B!", "日本", "", "VLT+TC", "VLT TC", ATTACK]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", s) for s in slugs)
    assert slugs[0] == "sola"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://github.com/x/y", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str, safe: bool) -> None:
    assert safe_url(url) == (url if safe else None)


def test_bibtex_is_the_given_one_or_what_is_known() -> None:
    given = entry(Path("r.json"), result(card=MethodCard("Mine", bibtex="@a{b}")))
    assert bibtex(given) == "@a{b}"
    bare = entry(Path("r.json"), result(card=MethodCard("M & N", url="https://x.org")))
    assert bibtex(bare) == (
        "@misc{m-n,\n  title = {M \\& N},\n  howpublished = {\\url{https://x.org}},\n}"
    )
    assert bibtex(cited("A", (1.0, 1.0, 1.0))) == "@misc{a,\n  title = {Title},\n}"


def test_curves_join_clean_and_corrupted_runs_of_one_contender() -> None:
    runs = [sola(0.5), *[sola(0.5 - k / 20, corruption=f"fog:{k}@x") for k in (3, 1)]]
    found = plots([entry(Path(f"{i}.json"), r) for i, r in enumerate(runs)])
    assert [p.title for p in found] == ["Fog"]
    (line,) = found[0].series
    assert [severity for severity, _ in line.points] == [0, 1, 3]
    assert [round(score) for _, score in line.points] == [51, 46, 36]
    assert list(found[0].ticks) == [0, 20, 40, 60]


def test_a_curve_is_drawn_from_its_points(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    plot = text[text.index("<strong>Fog</strong>") :].partition("</figure>")[0]
    (drawn,) = [x for x in re.findall(r'<polyline [^>]*points="([^"]*)"', plot) if "26,4" not in x]
    points = [tuple(map(float, point.split(","))) for point in drawn.split()]
    assert [x for x, _ in points] == [30.0, 70.0, 110.0, 150.0]
    heights = [y for _, y in points]
    assert heights == sorted(heights)  # from the top: the score falls
    assert 8 <= heights[0] < heights[-1] <= 136


def test_two_configurations_of_one_method_are_two_curves() -> None:
    runs = [
        *[result(rows(0.4), corruption=f"fog:{k}", config={"threshold": 0.3}) for k in (1, 2)],
        *[result(rows(0.3), corruption=f"fog:{k}", config={"threshold": 0.5}) for k in (2, 3)],
        sola(0.5, corruption="fog:1", config={"background_inference": False}),
        sola(0.5, corruption="fog:1"),
    ]
    (plot,) = plots([entry(Path(f"{i}.json"), r) for i, r in enumerate(runs)])
    found = sorted((s.name, [severity for severity, _ in s.points]) for s in plot.series)
    assert found == [
        ("Mine (run)", [1, 2]),
        ("Mine (run)", [2, 3]),
        ("SOLA (background_inference=false) (run)", [1]),
        ("SOLA (run)", [1]),
    ]
    assert len({s.style for s in plot.series}) == 4


def test_the_papers_robustness_has_clean_points_and_no_ablations() -> None:
    found = plots(published_entries())
    assert [p.title for p in found] == ["Gaussian noise", "Motion blur"]
    for plot in found:
        assert [s.name for s in plot.series] == [
            "DsHmp (sola)",
            "LMPM (sola)",
            "ReferFormer (sola)",
            "SOLA (sola)",
        ]
        assert all(len(s.points) == 2 for s in plot.series)
    assert found[1].series[3].points == ((0, 48.6), (5, 39.8))


class SometimesRight:
    """Answers every other expression with the truth, the others with nothing."""

    def predict_with_truth(self, sample: Sample, truth: TruthLookup) -> Mapping[str, MaskSequence]:
        nothing = MaskSequence.empty(len(sample.video), sample.video.size)
        return {
            e.id: nothing if i % 2 else truth(e.id).union()
            for i, e in enumerate(sample.expressions)
        }


def test_overlays_show_best_and_worst_of_a_run_on_the_demo(tmp_path: Path) -> None:
    dataset = load_dataset("demo")
    videos = [next(iter(dataset)).video.id]
    evaluate(SometimesRight(), dataset, videos=videos, run=RunOptions(out=tmp_path / "run"))
    (run,) = read_runs([tmp_path / "run"])[0]
    assert run.run is not None
    found = gallery(run.run, {})
    assert found.remark == ""
    assert len(found.best) == len(found.worst) > 0
    best, worst = ([jf(scored) for scored, _ in cases] for cases in (found.best, found.worst))
    assert min(best) >= max(worst)
    for _, pictures in (*found.best, *found.worst):
        assert pictures
        assert all(p.startswith("data:image/jpeg;base64,") for p in pictures)


def test_overlays_say_why_there_are_none(tmp_path: Path) -> None:
    saved(tmp_path, sola(0.5), sola(0.4, corruption="fog:1"))
    for one in read_runs([tmp_path])[0]:
        assert one.run is not None
        assert "not at hand" in gallery(one.run, {}).remark
        video = RunFolder(one.run.path.parent).video("video-0")
        video.path.mkdir(parents=True)
        video.write_predictions(VIDEO, {})
        remark = gallery(one.run, {}).remark
        assert "clean frames only" in remark or "needs its folder: --data" in remark
        reviewed = one.run.path.with_name("other.result.json")
        assert "not at hand" in gallery(Run(reviewed, one.run.result), {}).remark


def test_an_entry_of_several_is_described_by_the_fullest() -> None:
    bare = cited("A", (1.0, 1.0, 1.0))
    full = dataclasses.replace(bare, about=About("A", venue="V", backbone="B"))
    (view,) = method_views([bare, full], {}, {})
    assert view.about is full
    assert len(view.numbers) == 2


def test_a_run_without_scores_has_a_page_without_numbers() -> None:
    hidden = entry(Path("r.json"), replaced(sola(0.5), summary=None, expressions=()))
    (view,) = method_views([hidden], {}, {})
    assert (view.numbers, view.runs) == ((), ())
