(function () {
  "use strict";
  var byId = function (id) { return document.getElementById(id); };
  var body = document.querySelector("tbody");
  var rows = Array.prototype.slice.call(body.rows);
  var chips = Array.prototype.slice.call(document.querySelectorAll(".chip"));

  function show() {
    var words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    var kind = byId("kind").value;
    var shown = 0;
    rows.forEach(function (row) {
      var text = row.textContent.toLowerCase();
      var fits = (!kind || row.dataset.kind === kind) && words.every(function (word) { return text.indexOf(word) >= 0; });
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("count").textContent = shown + " shown";
    byId("none").hidden = shown > 0;
    chips.forEach(function (chip) { chip.setAttribute("aria-pressed", String(chip.dataset.kind === kind)); });
  }

  function sort(head) {
    var column = head.cellIndex;
    var up = head.getAttribute("aria-sort") !== "ascending";
    document.querySelectorAll("thead th").forEach(function (one) { one.setAttribute("aria-sort", "none"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    rows.sort(function (a, b) {
      var order = a.cells[column].dataset.sort.localeCompare(b.cells[column].dataset.sort, "en", { numeric: true });
      return up ? order : -order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }

  byId("filter").addEventListener("input", show);
  byId("kind").addEventListener("change", show);
  chips.forEach(function (chip) {
    chip.addEventListener("click", function () {
      byId("kind").value = byId("kind").value === chip.dataset.kind ? "" : chip.dataset.kind;
      show();
    });
  });
  document.querySelectorAll("thead th").forEach(function (head) {
    head.addEventListener("click", function () { sort(head); });
  });
  byId("theme").addEventListener("click", function () {
    var root = document.documentElement;
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  /* A link may name a filter: #filter=web&kind=Failed */
  new URLSearchParams(location.hash.slice(1)).forEach(function (value, key) {
    if (key === "filter" || key === "kind") { byId(key).value = value; }
    if (key === "theme") { document.documentElement.dataset.theme = value; }
  });
  show();
})();
