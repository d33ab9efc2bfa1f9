// Runs before the first paint, as a file of its own because the content security policy allows no inline script.
(function () {
  try {
    var theme = localStorage.getItem("signalbox.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (e) {
    // Storage is blocked: follow the system.
  }
})();
