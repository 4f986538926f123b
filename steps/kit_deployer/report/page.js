// SPDX-License-Identifier: MIT
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const cluster = find("by-cluster"), object = find("by-object"), outcome = find("by-outcome");
  const matrix = find("matrix");
  const heads = matrix ? Array.from(matrix.tHead.rows[0].cells) : [];
  const names = heads.map((head) => (head.title || head.textContent).toLowerCase());
  const rows = matrix ? Array.from(matrix.tBodies[0].rows) : [];
  const lines = all("#timeline > .scroll tbody tr");
  const sheet = document.styleSheets[0];
  const first = sheet.cssRules.length;

  const wanted = (row, name, which) =>
    row.cells[0].textContent.toLowerCase().includes(name) &&
    (!which || row.className === "bad" || (which === "written" && row.className === "new"));

  // Columns go by one rule of the style sheet: a large fleet has fifty thousand cells.
  const columns = (text) => {
    while (sheet.cssRules.length > first) sheet.deleteRule(first);
    const gone = names.map((name, index) => (index && text && !name.includes(text) ? index + 1 : 0)).filter(Boolean);
    if (gone.length) {
      const selectors = gone.map((index) => `#matrix tr > :nth-child(${index})`).join(",");
      sheet.insertRule(`${selectors} { display: none }`, first);
    }
  };

  const show = () => {
    const name = cluster.value.trim().toLowerCase(), thing = object.value.trim().toLowerCase(), which = outcome.value;
    let shown = 0;
    const visible = new Set();
    for (const row of rows) {
      row.hidden = !wanted(row, name, which);
      if (!row.hidden) {
        shown += 1;
        visible.add(row.cells[0].textContent);
      }
    }
    for (const line of lines) line.hidden = !visible.has(line.cells[0].textContent);
    columns(thing);
    for (const part of all("#failures article, #timeline > details, #changes .change")) {
      const clusters = part.dataset.clusters, about = part.dataset.object;
      part.hidden =
        (Boolean(name) && clusters !== undefined && !clusters.toLowerCase().includes(name)) ||
        (Boolean(thing) && about !== undefined && !about.toLowerCase().includes(thing));
    }
    const filtered = name || thing || which;
    find("count").textContent = filtered ? `${shown} of ${rows.length} clusters` : "";
  };

  // A link to a change that is folded or filtered away opens it.
  const open = () => {
    const target = find(location.hash.slice(1));
    if (target && target.classList.contains("change")) {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  };

  const form = find("filter");
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", open);
  open();
  show();

  if (matrix) {
    matrix.addEventListener("mouseover", (event) => {
      const cell = event.target.closest("td");
      if (!cell || cell.dataset.told) return;
      cell.dataset.told = "yes";
      const head = heads[cell.cellIndex];
      const inner = cell.querySelector("a") || cell;
      const word = inner.title || cell.className.replace("-", " ") || "no such object";
      inner.title = `${cell.parentNode.cells[0].textContent}: ${head.title || head.textContent} ${word}`;
    });
  }
})();
