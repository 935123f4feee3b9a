// Searches the index that featurestore/site/search/index.py writes. It needs no page: `load` brings
// a script of the index, whose calls below keep its data.
(function (scope) {
  "use strict";

  var head = null;
  var vocabulary = null;
  var words = {};
  var entries = {};
  var loading = {};

  scope.featurestoreHead = function (value) { head = value; };
  scope.featurestoreVocabulary = function (value) { vocabulary = value; };
  scope.featurestoreWords = function (key, value) { words[key] = value; };
  scope.featurestoreEntries = function (number, value) { entries[number] = value; };

  function wordsOf(text) {
    return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
  }

  function bring(load, path) {
    loading[path] = loading[path] || load(path);
    return loading[path];
  }

  function fileOf(key) {
    return "search/w-" + Array.from(key, function (letter) {
      var code = letter.codePointAt(0);
      return code < 128 ? letter : "-" + code.toString(16);
    }).join("") + ".js";
  }

  // Loads the scripts that may have words with this beginning.
  function bringWords(load, start) {
    return Promise.all(head.shards.filter(function (key) {
      return key.startsWith(start) || start.startsWith(key);
    }).map(function (key) {
      return bring(load, fileOf(key)).then(function () { return key; });
    }));
  }

  // Returns the fewest typing errors between a text and the beginning of a word: letters that
  // differ, are missing, too many, or swapped with their neighbour. More than `most` is Infinity.
  function errorsOf(text, word, most) {
    var older = [], old = [], i, j;
    for (j = 0; j <= word.length; j += 1) { old.push(j); }
    for (i = 1; i <= text.length; i += 1) {
      var row = [i], least = i;
      for (j = 1; j <= word.length; j += 1) {
        var same = text[i - 1] === word[j - 1] ? 0 : 1;
        var value = Math.min(old[j] + 1, row[j - 1] + 1, old[j - 1] + same);
        if (i > 1 && j > 1 && text[i - 1] === word[j - 2] && text[i - 2] === word[j - 1]) {
          value = Math.min(value, older[j - 2] + 1);
        }
        row.push(value);
        least = Math.min(least, value);
      }
      if (least > most) { return Infinity; }
      older = old;
      old = row;
    }
    var errors = Math.min.apply(null, old);
    return errors > most ? Infinity : errors;
  }

  // Adds the weight of each entry that has a word, if it is better than the one that it has.
  function count(found, word, share) {
    Object.keys(words).forEach(function (key) {
      if (!word.startsWith(key)) { return; }
      var own = words[key];
      var postings = Object.prototype.hasOwnProperty.call(own, word) ? own[word] : [];
      for (var at = 0; at < postings.length; at += 2) {
        var score = postings[at + 1] * share;
        if (score > (found.get(postings[at]) || 0)) { found.set(postings[at], score); }
      }
    });
  }

  function byBeginning(load, start) {
    return bringWords(load, start).then(function (keys) {
      var found = new Map();
      keys.forEach(function (key) {
        Object.keys(words[key] || {}).forEach(function (word) {
          if (word.startsWith(start)) { count(found, word, word === start ? 1 : 0.7); }
        });
      });
      return found;
    });
  }

  function byTypingError(load, text) {
    var most = text.length < 3 ? 0 : text.length < 8 ? 1 : 2;
    if (!most) { return Promise.resolve(new Map()); }
    return bring(load, "search/vocabulary.js").then(function () {
      var near = vocabulary.map(function (word) {
        return [errorsOf(text, word, most), word];
      }).filter(function (pair) { return pair[0] <= most; });
      return Promise.all(near.map(function (pair) {
        return bringWords(load, pair[1]);
      })).then(function () {
        var found = new Map();
        near.forEach(function (pair) { count(found, pair[1], 0.4 / pair[0]); });
        return found;
      });
    });
  }

  function byWord(load, text) {
    return byBeginning(load, text).then(function (found) {
      return found.size ? found : byTypingError(load, text);
    });
  }

  // Returns the numbers of the entries that have all words, the best first.
  function rank(found) {
    var first = found[0], rest = found.slice(1), ranked = [];
    first.forEach(function (score, entry) {
      var total = rest.reduce(function (sum, other) {
        return other.has(entry) ? sum + other.get(entry) : NaN;
      }, score);
      if (!isNaN(total)) { ranked.push([total, entry]); }
    });
    ranked.sort(function (one, other) { return other[0] - one[0] || one[1] - other[1]; });
    return ranked.map(function (pair) { return pair[1]; });
  }

  // Returns a promise of the number of results, and of the first of them.
  scope.featurestoreFind = function (query, most, load) {
    var texts = wordsOf(query);
    if (!texts.length) { return Promise.resolve({ total: 0, results: [] }); }
    return bring(load, "search/head.js").then(function () {
      return Promise.all(texts.map(function (text) { return byWord(load, text); }));
    }).then(function (found) {
      var ranked = rank(found), shown = ranked.slice(0, most);
      return Promise.all(shown.map(function (entry) {
        var number = Math.floor(entry / head.chunk);
        return bring(load, "search/e-" + number + ".js").then(function () {
          var row = entries[number][entry % head.chunk];
          return { kind: row[0], name: row[1], view: row[2], page: row[3], text: row[4] };
        });
      })).then(function (results) { return { total: ranked.length, results: results }; });
    });
  };
}(globalThis));
