// Searches the index that featurestore/site/search/index.py writes. It needs no page: `load` brings
// a script of the index, whose calls below keep its data.
(function (scope) {
  "use strict";

  var head = null;
  var vocabulary = null;
  var words = {};
  var broad = {};
  var entries = {};
  var loading = {};
  var recent = new Map();
  // The rows of the table of typing errors, made once: a key compares thousands of words.
  var ROWS = [new Uint8Array(128), new Uint8Array(128), new Uint8Array(128)];

  scope.featurestoreHead = function (value) { head = value; };
  scope.featurestoreVocabulary = function (value) { vocabulary = value; };
  scope.featurestoreWords = function (key, value) { words[key] = value; };
  scope.featurestoreBroad = function (start, value) { broad[start] = value; };
  scope.featurestoreEntries = function (number, value) { entries[number] = value; };

  function wordsOf(text) {
    var found = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
    // As the index has them: words of 60 letters at most.
    return found.map(function (word) { return Array.from(word).slice(0, 60).join(""); });
  }

  function bring(load, path) {
    loading[path] = loading[path] || load(path);
    return loading[path];
  }

  function fileOf(kind, key) {
    return "search/" + kind + "-" + Array.from(key, function (letter) {
      var code = letter.codePointAt(0);
      return code < 128 ? letter : "-" + code.toString(16);
    }).join("") + ".js";
  }

  // Loads the scripts that may have words with this beginning.
  function bringWords(load, start) {
    return Promise.all(head.shards.filter(function (key) {
      return key.startsWith(start) || start.startsWith(key);
    }).map(function (key) {
      return bring(load, fileOf("w", key)).then(function () { return key; });
    }));
  }

  // Returns the fewest typing errors between a text and the beginning of a word: letters that
  // differ, are missing, too many, or swapped with their neighbour. More than `most` is Infinity.
  function errorsOf(text, word, most) {
    // Letters after these cannot lessen the errors: only the beginning of a word must fit.
    var length = Math.min(word.length, text.length + most), i, j;
    var older = ROWS[0], old = ROWS[1], row = ROWS[2];
    for (j = 0; j <= length; j += 1) { old[j] = j; }
    for (i = 1; i <= text.length; i += 1) {
      var least = row[0] = i;
      for (j = 1; j <= length; j += 1) {
        var same = text[i - 1] === word[j - 1] ? 0 : 1;
        var value = Math.min(old[j] + 1, row[j - 1] + 1, old[j - 1] + same);
        if (i > 1 && j > 1 && text[i - 1] === word[j - 2] && text[i - 2] === word[j - 1]) {
          value = Math.min(value, older[j - 2] + 1);
        }
        row[j] = value;
        least = Math.min(least, value);
      }
      if (least > most) { return Infinity; }
      var oldest = older;
      older = old;
      old = row;
      row = oldest;
    }
    var errors = Infinity;
    for (j = 0; j <= length; j += 1) { errors = Math.min(errors, old[j]); }
    return errors > most ? Infinity : errors;
  }

  // Adds the weights of entries, where they are better than what an entry has.
  function add(found, postings, share) {
    for (var at = 0; at < postings.length; at += 2) {
      var score = postings[at + 1] * share, old = found.get(postings[at]);
      if (old === undefined || score > old) { found.set(postings[at], score); }
    }
  }

  // Very many entries have a broad beginning: the index has the best of them only.
  function isBroad(start) { return head.broad.indexOf(start) >= 0; }

  function byBeginning(load, start) {
    var found = new Map();
    if (isBroad(start)) {
      return bring(load, fileOf("b", start)).then(function () {
        add(found, broad[start], 1);
        found.isBroad = true;
        return found;
      });
    }
    return bringWords(load, start).then(function (keys) {
      keys.forEach(function (key) {
        Object.keys(words[key] || {}).forEach(function (word) {
          if (word.startsWith(start)) { add(found, words[key][word], word === start ? 1 : 0.7); }
        });
      });
      return found;
    });
  }

  function bringVocabulary(load) { return bring(load, "search/vocabulary.js"); }

  function byTypingError(load, text) {
    var most = text.length < 3 ? 0 : text.length < 8 ? 1 : 2, found = new Map();
    if (!most) { return Promise.resolve(found); }
    return bringVocabulary(load).then(function () {
      return Promise.all(vocabulary.map(function (word) {
        return [errorsOf(text, word, most), word];
      }).filter(function (pair) { return pair[0] <= most; }).map(function (pair) {
        return byBeginning(load, pair[1]).then(function (own) {
          own.forEach(function (score, entry) { add(found, [entry, score], 0.4 / pair[0]); });
          found.isBroad = found.isBroad || own.isBroad;
        });
      }));
    }).then(function () { return found; });
  }

  function byWord(load, text) {
    return byBeginning(load, text).then(function (found) {
      return found.size ? found : byTypingError(load, text);
    });
  }

  function isBetter(one, other) { return (other[0] - one[0] || one[1] - other[1]) < 0; }

  // Returns the pairs of weight and entry that come first, without sorting all.
  function best(pairs, most) {
    var kept = [];
    pairs.forEach(function (pair) {
      if (kept.length >= most && !isBetter(pair, kept[kept.length - 1])) { return; }
      var at = kept.length;
      while (at && isBetter(pair, kept[at - 1])) { at -= 1; }
      kept.splice(at, 0, pair);
      if (kept.length > most) { kept.pop(); }
    });
    return kept;
  }

  // Returns the entries that have the most words, with their weights. Words that are broad exclude
  // nothing, but where nothing else is found.
  function fitting(found) {
    var exact = found.filter(function (each) { return !each.isBroad; });
    var bonus = found.filter(function (each) { return each.isBroad; }), pairs = [];
    var counts = new Map(), most = 0;
    exact.forEach(function (each) {
      each.forEach(function (_, entry) {
        var count = (counts.get(entry) || 0) + 1;
        counts.set(entry, count);
        most = Math.max(most, count);
      });
    });
    if (!most) {
      bonus.forEach(function (each) { each.forEach(function (_, entry) { counts.set(entry, 0); }); });
    }
    counts.forEach(function (count, entry) {
      if (count < most) { return; }
      var total = 0;
      found.forEach(function (each) { total += each.get(entry) || 0; });
      pairs.push([total, entry]);
    });
    pairs.hasAll = most === exact.length;
    pairs.isPart = !most && bonus.length > 0;
    return pairs;
  }

  // Returns promises of what has each word. A key changes one word: the others are not looked up again.
  function byWords(load, texts) {
    var next = new Map();
    texts.forEach(function (text) { next.set(text, recent.get(text) || byWord(load, text)); });
    recent = next;
    return Promise.all(texts.map(function (text) { return next.get(text); }));
  }

  function bringHead(load) { return bring(load, "search/head.js"); }

  // Loads what most keys need, while a person begins to type.
  scope.featurestorePrepare = function (load) {
    return bringHead(load).then(function () { return bringVocabulary(load); });
  };

  // Returns a promise of the number of results, and of the first of them.
  scope.featurestoreFind = function (query, most, load) {
    var texts = wordsOf(query);
    if (!texts.length) { return Promise.resolve({ total: 0, results: [] }); }
    return bringHead(load).then(function () {
      return byWords(load, texts);
    }).then(function (found) {
      var pairs = fitting(found);
      var shown = best(pairs, most).map(function (pair) { return pair[1]; });
      return Promise.all(shown.map(function (entry) {
        var number = Math.floor(entry / head.chunk);
        return bring(load, "search/e-" + number + ".js").then(function () {
          var row = entries[number][entry % head.chunk];
          return { kind: row[0], name: row[1], view: row[2], page: row[3], text: row[4] };
        });
      })).then(function (results) {
        return { total: pairs.length, results: results, hasAll: pairs.hasAll,
          isPart: pairs.isPart };
      });
    });
  };
}(globalThis));
