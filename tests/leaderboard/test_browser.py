"""The page in a real browser: headless Chromium, driven by selenium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from leaderboard.numbers.collection import gather
from leaderboard.page.site import build
from rvosbench.records import MethodCard

from .making import result, rows, saved, sola

selenium = pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver import Chrome, Keys  # noqa: E402
from selenium.webdriver.chrome.options import Options  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

ATTACK = "<script>alert(1)</script>"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("site")
    card = MethodCard(ATTACK, "Venue", "Backbone", 5, "MeViS", bibtex="@misc{attack}")
    runs = [
        result(rows(0.4, 12), card, text=ATTACK),
        sola(0.5),
        result(rows(0.41, 12, seed=3), MethodCard("Close", training_data="MeViS"), method="close"),
        *[sola(0.5 - k / 50, corruption=f"fog:{k}@fast-1") for k in (1, 3, 5)],
    ]
    build(gather([saved(folder / "runs", *runs)]), folder / "site")
    return (folder / "site").as_uri()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no browser: install the Debian packages chromium and chromium-driver")
    options = Options()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def page(chromium: Chrome, site: str) -> Iterator[Chrome]:
    """The front page, freshly loaded; afterwards nothing may stand on the console."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get("about:blank")
    chromium.get(f"{site}/index.html")
    chromium.get_log("browser")  # type: ignore[no-untyped-call]
    yield chromium
    assert chromium.get_log("browser") == []  # type: ignore[no-untyped-call]


def one(page: Chrome, selector: str) -> WebElement:
    return page.find_element("css selector", selector)


def visible(page: Chrome, selector: str) -> list[WebElement]:
    return [e for e in page.find_elements("css selector", selector) if e.is_displayed()]


def column(page: Chrome, index: int) -> list[str]:
    """Texts of a column of the open board's visible rows."""
    script = """return [...document.querySelectorAll('section.board:not([hidden]) tbody tr')]
        .filter(r => !r.hidden).map(r => r.cells[arguments[0]].innerText.trim())"""
    found: list[str] = page.execute_script(script, index)
    return found


def tab(page: Chrome, name: str) -> WebElement:
    return one(page, f'[role="tab"][data-name="{name}"]')


def board(page: Chrome, selector: str) -> WebElement:
    return one(page, f"section.board:not([hidden]) {selector}")


def sort(page: Chrome, heading: str) -> str | None:
    button = next(b for b in visible(page, "section.board .sort") if b.text == heading)
    button.click()
    return button.find_element("xpath", "..").get_attribute("aria-sort")


def test_tabs_show_one_panel_and_follow_keys_and_addresses(page: Chrome, site: str) -> None:
    assert len(visible(page, '[role="tabpanel"]')) == 1
    tab(page, "mevis").click()
    tab(page, "mevis").send_keys(Keys.ARROW_RIGHT)
    assert tab(page, "mevis-valid_u").get_attribute("aria-selected") == "true"
    assert page.switch_to.active_element == tab(page, "mevis-valid_u")
    assert page.current_url.endswith("#mevis-valid_u")
    page.switch_to.active_element.send_keys(Keys.END)
    assert tab(page, "contradictions").get_attribute("aria-selected") == "true"
    assert len(visible(page, '[role="tabpanel"]')) == 1
    page.get("about:blank")
    page.get(f"{site}/index.html#ref-davis17")
    assert tab(page, "ref-davis17").get_attribute("aria-selected") == "true"


def test_numbers_and_texts_are_sorted_both_ways_missing_ones_last(page: Chrome) -> None:
    def numbers(index: int) -> list[float]:
        texts = [t.splitlines()[0].removeprefix("≈ ") for t in column(page, index)]
        assert "-" not in texts[: len(texts) - texts.count("-")]
        return [float(t) for t in texts if t != "-"]

    assert sort(page, "F") == "descending"
    assert numbers(8) == sorted(numbers(8), reverse=True)
    assert sort(page, "F") == "ascending"
    assert numbers(8) == sorted(numbers(8))
    assert sort(page, "Method") == "ascending"
    names = [name.splitlines()[0].lower() for name in column(page, 0)]
    assert names.index("agentrvos (gpt-5)") < names.index("lisa-7b") < names.index("urvos")
    assert sort(page, "Trainable") == "descending"
    assert column(page, 3)[0] == "112.9 M"
    states = [h.get_attribute("aria-sort") for h in visible(page, "section.board th[aria-sort]")]
    assert sorted(str(s) for s in states) == ["descending", *["none"] * 8]


def test_filters_and_search_narrow_the_board_and_say_how_many(page: Chrome) -> None:
    total = len(column(page, 0))
    board(page, '[data-filter="venue"] option[value="CVPR 2024"]').click()
    assert set(column(page, 1)) == {"CVPR 2024"}
    shown = len(column(page, 0))
    assert board(page, ".count").text == f"{shown} of {total}"
    board(page, 'input[type="search"]').send_keys("dshmp")
    assert set(column(page, 0)) == {"DsHmp"}
    board(page, ".reset").click()
    assert len(column(page, 0)) == total
    for name, index in (("backbone", 2), ("training", 4), ("protocol", 5)):
        option = page.find_elements(
            "css selector", f"section.board:not([hidden]) [data-filter={name}] option"
        )[1]
        option.click()
        assert set(column(page, index)) == {option.get_attribute("value")}
        board(page, ".reset").click()


def test_provenance_opens_on_hover_and_stays_on_click(page: Chrome) -> None:
    from selenium.webdriver import ActionChains

    button = board(page, ".num")
    pop = one(page, "#pop")
    assert not pop.is_displayed()
    ActionChains(page).move_to_element(button).perform()
    assert pop.is_displayed()
    ActionChains(page).move_to_element(one(page, "h1")).perform()
    assert not pop.is_displayed()
    button.click()
    ActionChains(page).move_to_element(one(page, "h1")).perform()
    assert pop.is_displayed()
    assert "AgentRVOS" in pop.text
    assert "Table 1" in pop.text
    assert button.get_attribute("aria-expanded") == "true"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not pop.is_displayed()
    assert page.switch_to.active_element == button


def test_provenance_is_reached_with_the_keyboard_alone(page: Chrome) -> None:
    button = board(page, ".num")
    page.execute_script("arguments[0].focus()", button)
    button.send_keys(Keys.ENTER)
    assert one(page, "#pop").is_displayed()
    page.switch_to.active_element.send_keys(Keys.ENTER)  # the close button has the focus
    assert not one(page, "#pop").is_displayed()
    assert page.switch_to.active_element == button


def test_other_sources_of_a_number_are_told(page: Chrome) -> None:
    page.execute_script("arguments[0].click()", tab(page, "ref-youtube-vos"))
    board(page, 'input[type="search"]').send_keys("samwise")
    board(page, "tr:not([hidden]) .num").click()
    text = one(page, "#pop").text
    assert "67.2" in text
    assert "arXiv v1" in text
    assert "the CVPR version" in text


def test_hostile_text_is_shown_as_text(page: Chrome, site: str) -> None:
    board(page, 'input[type="search"]').send_keys("alert(1)")
    assert column(page, 0)[0].startswith(ATTACK)
    board(page, "tr:not([hidden]) .num").click()
    assert one(page, "#pop").is_displayed()
    board(page, "tbody tr:not([hidden]) a").click()
    assert one(page, "h1").text == ATTACK
    for summary in visible(page, "summary"):
        if "expressions" in summary.text:
            summary.click()
    assert any(cell.text == ATTACK for cell in visible(page, 'th[scope="row"]'))
    inline = page.execute_script(
        "return [...document.scripts].filter(s => s.textContent.trim() === 'alert(1)').length"
    )
    assert inline == 0
    assert page.title.startswith(ATTACK)


def test_the_theme_changes_at_once_and_is_named(page: Chrome) -> None:
    def background() -> str:
        script = "return getComputedStyle(document.body).backgroundColor"
        return str(page.execute_script(script))

    button, before = one(page, "#theme"), background()
    label = button.text
    button.click()
    assert background() != before
    assert button.text != label
    button.click()
    assert (background(), button.text) == (before, label)


def test_the_system_theme_is_followed(page: Chrome, site: str) -> None:
    page.execute_script("localStorage.clear()")
    colours = []
    for scheme in ("dark", "light"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        page.get(f"{site}/index.html")
        colours.append(
            page.execute_script("return getComputedStyle(document.body).backgroundColor")
        )
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert colours == ["rgb(15, 20, 25)", "rgb(255, 255, 255)"]


def test_what_is_seen_is_copied_as_latex_and_bibtex(page: Chrome) -> None:
    board(page, 'input[type="search"]').send_keys("sola")
    shown = len(column(page, 0))
    board(page, '[data-copy="board-latex"]').click()
    text = str(one(page, "#copied textarea").get_attribute("value"))
    assert text.count("SOLA") >= shown
    assert text.index("\\toprule") < text.index("SOLA") < text.index("\\bottomrule")
    assert "DsHmp" not in text
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    board(page, '[data-copy="board-bibtex"]').click()
    assert "@misc{sola," in str(one(page, "#copied textarea").get_attribute("value"))
    one(page, "#copied button").click()
    tab(page, "paper").click()
    one(page, '[data-copy="5b.latex"]').click()
    assert "44.9 & 42.2 & 47.0" in str(one(page, "#copied textarea").get_attribute("value"))
    one(page, "#copied button").click()


def test_runs_are_marked_and_ties_are_told(page: Chrome) -> None:
    assert len(visible(page, "tr.run")) == 3
    board(page, 'input[type="search"]').send_keys("mevis")
    texts = [e.text for e in visible(page, "tr.run")]
    assert all("run" in text and " to " in text for text in texts)
    assert any("≈" in text for text in texts)


def test_robustness_curves_are_drawn_with_their_numbers(page: Chrome) -> None:
    tab(page, "robustness").click()
    titles = [e.text.splitlines()[0] for e in visible(page, ".plots figcaption")]
    assert titles == ["Fog", "Gaussian noise", "Motion blur"]
    figure = visible(page, ".plots figure")[0]
    points = figure.find_element("css selector", "polyline").get_attribute("points")
    assert len(str(points).split()) == 4
    assert "severity" in str(figure.find_element("css selector", "svg").get_attribute("aria-label"))


CONTRAST = r"""
const rgb = (text) => text.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const colour = rgb(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const bad = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !node.getClientRects().length || node.closest("svg, option")) continue;
  const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) bad.push(`${node.tagName} ${node.className} ${ratio.toFixed(2)}`);
}
return [...new Set(bad)];
"""
NAMELESS = """
return [...document.querySelectorAll('button, a[href], input, select, textarea, [role=dialog]')]
  .filter(n => n.getClientRects().length)
  .filter(n => !(n.innerText || '').trim() && !n.getAttribute('aria-label')
    && !(n.labels && n.labels.length)).map(n => n.outerHTML)
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["mevis", "paper", "robustness", "contradictions"])
def test_contrast_names_and_structure(page: Chrome, theme: str, name: str) -> None:
    """WCAG AA contrast of all text, a name for every control, headings and landmarks."""
    page.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    tab(page, name).click()
    # Colours fade in after a click: look at them when they have arrived.
    page.execute_async_script(
        "Promise.all(document.getAnimations().map(a => a.finished)).then(arguments[0])"
    )
    assert page.execute_script(CONTRAST) == []
    assert page.execute_script(NAMELESS) == []
    assert len(visible(page, "h1")) == len(visible(page, "main")) == 1
    for panel in visible(page, '[role="tabpanel"]'):
        label = str(panel.get_attribute("aria-labelledby"))
        assert one(page, f"#{label}").get_attribute("role") == "tab"
    for table in visible(page, "table"):
        assert table.find_elements("css selector", 'thead th[scope="col"]')


def test_the_focus_is_visible(page: Chrome) -> None:
    tab(page, "mevis").send_keys(Keys.TAB)
    script = "const s = getComputedStyle(document.activeElement); return s.outline"
    assert "solid 2px" in str(page.execute_script(script))


def test_a_phone_shows_all_scores_without_moving_sideways(page: Chrome, site: str) -> None:
    size = {"width": 375, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.get(f"{site}/index.html")
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    content, screen = page.execute_script(script)
    assert content <= screen
    last = board(page, "tbody tr:first-child td:last-child").rect
    assert last["x"] + last["width"] <= 375
    board(page, ".num").click()
    box = one(page, "#pop").rect
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 375
    page.find_element("css selector", "#pop button").click()


def test_the_method_page_shows_videos_categories_and_sources(page: Chrome, site: str) -> None:
    page.get(f"{site}/methods/sola.html")
    assert one(page, "h1").text == "SOLA"
    captions = [e.text for e in visible(page, "caption")]
    assert "By category" in captions
    assert "6 videos" in captions
    assert page.execute_script(CONTRAST) == []
    button = next(b for b in visible(page, ".sort") if b.text == "Video")
    button.click()
    button.click()
    table = button.find_element("xpath", "ancestor::table")
    names = [e.text for e in table.find_elements("css selector", "tbody th")]
    assert names == [f"video-{i}" for i in (5, 4, 3, 2, 1, 0)]
