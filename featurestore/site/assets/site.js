// The search field of each page, and how scripts load their data. Without scripts the pages are
// complete but for the search, the facets of lists, and the hidden parts of lineage.
(function () {
  "use strict";

  var root = document.documentElement.dataset.root;
  var field = document.querySelector("[data-search]");
  var list = document.querySelector("[data-results]");
  var status = document.querySelector("[data-status]");
  var isPage = list.hasAttribute("data-page");
  var loading = {};
  var latest = 0;

  // Loads a script of data once.
  function load(path) {
    loading[path] = loading[path] || new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = root + path;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return loading[path];
  }
  globalThis.featurestoreLoad = load;

  function part(name, kind, text) {
    var made = document.createElement(name);
    made.className = kind;
    made.dir = "auto";
    made.textContent = text;
    return made;
  }

  function item(result) {
    var made = document.createElement("li"), link = part("a", "name", result.name);
    link.href = root + result.page;
    made.append(link, part("span", "kind", result.kind + (result.view ? " of " + result.view : "")));
    if (result.text) { made.append(part("span", "text", result.text)); }
    return made;
  }

  function search() {
    var query = field.value, number = latest += 1;
    if (isPage) { history.replaceState(null, "", "#q=" + encodeURIComponent(query)); }
    featurestoreFind(query, isPage ? 50 : 8, load).then(function (found) {
      if (number !== latest) { return; }
      list.replaceChildren.apply(list, found.results.map(item));
      list.hidden = !found.results.length;
      status.textContent = !query.trim() ? "" :
        !found.total ? "0 results. The search knows names, columns, owners, tags and words of descriptions." :
        (found.total === 1 ? "1 result" : (found.isPart ? "the best " : "") + found.total + " results") +
        (found.hasAll ? "" : ". None has all words: these have the most");
    }, function () { status.textContent = "The index of the search could not be loaded."; });
  }

  // A search says what could not be loaded.
  function prepare() { featurestorePrepare(load).catch(function () {}); }

  // The arrow keys go through the results.
  function move(event) {
    if (event.key === "Escape") { field.value = ""; search(); field.focus(); return; }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") { return; }
    var stops = [field].concat(Array.from(list.querySelectorAll("a")));
    var at = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    stops[Math.max(0, Math.min(at, stops.length - 1))].focus();
  }

  // On a narrow screen the menu is a strip, and the present page may be outside.
  var present = document.querySelector("nav [aria-current]");
  if (present) { present.scrollIntoView({ block: "nearest", inline: "center" }); }

  // How old an event is. Pages have the moment alone: it stays true.
  var UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
  document.querySelectorAll("time[data-age]").forEach(function (each) {
    var seconds = (Date.parse(each.dateTime) - Date.now()) / 1000;
    if (Math.abs(seconds) < 120) { return; }
    var unit = UNITS.find(function (one) { return Math.abs(seconds) >= 2 * one[1]; }) || UNITS[4];
    var words = new Intl.RelativeTimeFormat("en").format(Math.round(seconds / unit[1]), unit[0]);
    each.after(" (" + words + ")");
  });

  // On a narrow screen each row of a wide table is a block, whose cells say their column.
  globalThis.featurestoreLabel = function (table) {
    var names = Array.from(table.querySelectorAll("thead th"), function (each) { return each.textContent; });
    if (names.length < 3 || table.classList.contains("quantiles")) { return; }
    table.classList.add("blocks");
    table.querySelectorAll("tbody tr").forEach(function (row) {
      Array.from(row.children).forEach(function (cell, at) { cell.dataset.label = names[at] || ""; });
    });
  };
  document.querySelectorAll(".scroll > table").forEach(featurestoreLabel);

  // Copies the text before a button.
  document.addEventListener("click", function (event) {
    var button = event.target;
    if (!button.hasAttribute || !button.hasAttribute("data-copy")) { return; }
    navigator.clipboard.writeText(button.previousElementSibling.textContent).then(function () {
      button.textContent = "Copied";
      setTimeout(function () { button.textContent = "Copy"; }, 2000);
    }, function () { getSelection().selectAllChildren(button.previousElementSibling); });
  });

  document.querySelectorAll("[data-script]").forEach(function (each) { each.hidden = false; });
  field.addEventListener("focus", prepare, { once: true });
  field.addEventListener("input", search);
  field.addEventListener("keydown", move);
  list.addEventListener("keydown", move);
  field.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && !isPage) {
      location.href = root + "search.html#q=" + encodeURIComponent(field.value);
    }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      field.focus();
    }
  });
  // Shows the search that is in the address.
  function show() {
    field.value = new URLSearchParams(location.hash.slice(1)).get("q") || "";
    search();
  }

  if (isPage) {
    addEventListener("hashchange", show);
    show();
    field.focus();
  }
}());
