// The search field of each page. Without this script the pages are complete but for the search.
(function () {
  "use strict";

  var root = document.documentElement.dataset.root;
  var field = document.querySelector("[data-search]");
  var list = document.querySelector("[data-results]");
  var status = document.querySelector("[data-status]");
  var isPage = list.hasAttribute("data-page");
  var latest = 0;

  function load(path) {
    return new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = root + path;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

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
        found.total === 1 ? "1 result" : found.total + " results";
    }, function () { status.textContent = "The index of the search could not be loaded."; });
  }

  // The arrow keys go through the results.
  function move(event) {
    if (event.key === "Escape") { field.value = ""; search(); field.focus(); return; }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") { return; }
    var stops = [field].concat(Array.from(list.querySelectorAll("a")));
    var at = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    stops[Math.max(0, Math.min(at, stops.length - 1))].focus();
  }

  document.querySelectorAll("[data-script]").forEach(function (each) { each.hidden = false; });
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
  if (isPage) {
    field.value = new URLSearchParams(location.hash.slice(1)).get("q") || "";
    search();
    field.focus();
  }
}());
