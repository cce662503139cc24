"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data")?.textContent || "{}");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private */ } };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  const pop = document.getElementById("pop");
  let pinned = null; // the number whose pop-up stays open

  // Theme: the reader's choice, otherwise the system's.
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = document.getElementById("theme");
  const name = () => { theme.textContent = dark() ? "Light theme" : "Dark theme"; };
  const saved = recall("rvosbench-theme");
  if (saved === "dark" || saved === "light") root.dataset.theme = saved;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    remember("rvosbench-theme", root.dataset.theme);
    name();
  });
  name();

  // Tabs: without this script the panels simply follow each other.
  const tabs = all('[role="tab"]');
  const open = (tab) => {
    for (const other of tabs) {
      const on = other === tab;
      other.setAttribute("aria-selected", String(on));
      other.tabIndex = on ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
    }
    close();
  };
  const byHash = () => tabs.find((tab) => `#${tab.dataset.name}` === decodeURIComponent(location.hash));
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => { open(tab); history.replaceState(null, "", `#${tab.dataset.name}`); });
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      const next = tabs[(to + tabs.length) % tabs.length];
      event.preventDefault();
      next.focus();
      next.click();
    });
  }

  // Sorting: numbers by value, missing ones last, ties in their first order.
  const key = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value ?? cell.querySelector("[data-value]")?.dataset.value;
    return value === undefined ? cell.textContent.trim() : value === "" ? null : Number(value);
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const original = new Map([...body.rows].map((row, index) => [row, index]));
    for (const button of all(".sort", table)) {
      const head = button.closest("th");
      button.addEventListener("click", () => {
        const first = button.dataset.kind === "number" ? "descending" : "ascending";
        const other = first === "descending" ? "ascending" : "descending";
        const way = head.getAttribute("aria-sort") === first ? other : first;
        for (const cell of head.parentNode.cells) if (cell.hasAttribute("aria-sort")) cell.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", way);
        const sign = way === "ascending" ? 1 : -1;
        const missing = (value) => value === null || value === "-" || value === "";
        const rows = [...body.rows].map((row) => [key(row, head.cellIndex), row]);
        rows.sort(([a, x], [b, y]) => missing(a) - missing(b)
          || (missing(a) ? 0 : sign * compare(a, b)) || original.get(x) - original.get(y));
        body.append(...rows.map(([, row]) => row));
      });
    }
  }

  // Filters and search.
  for (const panel of all(".board")) {
    const controls = all("[data-filter]", panel);
    const search = panel.querySelector('input[type="search"]');
    const rows = [...panel.querySelector("tbody").rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const status = panel.querySelector(".count");
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, index) => {
        const fits = controls.every((c) => !c.value || row.dataset[c.dataset.filter] === c.value)
          && words.every((word) => texts[index].includes(word));
        row.hidden = !fits;
        shown += fits;
      });
      status.textContent = `${shown} of ${rows.length}`;
      close();
    };
    for (const control of controls) control.addEventListener("change", apply);
    search.addEventListener("input", apply);
    panel.querySelector(".reset").addEventListener("click", () => {
      search.value = "";
      for (const control of controls) control.value = "";
      apply();
    });
    panel.querySelector(".tools").hidden = false;
    apply();
  }

  // Provenance: on hover while the mouse is there, on click or Enter until closed.
  function close(focus) {
    if (!pop || pop.hidden) return;
    pop.hidden = true;
    if (pinned) {
      pinned.setAttribute("aria-expanded", "false");
      if (focus) pinned.focus();
    }
    pinned = null;
  }
  const line = (fact) => {
    const term = document.createElement("dt"), text = document.createElement("dd");
    term.textContent = fact.label;
    if (fact.link) {
      const link = document.createElement("a");
      link.href = fact.link;
      link.rel = "noopener noreferrer";
      link.textContent = fact.text;
      text.append(link);
    } else text.textContent = fact.text;
    return [term, text];
  };
  const show = (button, pin) => {
    close();
    pop.querySelector("dl").replaceChildren(...data.lines[button.dataset.line].facts.flatMap(line));
    pop.hidden = false;
    pop.querySelector("button").hidden = !pin;
    pop.style.pointerEvents = pin ? "" : "none"; // on a phone it may lie over its own number
    const box = button.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - pop.offsetWidth - 8);
    const below = box.bottom + pop.offsetHeight + 8 < innerHeight || box.top < pop.offsetHeight;
    pop.style.left = `${Math.max(8, left) + scrollX}px`;
    pop.style.top = `${(below ? box.bottom + 4 : box.top - pop.offsetHeight - 4) + scrollY}px`;
    if (pin) {
      pinned = button;
      button.setAttribute("aria-expanded", "true");
      pop.querySelector("button").focus({ preventScroll: true });
    }
  };
  if (pop) {
    const number = (event) => event.target.closest?.(".num");
    document.addEventListener("click", (event) => {
      if (number(event)) show(number(event), true);
      else if (pinned && !pop.contains(event.target)) close();
    });
    document.addEventListener("mouseover", (event) => {
      if (pinned) return;
      if (number(event)) show(number(event), false);
      else close();
    });
    pop.querySelector("button").addEventListener("click", () => close(true));
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(true); });
  }

  // Copying: what is copied is shown, so that it can be taken by hand where a browser forbids it.
  const copied = document.getElementById("copied");
  const copy = async (text) => {
    const area = copied.querySelector("textarea"), status = copied.querySelector("[role=status]");
    area.value = text;
    copied.showModal();
    area.select();
    try { await navigator.clipboard.writeText(text); status.textContent = "Copied to the clipboard."; }
    catch { status.textContent = "Press Ctrl+C to copy."; }
  };
  const visible = (panel) => all("tbody tr", panel).filter((row) => !row.hidden).map((row) => data.lines[row.dataset.line]);
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", () => {
      const panel = button.closest("[data-board]"), kind = button.dataset.copy;
      if (kind === "board-latex") {
        const head = data.boards[panel.dataset.board];
        copy([head.begin, ...visible(panel).map((l) => l.latex), head.end].join("\n"));
      } else if (kind === "board-bibtex") {
        copy([...new Set(visible(panel).map((l) => l.bibtex))].join("\n\n"));
      } else copy(data.texts[kind]);
    });
  }

  addEventListener("hashchange", () => { if (byHash()) open(byHash()); });
  if (tabs.length) {
    document.querySelector('[role="tablist"]').hidden = false;
    open(byHash() || tabs[0]);
  }
})();
