// The differences of any two versions, made of the differences of each version between them.
(function () {
  "use strict";

  var panel = document.querySelector("[data-compare]");
  if (!panel) { return; }
  var SHOWN = 100;
  var chunk = Number(panel.dataset.chunk);
  var sides = { old: panel.querySelector("[data-side=old]"), "new": panel.querySelector("[data-side=new]") };
  var result = document.querySelector("[data-result]");
  var versions = {}, loaded = {}, latest = 0;

  window.featurestoreChanges = function (found) { Object.assign(versions, found); };

  function load(number) {
    if (!loaded[number]) {
      loaded[number] = new Promise(function (resolve, reject) {
        var script = document.createElement("script");
        script.src = "history/changes-" + number + ".js";
        script.onload = resolve;
        script.onerror = reject;
        document.head.append(script);
      });
    }
    return loaded[number];
  }

  // The first old value and the last new value of each field; those that are equal did not change.
  function composed(numbers) {
    var definitions = new Map();
    numbers.forEach(function (number) {
      versions[number].differences.forEach(function (change) {
        var key = change.kind + " " + change.name;
        var own = definitions.get(key);
        if (!own) {
          own = { kind: change.kind, name: change.name, was: change.action !== "added", fields: new Map() };
          definitions.set(key, own);
        }
        own.is = change.action !== "removed";
        change.fields.forEach(function (field) {
          var before = own.fields.get(field.field);
          own.fields.set(field.field, { old: before ? before.old : field.old, "new": field["new"] });
        });
      });
    });
    return Array.from(definitions.values()).map(function (own) {
      var fields = Array.from(own.fields, function (pair) {
        return { field: pair[0], old: pair[1].old, "new": pair[1]["new"] };
      }).filter(function (field) { return field.old !== field["new"]; });
      return { kind: own.kind, name: own.name, was: own.was, is: own.is, fields: fields };
    }).filter(function (own) { return own.fields.length && (own.was || own.is); });
  }

  function turned(change) {
    return {
      kind: change.kind, name: change.name, was: change.is, is: change.was,
      fields: change.fields.map(function (field) {
        return { field: field.field, old: field["new"], "new": field.old };
      })
    };
  }

  function made(name, kind, text) {
    var element = document.createElement(name);
    if (kind) { element.className = kind; }
    if (text !== undefined) { element.dir = "auto"; element.textContent = text; }
    return element;
  }

  function table(fields, label) {
    var scroll = made("div", "scroll"), all = made("table"), head = made("thead"), row = made("tr");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", label);
    ["field", "value"].forEach(function (name) {
      var cell = made("th", "", name);
      cell.scope = "col";
      row.append(cell);
    });
    head.append(row);
    var body = made("tbody");
    fields.forEach(function (field) {
      var line = made("tr"), value = made("td");
      if (field.old !== null) { value.append(made("div", "old", field.old)); }
      if (field["new"] !== null) { value.append(made("div", "new", field["new"])); }
      line.append(made("td", "mono", field.field), value);
      body.append(line);
    });
    all.append(head, body);
    scroll.append(all);
    return scroll;
  }

  function parts(change) {
    var action = !change.was ? "added" : !change.is ? "removed" : "changed";
    var kind = { added: "good", removed: "bad", changed: "warn" }[action];
    var head = made("h2");
    head.append(change.kind + " ", made("bdi", "", change.name), " ", made("span", "badge " + kind, action));
    return [head, table(change.fields, "Changes of " + change.name)];
  }

  function show(text, changes) {
    result.replaceChildren(made("p", changes.length ? "" : "soft", text));
    changes.slice(0, SHOWN).forEach(function (change) { result.append.apply(result, parts(change)); });
    if (changes.length > SHOWN) {
      result.append(made("p", "soft", "And " + (changes.length - SHOWN) + " more: featurestore history --compare shows all."));
    }
  }

  function compare() {
    var old = Number(sides.old.value), fresh = Number(sides["new"].value), number = latest += 1;
    var low = Math.min(old, fresh), high = Math.max(old, fresh), numbers = [], chunks = {};
    for (var each = low + 1; each <= high; each += 1) {
      numbers.push(each);
      chunks[Math.floor(each / chunk)] = true;
    }
    Promise.all(Object.keys(chunks).map(load)).then(function () {
      if (number !== latest) { return; }
      var bad = numbers.filter(function (each) { return !versions[each] || versions[each].error; });
      if (bad.length) {
        show("Version " + bad[0] + " or the one before cannot be read, so these versions cannot be compared.", []);
        return;
      }
      var changes = composed(numbers);
      if (old > fresh) { changes = changes.map(turned); }
      show(changes.length === 1 ? "1 definition differs." :
        changes.length + " definitions differ.", changes);
    }, function () { show("The differences could not be loaded.", []); });
  }

  function follow() {
    var fragment = new URLSearchParams(location.hash.slice(1));
    ["old", "new"].forEach(function (side) {
      var value = fragment.get(side), own = sides[side];
      var known = Array.from(own.options).some(function (option) { return option.value === value; });
      if (known) { own.value = value; }
    });
    compare();
  }

  document.querySelector("[data-without-script]").hidden = true;
  panel.hidden = false;
  sides["new"].selectedIndex = 0;
  sides.old.selectedIndex = 1;
  panel.addEventListener("change", function () {
    var hash = "#old=" + sides.old.value + "&new=" + sides["new"].value;
    history.replaceState(null, "", hash);
    compare();
  });
  window.addEventListener("hashchange", follow);
  follow();
}());
