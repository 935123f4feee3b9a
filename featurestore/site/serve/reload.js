// Only in served pages: load the page again when the site was built again. The policy of the pages
// allows no requests but those for scripts, so the state comes as a script. The page was read in the
// state that its own script names: what was built since then is seen by the first answer.
(function () {
  "use strict";

  var own = document.currentScript.dataset.state;

  window.featurestoreBuilt = function (state) {
    if (String(state) !== own) { location.reload(); }
  };

  setInterval(function () {
    var script = document.createElement("script");
    script.src = "/_live/state.js?" + Date.now();
    script.onload = script.onerror = function () { script.remove(); };
    document.head.append(script);
  }, 1500);
}());
