// The facets of a list: which rows are shown. Their state is in the page's address, behind "#".
(function (scope) {
  "use strict";

  var PAGE = 50;
  var panel = document.querySelector("[data-list]");
  var folder = panel.dataset.list;
  var body = document.querySelector("[data-rows]");
  var count = document.querySelector("[data-count]");
  var clear = document.querySelector("[data-clear]");
  var show = document.querySelector("[data-show]");
  var all = { rows: Array.from(body.children), count: count.textContent };
  var boxes = {};
  var chunks = {};
  var index = null;
  var latest = 0;

  scope.featurestoreFacets = function (value) {
    index = value;
    index.facets.forEach(function (facet) {
      var at = 0;
      facet.row = new Uint32Array(index.rows);
      for (var run = 0; run < facet.runs.length; run += 2) {
        facet.row.fill(facet.runs[run], at, at + facet.runs[run + 1]);
        at += facet.runs[run + 1];
      }
    });
  };
  scope.featurestoreRows = function (number, html) {
    chunks[number] = document.createElement("tbody");
    chunks[number].innerHTML = html;
    chunks[number] = Array.from(chunks[number].children);
  };

  // Returns what the address asks for: the chosen values of each facet, and how many rows.
  function wanted() {
    var fragment = new URLSearchParams(location.hash.slice(1)), chosen = {};
    Object.keys(boxes).forEach(function (name) {
      if (fragment.has(name)) { chosen[name] = fragment.getAll(name); }
    });
    return { chosen: chosen, rows: Math.max(PAGE, parseInt(fragment.get("rows"), 10) || 0) };
  }

  function address(chosen, rows) {
    var text = new URLSearchParams();
    Object.keys(chosen).forEach(function (name) {
      chosen[name].forEach(function (value) { text.append(name, value); });
    });
    if (rows > PAGE) { text.append("rows", rows); }
    return "#" + text;
  }

  // Returns the checkbox of a value, which is made if it was not among the first ones.
  function box(name, value) {
    var own = boxes[name];
    if (!own.has(value)) {
      var last = Array.from(own.values()).pop().parentElement, label = last.cloneNode(true);
      var made = label.querySelector("input");
      made.value = value;
      label.querySelector(".value").textContent = value || "none";
      last.after(label);
      own.set(value, made);
    }
    return own.get(value);
  }

  // Returns the numbers of the rows that fit, and for each facet the rows of each of its values
  // that fit all other facets.
  function choose(chosen) {
    var fits = index.facets.map(function (facet) {
      var values = (chosen[facet.name] || []).map(function (v) { return facet.values.indexOf(v); });
      return facet.sets.map(function (set) {
        return !chosen[facet.name] || set.some(function (v) { return values.includes(v); });
      });
    });
    var counts = index.facets.map(function (facet) { return new Uint32Array(facet.sets.length); });
    var rows = [];
    for (var row = 0; row < index.rows; row += 1) {
      var missed = -1, more = false;
      for (var f = 0; f < fits.length && !more; f += 1) {
        if (!fits[f][index.facets[f].row[row]]) {
          more = missed >= 0;
          missed = f;
        }
      }
      if (more) { continue; }
      if (missed < 0) {
        rows.push(row);
        for (f = 0; f < fits.length; f += 1) { counts[f][index.facets[f].row[row]] += 1; }
      } else {
        counts[missed][index.facets[missed].row[row]] += 1;
      }
    }
    return { rows: rows, counts: counts };
  }

  function showCounts(counts) {
    index.facets.forEach(function (facet, number) {
      var totals = new Uint32Array(facet.values.length);
      facet.sets.forEach(function (set, at) {
        set.forEach(function (value) { totals[value] += counts[number][at]; });
      });
      var place = new Map(facet.values.map(function (value, at) { return [value, at]; }));
      boxes[facet.name].forEach(function (each, value) {
        var total = totals[place.get(value)] || 0;
        each.parentElement.querySelector(".count").textContent = total;
        each.parentElement.classList.toggle("none", !total);
      });
    });
  }

  function bringRows(numbers) {
    var needed = new Set(numbers.map(function (row) { return Math.floor(row / index.chunk); }));
    return Promise.all(Array.from(needed, function (number) {
      return scope.featurestoreLoad("lists/" + folder + "-" + number + ".js");
    })).then(function () {
      return numbers.map(function (row) {
        return chunks[Math.floor(row / index.chunk)][row % index.chunk].cloneNode(true);
      });
    });
  }

  function bringIndex() { return scope.featurestoreLoad("lists/" + folder + ".js"); }

  function apply() {
    var state = wanted(), chosen = state.chosen, number = latest += 1;
    var isChosen = Object.keys(chosen).length > 0;
    panel.querySelectorAll("input").forEach(function (each) { each.checked = false; });
    Object.keys(chosen).forEach(function (name) {
      chosen[name].forEach(function (value) { box(name, value).checked = true; });
    });
    clear.hidden = !isChosen;
    document.querySelectorAll("[data-pager]").forEach(function (each) { each.hidden = isChosen; });
    if (!isChosen && !index) { return Promise.resolve(); }
    return bringIndex().then(function () {
      var found = choose(chosen), shown = found.rows.slice(0, state.rows);
      return (isChosen ? bringRows(shown) : Promise.resolve(all.rows)).then(function (rows) {
        if (number !== latest) { return; }
        showCounts(found.counts);
        body.replaceChildren.apply(body, rows);
        scope.featurestoreLabel(body.parentElement);
        count.textContent = isChosen ? found.rows.length + " of " + index.rows : all.count;
        show.hidden = !isChosen || found.rows.length <= state.rows;
      });
    }).catch(function () { count.textContent = "The data of the filters could not be loaded."; });
  }

  function go(chosen, rows) {
    history.pushState(null, "", address(chosen, rows));
    apply();
  }

  panel.querySelectorAll("fieldset").forEach(function (set) {
    boxes[set.dataset.facet] = new Map(Array.from(set.querySelectorAll("input"), function (each) {
      return [each.value, each];
    }));
  });
  panel.addEventListener("change", function (event) {
    var name = event.target.closest("fieldset").dataset.facet, chosen = wanted().chosen;
    var values = (chosen[name] || []).filter(function (each) { return each !== event.target.value; });
    if (event.target.checked) { values.push(event.target.value); }
    chosen[name] = values;
    go(chosen, 0);
  });
  panel.addEventListener("click", function (event) {
    if (!event.target.hasAttribute("data-more")) { return; }
    var name = event.target.closest("fieldset").dataset.facet;
    bringIndex().then(function () {
      index.facets.forEach(function (facet) {
        if (facet.name === name) { facet.values.forEach(box.bind(null, name)); }
      });
      event.target.remove();
      apply();
    });
  });
  clear.addEventListener("click", function () { go({}, 0); });
  show.addEventListener("click", function () {
    var state = wanted();
    go(state.chosen, state.rows + PAGE);
  });
  scope.addEventListener("popstate", apply);
  panel.open = scope.matchMedia("(min-width: 60rem)").matches;
  panel.hidden = false;
  apply();
}(globalThis));
