// The manual works without this: it adds copy buttons, answers while typing, and marks the section in view.
(function () {
  "use strict";

  function element(name, className, text) {
    var made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  document.querySelectorAll(".block:not(.text)").forEach(function (block) {
    var button = element("button", "copy-code", "Copy");
    button.type = "button";
    button.addEventListener("click", function () {
      var text = block.querySelector("code").textContent;
      navigator.clipboard.writeText(text).then(function () {
        button.textContent = "Copied";
        setTimeout(function () { button.textContent = "Copy"; }, 1500);
      }, function () {
        getSelection().selectAllChildren(block.querySelector("code"));
      });
    });
    block.appendChild(button);
  });

  // On a phone the contents begin folded.
  var fold = document.querySelector(".fold");
  if (fold && matchMedia("(max-width: 959px)").matches) fold.open = false;
  var here = document.querySelector(".book [aria-current]");
  if (here && here.scrollIntoView && fold && fold.open) here.scrollIntoView({ block: "nearest" });

  var field = document.querySelector("input[type=search]");
  var found = document.querySelector(".found");
  var asked = 0;
  function show(items, typed) {
    found.textContent = "";
    items.slice(0, 8).forEach(function (item) {
      var link = element("a");
      link.href = item.path;
      link.append(element("span", "", item.title), element("span", "meta", item.page === item.title ? "" : item.page));
      found.append(link);
    });
    if (!items.length) found.append(element("p", "meta", "Nothing has all of these words."));
    found.hidden = !typed;
  }
  var timer;
  field.addEventListener("input", function () {
    var typed = field.value.trim();
    clearTimeout(timer);
    if (!typed) return void (found.hidden = true);
    timer = setTimeout(function () {
      var mine = ++asked;
      fetch("/docs/find?q=" + encodeURIComponent(typed)).then(function (answer) { return answer.json(); }).then(function (body) {
        if (mine === asked) show(body.items, typed);
      }, function () { found.hidden = true; });
    }, 100);
  });
  document.addEventListener("keydown", function (event) {
    var links = Array.prototype.slice.call(found.querySelectorAll("a"));
    var at = links.indexOf(document.activeElement);
    if ((event.key === "/" || event.key === "k" && (event.metaKey || event.ctrlKey)) && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape" && !found.hidden) {
      found.hidden = true;
      field.focus();
    } else if (!found.hidden && links.length && (event.key === "ArrowDown" || event.key === "ArrowUp") && (at >= 0 || document.activeElement === field)) {
      event.preventDefault();
      var next = at + (event.key === "ArrowDown" ? 1 : -1);
      (links[next] || (next < 0 ? field : links[0])).focus();
    }
  });
  document.addEventListener("click", function (event) {
    if (!event.target.closest("form")) found.hidden = true;
  });

  var marks = {};
  document.querySelectorAll("nav.page a").forEach(function (link) { marks[link.hash.slice(1)] = link; });
  var headings = Array.prototype.slice.call(document.querySelectorAll("article h2, article h3"));
  if (headings.length && "IntersectionObserver" in window) {
    var seen = {};
    var observer = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) { seen[entry.target.id] = entry.isIntersecting; });
      var first = headings.find(function (heading) { return seen[heading.id]; });
      if (!first) return;
      Object.keys(marks).forEach(function (id) { marks[id].classList.toggle("here", id === first.id); });
    }, { rootMargin: "-44px 0px -60% 0px" });
    headings.forEach(function (heading) { observer.observe(heading); });
  }
})();
