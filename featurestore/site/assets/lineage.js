// Shows and hides the neighbours of nodes in a drawing of lineage. It draws what
// featurestore/site/lineage/drawing.py draws, from the nodes in lineage/n-*.js, whose layers and
// order come from the build. What is shown is in the page's address, behind "#lineage=".
(function (scope) {
  "use strict";

  var WIDTH = 204, HEIGHT = 28, ROW = 38, GAP = 64, LANE = 12, LETTERS = 22, BEGINNING = 14, END = 7;
  var SHOWN = 8, MORE = 24, CHUNK = 100;
  var drawing = document.querySelector("svg.lineage[data-node]");
  if (!drawing) { return; }
  var site = document.documentElement.dataset.root;
  var chosen = Number(drawing.dataset.node);
  var start = drawing.innerHTML;
  var size = ["viewBox", "width", "height"].map(function (name) {
    return [name, drawing.getAttribute(name)];
  });
  var nodes = {};
  var latest = 0;

  scope.featurestoreNodes = function (chunk, rows) {
    rows.forEach(function (row, at) {
      nodes[chunk * CHUNK + at] = {
        kind: row[0], name: row[1], view: row[2], page: row[3], layer: row[4],
        up: row[5], down: row[6]
      };
    });
  };

  function bring(numbers) {
    var chunks = new Set(numbers.map(function (number) { return Math.floor(number / CHUNK); }));
    return Promise.all(Array.from(chunks, function (chunk) {
      return scope.featurestoreLoad("lineage/n-" + chunk + ".js");
    }));
  }

  // What is open: the most shown neighbours of a side of a node, such as {"12 down": 8}.
  function opened() {
    var text = new URLSearchParams(location.hash.slice(1)).get("lineage"), open = new Map();
    if (text === null) { return new Map([[chosen + " up", SHOWN], [chosen + " down", SHOWN]]); }
    text.split(",").forEach(function (part) {
      var match = /^(\d+)([ud])(\d+)$/.exec(part);
      if (match) { open.set(match[1] + (match[2] === "u" ? " up" : " down"), Number(match[3])); }
    });
    return open;
  }

  function go(open, focus) {
    var parts = Array.from(open, function (pair) {
      return pair[0].replace(" up", "u").replace(" down", "d") + pair[1];
    });
    history.pushState(null, "", "#lineage=" + (parts.join(",") || "none"));
    return apply(focus);
  }

  function first(found, most) { return found.length <= most ? found : found.slice(0, most - 1); }

  // Returns the nodes to draw, and the places of those that are not: all that is reached from
  // the chosen node over open sides.
  function reached(open) {
    var shown = new Set([chosen]), mores = [], queue = [chosen];
    function step() {
      var now = queue;
      queue = [];
      return bring(now).then(function () {
        now.forEach(function (number) {
          ["up", "down"].forEach(function (side) {
            var most = open.get(number + " " + side), found = nodes[number][side];
            if (!most || !found.length) { return; }
            var few = first(found, most);
            if (few.length < found.length) {
              mores.push({ of: number, side: side, count: found.length - few.length,
                           after: few[few.length - 1], most: most });
            }
            few.forEach(function (other) {
              if (!shown.has(other)) { shown.add(other); queue.push(other); }
            });
          });
        });
        return queue.length ? step() : { shown: shown, mores: mores };
      });
    }
    return step();
  }

  function columns(found) {
    var made = {};
    Array.from(found.shown).sort(function (a, b) { return a - b; }).forEach(function (number) {
      var layer = nodes[number].layer;
      (made[layer] = made[layer] || []).push(number);
    });
    found.mores.forEach(function (more) { made[nodes[more.after].layer].push(more); });
    return Object.keys(made).sort(function (a, b) { return a - b; }).map(function (layer) {
      return made[layer];
    });
  }

  function shape(name, values, text) {
    var made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.keys(values).forEach(function (key) { made.setAttribute(key, values[key]); });
    if (text !== undefined) { made.textContent = text; }
    return made;
  }

  function line(from, to) {
    var x = from[0] + WIDTH, y = from[1] + HEIGHT / 2, end = to[1] + HEIGHT / 2;
    var middle = (x + to[0]) / 2;
    return shape("path", { "class": "edge", d: "M" + x + " " + y + "C" + middle + " " + y + " " +
      middle + " " + end + " " + to[0] + " " + end });
  }

  function pill(number, side, x, y, isOpen) {
    var count = nodes[number][side].length, width = 12 + 7 * String(count).length;
    x += (10 - width / 2) * (side === "up" ? 1 : -1);
    var made = shape("g", { "class": isOpen ? "pill" : "pill closed", "data-side": side,
                            "data-of": number });
    made.append(
      shape("rect", { x: x - width / 2, y: y + 6, width: width, height: 16, rx: 8 }),
      shape("text", { "text-anchor": "middle", x: x, y: y + 18 }, count));
    return made;
  }

  function box(number, x, y) {
    var node = nodes[number], isChosen = number === chosen;
    var made = isChosen ? shape("g", { "class": "chosen" })
      : shape("a", { href: site + node.page });
    var name = node.name.length <= LETTERS ? node.name :
      node.name.slice(0, BEGINNING) + "…" + node.name.slice(-END);
    made.append(
      shape("title", {}, node.kind + " " + (node.view ? node.view + ":" : "") + node.name),
      shape("rect", { "class": "node", x: x, y: y, width: WIDTH, height: HEIGHT, rx: 6 }),
      shape("rect", { "class": "mark " + node.kind.replace(" ", "-"), x: x + 15, y: y + 9, width: 10, height: 10,
                      rx: 3 }),
      shape("text", { x: x + 32, y: y + 18 }, name));
    return made;
  }

  function more(place, x, y) {
    var made = shape("g", { "data-side": place.side, "data-more": place.count,
                            "data-of": place.of, "data-most": place.most });
    made.append(shape("text", { "class": "soft", x: x + 32, y: y + 18 }, place.count + " more"));
    return made;
  }

  // Returns the edges between what is shown, each from a place to one in a later column.
  function edges(all) {
    var made = [], places = [].concat.apply([], all), shown = new Set(places);
    places.forEach(function (place) {
      if (typeof place === "number") {
        nodes[place].down.forEach(function (other) {
          if (shown.has(other)) { made.push([place, other]); }
        });
      } else {
        made.push(place.side === "up" ? [place, place.of] : [place.of, place]);
      }
    });
    return made;
  }

  // Returns the lines of edges, each once, and the lanes of each column: lines go through a
  // column between its boxes, and all lines to one end share their lanes.
  function route(all) {
    var column = new Map(), lanes = all.map(function () { return new Map(); }), lines = [];
    all.forEach(function (members, at) {
      members.forEach(function (place) { column.set(place, at); });
    });
    edges(all).forEach(function (edge) {
      var stop = edge[0], end = edge[1];
      for (var at = column.get(stop) + 1; at < column.get(end); at += 1) {
        var lane = lanes[at].get(end) || { from: [], wish: 0 };
        lanes[at].set(end, lane);
        if (!lane.from.includes(stop)) { lane.from.push(stop); lines.push([stop, lane]); }
        stop = lane;
      }
      if (!stop.hasEnd) { lines.push([stop, end]); }
      if (stop.from) { stop.hasEnd = true; }
    });
    return { lines: lines, lanes: lanes.map(function (own) { return Array.from(own.values()); }) };
  }

  // Sets the places of the boxes and lanes of a column. Returns where the column ends.
  function stack(members, lanes, x, y, places) {
    var done = 0;
    function put() { places.set(members[done], [x, y + 4]); y += ROW; done += 1; }
    lanes.forEach(function (lane) {
      var sum = lane.from.reduce(function (all, stop) {
        return all + places.get(stop)[1] + HEIGHT / 2;
      }, 0);
      lane.wish = Math.floor(sum / lane.from.length + 0.5);
    });
    lanes.sort(function (a, b) { return a.wish - b.wish; }).forEach(function (lane) {
      while (done < members.length && lane.wish > y + ROW / 2) { put(); }
      if (done === members.length) { y = Math.max(y, lane.wish - LANE / 2 + 1); }
      places.set(lane, [x, y + LANE / 2 - 1 - HEIGHT / 2]);
      y += LANE;
    });
    while (done < members.length) { put(); }
    return y;
  }

  function draw(found, open) {
    var all = columns(found), routes = route(all), places = new Map(), made = [], lines = [];
    var heights = all.map(function (members, at) {
      return members.length * ROW + routes.lanes[at].length * LANE;
    });
    var most = Math.max.apply(null, heights), height = most;
    all.forEach(function (members, at) {
      var end = stack(members, routes.lanes[at], at * (WIDTH + GAP) + 14,
        (most - heights[at]) / 2, places);
      height = Math.max(height, end);
    });
    routes.lines.forEach(function (pair) {
      lines.push(line(places.get(pair[0]), places.get(pair[1])));
    });
    places.forEach(function (at, place) {
      if (place.from) {
        lines.push(shape("path", { "class": "edge",
                                   d: "M" + at[0] + " " + (at[1] + HEIGHT / 2) + "h" + WIDTH }));
        return;
      }
      if (typeof place !== "number") { made.push(more(place, at[0], at[1])); return; }
      made.push(box(place, at[0], at[1]));
      ["up", "down"].forEach(function (side) {
        var found = nodes[place][side], isOpen = open.has(place + " " + side);
        var isHidden = found.some(function (other) { return !places.has(other); });
        if (isHidden || (isOpen && found.length)) {
          made.push(pill(place, side, at[0] + (side === "up" ? 0 : WIDTH), at[1], isOpen));
        }
      });
    });
    var width = all.length * (WIDTH + GAP) - GAP + 28;
    drawing.setAttribute("viewBox", "0 0 " + width + " " + height);
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", height);
    drawing.replaceChildren.apply(drawing, lines.concat(made));
  }

  // Makes buttons of the counts, and keeps the focus on the one that was used.
  function revive(focus) {
    drawing.querySelectorAll("[data-side]").forEach(function (each) {
      var side = each.dataset.side, isPill = each.classList.contains("pill");
      var name = each.previousElementSibling;
      while (name && !name.querySelector("title")) { name = name.previousElementSibling; }
      var what = side === "up" ? "that it is made from" : "that use it";
      each.setAttribute("role", "button");
      each.setAttribute("tabindex", "0");
      each.setAttribute("aria-label", isPill
        ? name.querySelector("title").textContent + ": the " + each.textContent + " " + what
        : each.textContent + " " + what);
      if (isPill) { each.setAttribute("aria-expanded", String(!each.classList.contains("closed"))); }
      if (!each.dataset.of) { each.dataset.of = chosen; each.dataset.most = SHOWN; }
      if (focus === each.dataset.of + " " + side) { each.focus(); }
    });
  }

  function apply(focus) {
    var number = latest += 1, open = opened();
    if (!new URLSearchParams(location.hash.slice(1)).has("lineage")) {
      size.forEach(function (pair) { drawing.setAttribute(pair[0], pair[1]); });
      drawing.innerHTML = start;
      revive(focus);
      return Promise.resolve();
    }
    return reached(open).then(function (found) {
      if (number !== latest) { return; }
      draw(found, open);
      revive(focus);
    });
  }

  function use(event) {
    var part = event.target.closest("[data-side]");
    if (!part || (event.key && event.key !== "Enter" && event.key !== " ")) { return; }
    event.preventDefault();
    var open = opened(), key = part.dataset.of + " " + part.dataset.side;
    if (part.dataset.more) {
      open.set(key, Number(part.dataset.most) + MORE);
    } else if (open.has(key)) {
      open.delete(key);
    } else {
      open.set(key, SHOWN);
    }
    go(open, key);
  }

  drawing.addEventListener("click", use);
  drawing.addEventListener("keydown", use);
  scope.addEventListener("popstate", function () { apply(); });
  drawing.classList.add("live");
  // On a narrow screen the chosen node may be outside at first.
  var region = drawing.parentElement, own = drawing.querySelector(".chosen rect");
  region.scrollLeft = Number(own.getAttribute("x")) + WIDTH / 2 - region.clientWidth / 2;
  apply();
}(globalThis));
